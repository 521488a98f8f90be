import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { z } from 'zod'
import type { Clock } from './clock.ts'
import type { OtlpSender } from './send.ts'

/** Sending failed for good; the message says where, why and what to do. */
export class SendError extends Error {
  override readonly name = 'SendError'
}

/** Where and how OTLP goes over HTTP. */
export interface HttpSenderOptions {
  /** Base address, to which /v1/traces is added. */
  readonly endpoint: string
  /** Attempts for one request, the first included. */
  readonly maxAttempts: number
  /** Longest wait between two attempts, also where Retry-After asks for more. */
  readonly maxBackoffMs: number
  readonly timeoutMs: number
  /** Undefined where the receiver asks for none. */
  readonly apiKey?: string | undefined
}

/** What the command `replay` reads of the environment: a key has no place among a command's arguments. */
export const replayVariables = {
  SPANMETER_API_KEY: z
    .string()
    .optional()
    .describe('API key that `spanmeter replay` sends over HTTP, where ingest asks for one.'),
} as const

/** What the sender needs from outside. */
export interface HttpSenderDependencies {
  readonly clock: Clock
  /** Aborting ends the waits between attempts. */
  readonly signal: AbortSignal
  /** Called when the receiver took a request but refused some of its spans. */
  readonly onRejected: (spans: number, reason: string) => void
}

const contentType = 'application/x-protobuf'
const firstBackoffMs = 500
/** The only statuses that OTLP/HTTP allows a client to retry. */
const retryable = new Set([429, 502, 503, 504])

/** Posts OTLP protobuf to `{endpoint}/v1/traces`, with the retries that OTLP/HTTP asks for. */
export function createHttpSender(
  options: HttpSenderOptions,
  dependencies: HttpSenderDependencies,
): OtlpSender {
  const url = `${options.endpoint.replace(/\/+$/, '').replace(/\/v1\/traces$/, '')}/v1/traces`
  const state = { wasReached: false }
  return {
    async send(bodies) {
      for (const body of bodies) await sendOne(url, body, state, options, dependencies)
    },
    async close() {
      // fetch closes its idle connections by itself.
    },
  }
}

type Attempt =
  | { readonly type: 'accepted' }
  | { readonly type: 'retry'; readonly reason: string; readonly afterMs: number | undefined }

async function sendOne(
  url: string,
  body: Uint8Array,
  state: { wasReached: boolean },
  options: HttpSenderOptions,
  dependencies: HttpSenderDependencies,
): Promise<void> {
  const { clock, signal } = dependencies
  for (let attempt = 1; ; attempt++) {
    const result = await tryOnce(url, body, state, options, dependencies)
    if (result.type === 'accepted') return
    if (attempt >= options.maxAttempts) {
      throw new SendError(
        `${url} did not accept a request in ${attempt} attempts: ${result.reason}. ` +
          'Look at the log and /healthz of the ingest worker.',
      )
    }
    const jitter = 0.5 + Math.random() / 2
    const backoffMs = firstBackoffMs * 2 ** (attempt - 1) * jitter
    await clock.sleep(Math.min(result.afterMs ?? backoffMs, options.maxBackoffMs), signal)
    if (signal.aborted) throw new SendError(`Stopped while waiting for ${url}: ${result.reason}`)
  }
}

async function tryOnce(
  url: string,
  body: Uint8Array,
  state: { wasReached: boolean },
  options: HttpSenderOptions,
  { clock, onRejected }: HttpSenderDependencies,
): Promise<Attempt> {
  let response: Response
  let answer: Uint8Array
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': contentType,
        ...(options.apiKey !== undefined && { authorization: `Bearer ${options.apiKey}` }),
      },
      // The type of fetch wants bytes that no other thread shares, and so they are copied.
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(options.timeoutMs),
    })
    answer = new Uint8Array(await response.arrayBuffer())
  } catch (error) {
    // Before the first answer a wrong address is likelier than a restart of the receiver.
    if (!state.wasReached) throw new SendError(unreachable(url, error), { cause: error })
    return { type: 'retry', reason: networkReason(error), afterMs: undefined }
  }
  state.wasReached = true
  if (response.ok) {
    const { partialSuccess } = ProtobufTraceSerializer.deserializeResponse(answer)
    const rejected = partialSuccess?.rejectedSpans ?? 0
    if (rejected > 0) onRejected(rejected, partialSuccess?.errorMessage ?? 'no reason given')
    return { type: 'accepted' }
  }
  const { headers, status } = response
  const message = readErrorMessage(headers.get('content-type'), answer)
  const reason = `HTTP ${status} ${message}`.trim()
  if (!retryable.has(status)) {
    const isLocked = status === 401 || status === 403
    const hint = isLocked ? 'Set SPANMETER_API_KEY.' : 'Is this an OTLP/HTTP receiver?'
    throw new SendError(`${url} refused a request: ${reason}. ${hint}`)
  }
  const afterMs = retryAfterMs(headers.get('retry-after'), clock.now())
  return { type: 'retry', reason, afterMs }
}

/** The wait that a Retry-After header asks for, as seconds or as a date (RFC 9110, 10.2.3). */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000
  const dateMs = Date.parse(header)
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs)
}

function unreachable(url: string, error: unknown): string {
  const reason = networkReason(error)
  return (
    `Cannot reach ${url}: ${reason}. Is Spanmeter running? ` +
    'Start it with "npm start", or give its address with --endpoint.'
  )
}

/** fetch hides the reason in the cause of its TypeError. */
function networkReason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return String(cause)
  if ('code' in cause && cause.code === 'ECONNREFUSED') return 'connection refused'
  return cause.message === '' ? cause.name : cause.message
}

/** The text of an error: the message of a google.rpc.Status, or the beginning of any other body. */
function readErrorMessage(type: string | null, body: Uint8Array): string {
  if (!type?.startsWith(contentType)) return new TextDecoder().decode(body.subarray(0, 200)).trim()
  // A Status has the fields of a partial success (1 a number, 2 a text), so framed as one (field 1,
  // length as a varint of two bytes) the same reader understands it.
  const framed = [0x0a, (body.length & 0x7f) | 0x80, (body.length >> 7) & 0x7f, ...body]
  try {
    const { partialSuccess } = ProtobufTraceSerializer.deserializeResponse(new Uint8Array(framed))
    return partialSuccess?.errorMessage ?? ''
  } catch {
    // A body that is no Status says nothing that could be shown.
    return ''
  }
}
