import type { Alert } from '../../../schemas/items.ts'
import { parseChannels } from '../../../services/alert/channel-file.ts'
import type { Channel } from '../../../services/alert/notify/channel.ts'
import type {
  Exchange,
  HttpRequest,
  HttpResult,
} from '../../../services/alert/notify/http-exchange.ts'
import type { Try } from '../../../services/alert/notify/sender.ts'

/** 2026-03-01T12:00:00Z */
export const NOON_MS = Date.UTC(2026, 2, 1, 12)
const MINUTE_MS = 60_000
const nanos = (ms: number) => BigInt(ms) * 1_000_000n

/** An alert that fires, with all that one can have. */
export const alertOf = (rest: Partial<Alert> = {}): Alert => ({
  alert_id: 'a1',
  incident_id: 'i1',
  rule: 'cost-spike',
  level: '2x',
  group: { tenant: 'acme', model: 'gpt-4o' },
  state: 'firing',
  previous_state: 'pending',
  reason: 'condition',
  severity: 'critical',
  notify: true,
  muted_by: '',
  time_unix_nano: nanos(NOON_MS),
  firing_since_unix_nano: nanos(NOON_MS),
  window_start_unix_nano: nanos(NOON_MS - 5 * MINUTE_MS),
  window_end_unix_nano: nanos(NOON_MS),
  value: 12.3456,
  threshold: 10,
  baseline: 5,
  count: 1234n,
  unit: 'USD',
  summary: 'acme spends <12.35 USD> & more',
  labels: { team: 'payments' },
  annotations: { runbook: 'https://example.com/runbook' },
  contributors: [{ dimension: 'model', name: 'gpt-4o', value: 12 }],
  trace_ids: ['00000000000000000000000000000001'],
  link: 'https://grafana.example.com/d/cost?from=1&to=2',
  ...rest,
})

/** The end of that alert's incident, ten minutes later. */
export const resolvedOf = (rest: Partial<Alert> = {}): Alert =>
  alertOf({
    alert_id: 'a2',
    state: 'resolved',
    previous_state: 'firing',
    time_unix_nano: nanos(NOON_MS + 10 * MINUTE_MS),
    ...rest,
  })

/** The one channel that a few lines of a file say, indented as in a list of channels. */
export function channelOf(lines: string, env: Readonly<Record<string, string>> = {}): Channel {
  const indented = lines.trim().split('\n').join('\n    ')
  const [channel] = parseChannels(`channels:\n  - name: it\n    ${indented}\n`, 'c.yaml', env)
  if (channel === undefined) throw new Error('There is no channel')
  return channel
}

/** The first try, at noon and a minute. */
export const firstTry = (rest: Partial<Try> = {}): Try => ({
  mayHaveArrived: false,
  recordMs: NOON_MS + MINUTE_MS,
  nowMs: NOON_MS + MINUTE_MS,
  signal: new AbortController().signal,
  ...rest,
})

export const answerOf = (status: number, body: unknown = '', retryAfter = ''): HttpResult => ({
  type: 'answer',
  status,
  retryAfter,
  body: typeof body === 'string' ? body : JSON.stringify(body),
})

/** An exchange that keeps requests and gives the results in turn, the last of them for ever. */
export function scriptedExchange(
  ...results: readonly HttpResult[]
): Exchange & { readonly requests: HttpRequest[] } {
  const requests: HttpRequest[] = []
  const exchange: Exchange = async (request) => {
    requests.push(request)
    return results[Math.min(requests.length, results.length) - 1] ?? answerOf(200)
  }
  return Object.assign(exchange, { requests })
}
