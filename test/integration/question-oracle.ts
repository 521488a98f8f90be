import { makeSpans, type EnrichedSpan } from './enriched-spans.ts'
import { boundText, measures, upperOf } from './histogram-measures.ts'

/** Seconds since the epoch, from the first up to the second. */
export interface Window {
  readonly from: number
  readonly to: number
}

/** What a burn rate is made of. */
export interface Outcome {
  readonly isCounted: (span: EnrichedSpan) => boolean
  readonly isBad: (span: EnrichedSpan) => boolean
}

export const HOUR_S = 3_600
export const DAY_S = 86_400
const MINUTE_S = 60
const NANOS_PER_S = 1_000_000_000n

/** When the spans end: in the last day, and not on an hour, so that every window has minutes at its end. */
export const questionEndS = () => Math.floor(Date.now() / 1_000 / DAY_S) * DAY_S - 5_000

/**
 * A month of spans before a moment, most of them in its last hours, with every case that the views tell
 * apart: cancelled calls, missing tags, values on the bounds of buckets, above all, and 0.
 */
export function questionSpans(seed: number, endS: number): readonly EnrichedSpan[] {
  const before = (seconds: number) => BigInt(endS - seconds) * NANOS_PER_S
  const month = { seed, count: 2_500, fromNano: before(33 * DAY_S), spreadSeconds: 33 * DAY_S }
  const hours = { seed: seed + 1, count: 2_500, fromNano: before(30_000), spreadSeconds: 30_000 }
  return [
    ...[...makeSpans(month), ...makeSpans(hours)].map(vary),
    ...burst(seed + 2, before(9_000)),
  ]
}

/** A call that fails again and again within a second, so that a row of a rollup stands for many. */
function burst(seed: number, fromNano: bigint): readonly EnrichedSpan[] {
  const tries = makeSpans({ seed, count: 50, fromNano, spreadSeconds: 1 })
  const call = tries.find(isLlm)
  if (call === undefined) throw new RangeError(`seed ${seed} makes no call`)
  return tries.map(({ span_id, start_time_unix_nano }) => ({
    ...call,
    span_id,
    start_time_unix_nano,
    error_type: 'timeout',
  }))
}

const DURATIONS = [0n, 1n, 10n, 40n, 5_120n, 10_240n, 81_920n, 100_000n].flatMap((ms) => [
  ms * 1_000_000n,
  ms * 1_000_000n + 1n,
])
const TOKENS = [0n, 1n, 4n, 5n, 67_108_864n, 67_108_865n]

function vary(span: EnrichedSpan, index: number): EnrichedSpan {
  const pick = <T>(values: readonly T[], every: number, otherwise: T): T =>
    index % every === 0 ? (values[(index / every) % values.length] ?? otherwise) : otherwise
  return {
    ...span,
    error_type: span.error_type === 'rate_limit' && index % 2 === 0 ? 'cancelled' : span.error_type,
    duration_nano: pick(DURATIONS, 5, span.duration_nano),
    time_to_first_token_nano: pick(DURATIONS, 7, span.time_to_first_token_nano),
    input_tokens: pick(TOKENS, 11, span.input_tokens),
    team: index % 3 === 0 ? '' : span.team,
    user: index % 5 === 0 ? '' : span.user,
    environment: index % 7 === 0 ? '' : span.environment,
  }
}

const startS = (span: EnrichedSpan) => Number(span.start_time_unix_nano / NANOS_PER_S)
const minuteOf = (span: EnrichedSpan) => startS(span) - (startS(span) % MINUTE_S)
export const hourOf = (span: EnrichedSpan) => startS(span) - (startS(span) % HOUR_S)
const modelOf = (span: EnrichedSpan) => span.request_model || span.response_model
export const isIn = ({ from, to }: Window) => {
  return (span: EnrichedSpan) => minuteOf(span) >= from && minuteOf(span) < to
}
export const isModelCall = (span: EnrichedSpan) =>
  span.price_status !== 'not_applicable' && span.price_status !== 'nested'

const isLlm = (span: EnrichedSpan) => span.kind === 'llm'
/** As the rule slo-errors counts. */
export const failures: Outcome = {
  isCounted: (span) => isLlm(span) && span.error_type !== 'cancelled',
  isBad: (span) => span.error_type !== '',
}
/** As latency_burn_rate counts: calls above a bound. */
export const slowerThan = (ms: bigint): Outcome => ({
  isCounted: (span) => isLlm(span) && isModelCall(span),
  isBad: (span) => span.duration_nano > ms * 1_000_000n,
})

type Dimension = 'tenant' | 'environment' | 'service' | 'feature' | 'kind' | 'error_type' | 'model'

/** The group of a span by dimensions, as a line has it. */
export function by(...dimensions: readonly Dimension[]): (span: EnrichedSpan) => string {
  return (span) =>
    dimensions.map((name) => (name === 'model' ? modelOf(span) : span[name])).join('|')
}

/** What budgets and burn rates are told by. */
export const byBudget = by('tenant', 'environment', 'service', 'feature', 'model')

/** Sums of picoUSD, calls or whatever else the values are, a line to each group that has any. */
export function sumBy(
  spans: readonly EnrichedSpan[],
  group: (span: EnrichedSpan) => string,
  ...values: readonly ((span: EnrichedSpan) => bigint)[]
): readonly string[] {
  const sums = new Map<string, readonly bigint[]>()
  for (const span of spans) {
    const before = sums.get(group(span))
    const sum = values.map((value, i) => (before?.[i] ?? 0n) + value(span))
    sums.set(group(span), sum)
  }
  return [...sums]
    .filter(([, sum]) => sum.some((value) => value !== 0n))
    .map(([key, sum]) => [key, ...sum].join('|'))
    .sort()
}

export const one = () => 1n
export const pico = (span: EnrichedSpan) => span.cost_pico_usd ?? 0n
export const when = (test: (span: EnrichedSpan) => boolean) => (span: EnrichedSpan) =>
  test(span) ? 1n : 0n

/** Calls and bad ones of a window, by the groups of a budget: `group|total|bad`. */
export function outcomesIn(
  spans: readonly EnrichedSpan[],
  window: Window,
  { isCounted, isBad }: Outcome,
): readonly string[] {
  return sumBy(spans.filter(isIn(window)).filter(isCounted), byBudget, one, when(isBad))
}

/** Every bucket that holds a call: `tenant|model|measure|le|calls`. */
export function bucketsOf(spans: readonly EnrichedSpan[]): readonly string[] {
  return measures.flatMap((measure) => {
    const told = spans.filter((span) => isModelCall(span) && measure.value(span) !== null)
    const bucket = (span: EnrichedSpan) => boundText(measure, upperOf(measure, span) ?? Number.NaN)
    const group = by('tenant', 'model')
    return sumBy(told, (span) => `${group(span)}|${measure.name}|${bucket(span)}`, one)
  })
}

/** Spans under way at each moment: `moment|tenant|kind|is a root|spans`. */
export function activeAt(
  spans: readonly EnrichedSpan[],
  window: Window,
  stepS: number,
): readonly string[] {
  const lines: string[] = []
  const first = Math.ceil(window.from / stepS) * stepS
  for (let moment = first; moment < window.to; moment += stepS) {
    const at = BigInt(moment) * NANOS_PER_S
    const active = spans.filter(
      ({ start_time_unix_nano: start, duration_nano }) => start <= at && at < start + duration_nano,
    )
    const group = ({ tenant, kind, parent_span_id }: EnrichedSpan) =>
      `${moment}|${tenant}|${kind}|${parent_span_id === ''}`
    lines.push(...sumBy(active, group, one))
  }
  return lines.sort()
}
