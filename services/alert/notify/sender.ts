import type { Alert } from '#schemas/items.ts'
import type { HttpResult } from './http-exchange.ts'

/** What came of one try to tell a receiver of an alert. */
export type Sent =
  | { readonly type: 'delivered'; readonly status: number }
  | {
      readonly type: 'again'
      readonly status: number
      readonly detail: string
      /** The receiver asks for this long a wait; 0 where it says nothing. */
      readonly afterMs: number
      /** Whether the alert may have arrived by now, with this try or one before. */
      readonly isUnknown: boolean
    }
  | { readonly type: 'failed'; readonly status: number; readonly detail: string }
  | { readonly type: 'refused'; readonly status: number; readonly detail: string }

/** What a try must know. */
export interface Try {
  /** Whether a try before, in this process or one before it, may have arrived. */
  readonly mayHaveArrived: boolean
  /** When the alert's record was appended, milliseconds since the epoch. */
  readonly recordMs: number
  readonly nowMs: number
  readonly signal: AbortSignal
}

/** Tells one receiver of alerts. */
export interface Sender {
  /** What the receiver knows repeats by; empty where it does not. */
  dedupKey(alert: Alert): string
  /** Makes one try. Throws only where the signal ends it, or there is a bug. */
  send(alert: Alert, attempt: Try): Promise<Sent>
}

const MAX_QUOTE = 200

/** What an answer means, for receivers that speak plain HTTP. */
export function judge(result: HttpResult, { mayHaveArrived, nowMs }: Try): Sent {
  if (result.type === 'refused') return { type: 'refused', status: 0, detail: result.detail }
  if (result.type === 'lost') {
    const isUnknown = mayHaveArrived || result.isSent
    return { type: 'again', status: 0, detail: result.detail, afterMs: 0, isUnknown }
  }
  const { status, body, retryAfter } = result
  if (status >= 200 && status < 300) return { type: 'delivered', status }
  if (status === 429 || status >= 500) {
    const afterMs = waitOf(retryAfter, nowMs)
    // A gateway that waited in vain cannot tell what became of the request.
    const isUnknown = mayHaveArrived || status === 504
    return { type: 'again', status, detail: quote(status, body), afterMs, isUnknown }
  }
  if (status >= 300 && status < 400) {
    return { type: 'failed', status, detail: `HTTP ${status}: redirects are not followed` }
  }
  return { type: 'failed', status, detail: quote(status, body) }
}

/** The wait that a Retry-After header asks for: seconds or a date (RFC 9110, 10.2.3). */
function waitOf(retryAfter: string, nowMs: number): number {
  if (/^\d{1,9}$/.test(retryAfter.trim())) return Number(retryAfter) * 1_000
  const untilMs = Date.parse(retryAfter)
  return Number.isNaN(untilMs) ? 0 : Math.max(0, untilMs - nowMs)
}

/** The status and the beginning of what the receiver said, in one line. */
function quote(status: number, body: string): string {
  const said = body.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
  return `HTTP ${status}${said === '' ? '' : `: ${said.slice(0, MAX_QUOTE)}`}`
}
