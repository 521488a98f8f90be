import type { EnrichedSpan } from './enriched-spans.ts'

/** What a histogram is of, and how its buckets are bounded. */
export interface Measure {
  /** As histogram_buckets names it. */
  readonly name: string
  readonly column: string
  /** Upper bounds as the maps have them: in milliseconds or tokens, the last one for what has none. */
  readonly uppers: readonly number[]
  /** What a bound stands for, in units of the value. */
  readonly scale: bigint
  /** Null where a span does not tell. */
  readonly value: (span: EnrichedSpan) => bigint | null
}

const NO_BOUND = 4_294_967_295
const NANOS_PER_MS = 1_000_000n
const FIRST_TOKEN_MS = '1 5 10 20 40 60 80 100 250 500 750 1000 2500 5000 7500 10000'
  .split(' ')
  .map(Number)
  .concat(NO_BOUND)
const TOKENS = [...Array.from({ length: 14 }, (_, i) => 4 ** i), NO_BOUND]

/** The measures and bounds of the OpenTelemetry GenAI semantic conventions 1.41. */
export const measures: readonly Measure[] = [
  {
    name: 'duration',
    column: 'duration_buckets',
    uppers: [...Array.from({ length: 14 }, (_, i) => 10 * 2 ** i), NO_BOUND],
    scale: NANOS_PER_MS,
    value: (span) => span.duration_nano,
  },
  {
    name: 'time_to_first_token',
    column: 'first_token_buckets',
    uppers: FIRST_TOKEN_MS,
    scale: NANOS_PER_MS,
    value: (span) => span.time_to_first_token_nano,
  },
  {
    name: 'input_tokens',
    column: 'input_token_buckets',
    uppers: TOKENS,
    scale: 1n,
    value: (span) => span.input_tokens,
  },
  {
    name: 'output_tokens',
    column: 'output_token_buckets',
    uppers: TOKENS,
    scale: 1n,
    value: (span) => span.output_tokens,
  },
]

/** The upper bound of the bucket that a span is in, or undefined if it does not tell the value. */
export function upperOf(measure: Measure, span: EnrichedSpan): number | undefined {
  const value = measure.value(span)
  if (value === null) return undefined
  const isWithin = (upper: number) => value <= BigInt(upper) * measure.scale
  return measure.uppers.find((upper) => upper === NO_BOUND || isWithin(upper))
}

/** A bound as histogram_buckets tells it: in seconds or tokens, and as text. */
export function boundText(measure: Measure, upper: number): string {
  if (upper === NO_BOUND) return 'inf'
  return String(measure.scale === NANOS_PER_MS ? upper / 1_000 : upper)
}
