import { readFileSync } from 'node:fs'
import { parseWorkload } from '../../services/cli/replay/csv.ts'
import { makeRequests } from '../../services/cli/replay/otlp.ts'
import type { ReplayReport } from '../../services/cli/replay/report.ts'
import type { SpanSpec } from '../../services/cli/replay/span.ts'

/** What the sample sent, call by call, made again from its seed; sums and percentiles of it by hand. */

export interface SentCall {
  /** Start of the span's minute, seconds since the epoch. */
  readonly minute: number
  readonly model: string
  readonly tenant: string
  readonly feature: string
  readonly errorType: string | undefined
  readonly durationMs: number
  readonly firstTokenMs: number | undefined
  readonly inputTokens: number
  readonly outputTokens: number
  /** Undefined without a price, and for a failed call, which reports no usage. */
  readonly costPicoUsd: bigint | undefined
  readonly scores: readonly number[]
}

const FILE = new URL(
  '../../examples/data/azure-llm-inference-2023-conversation.csv',
  import.meta.url,
)
const SEED = 1

/** What the types of error that the workload tells mean, by docs/errors.md. */
const ERROR_TYPES: Readonly<Record<string, string>> = {
  rate_limit_exceeded: 'rate_limit',
  timeout: 'timeout',
  server_error: 'provider_error',
  overloaded_error: 'provider_error',
  context_length_exceeded: 'context_overflow',
  content_filter: 'safety_filter',
  cancelled: 'cancelled',
  authentication_error: 'authentication',
}

/** USD per million tokens of the sample's models, by their providers' lists: input, cached input, output. */
const PRICES: Readonly<Record<string, readonly [number, number, number]>> = {
  'gpt-4o-mini': [0.15, 0.075, 0.6],
  'gpt-4o': [2.5, 1.25, 10],
  'gpt-4.1': [2, 0.5, 8],
  'claude-sonnet-4-5': [3, 0.3, 15],
  'claude-haiku-4-5': [1, 0.1, 5],
  'gemini-2.5-flash': [0.3, 0.03, 2.5],
}

/** The calls of a sample that was sent, in the order of their start. */
export function sentCalls({ firstSpanTime }: ReplayReport): readonly SentCall[] {
  const rows = parseWorkload(readFileSync(FILE, 'utf8'), 'sample')
  const specs = [...makeRequests(rows, { seed: SEED, shiftNs: 0n })].flatMap((sent) => sent.specs)
  const first = specs.reduce((min, { startNs }) => (startNs < min ? startNs : min), 1n << 62n)
  const shiftNs = nanos(firstSpanTime ?? '') - first
  return specs.filter(({ call }) => call !== undefined).map((spec) => callOf(spec, shiftNs))
}

function nanos(iso: string): bigint {
  const [seconds = '', fraction = ''] = iso.replace('Z', '').split('.')
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}

function callOf(spec: SpanSpec, shiftNs: bigint): SentCall {
  const { call, attributes, events } = spec
  if (call === undefined) throw new Error('a span without a call')
  const isFailed = call.errorType !== undefined
  const first = attributes['gen_ai.response.time_to_first_chunk']
  return {
    minute: Number((spec.startNs + shiftNs) / 60_000_000_000n) * 60,
    model: call.model,
    tenant: call.tenant,
    feature: call.feature,
    errorType: isFailed ? ERROR_TYPES[call.errorType] : undefined,
    durationMs: Number(spec.endNs - spec.startNs) / 1e6,
    firstTokenMs: typeof first === 'number' ? first * 1_000 : undefined,
    inputTokens: isFailed ? 0 : call.inputTokens,
    outputTokens: isFailed ? 0 : call.outputTokens,
    costPicoUsd: isFailed ? undefined : cost(call),
    scores: events.flatMap(({ attributes: told }) => {
      const score = told?.['gen_ai.evaluation.score.value']
      return typeof score === 'number' ? [score] : []
    }),
  }
}

function cost(call: NonNullable<SpanSpec['call']>): bigint | undefined {
  const prices = PRICES[call.model]
  if (prices === undefined) return undefined
  const [input, cached, output] = prices.map((usd) => BigInt(Math.round(usd * 1_000_000)))
  return (
    BigInt(call.inputTokens - call.cacheReadTokens) * (input ?? 0n) +
    BigInt(call.cacheReadTokens) * (cached ?? 0n) +
    BigInt(call.outputTokens) * (output ?? 0n)
  )
}

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

/** The least and the most that a sketch of 1 % may say of a quantile of these values. */
export function quantileBounds(values: readonly number[], q: number): readonly [number, number] {
  const sorted = values.toSorted((a, b) => a - b)
  const rank = q * (sorted.length - 1)
  return [(sorted[Math.floor(rank)] ?? NaN) * 0.99, (sorted[Math.ceil(rank)] ?? NaN) * 1.01]
}
