import { sampleKey } from '../support/exposition.ts'
import type { Decoded } from '../support/spans.ts'
import { textOf } from './fold-items.ts'

/** What the metrics of calls and scores must be, worked out one by one with whole numbers. */

/** Bounds in whole units: nanoseconds, tokens, thousand-millionths of a score. */
const MS = 1_000_000n
const DURATIONS = [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480, 40960, 81920]
const FIRST_TOKENS = [1, 5, 10, 20, 40, 60, 80, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000]
const OUTPUT_TOKENS = [10, 25, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000, 2500]
const TOKENS = [
  1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864,
]
const SCORES = [100, 200, 300, 400, 500, 600, 650, 700, 750, 800, 900, 1000]

interface Bound {
  readonly le: string
  readonly units: bigint
}
const thousandths = (bounds: readonly number[]): readonly Bound[] =>
  bounds.map((bound) => ({ le: String(bound / 1_000), units: BigInt(bound) * MS }))
const whole = TOKENS.map((bound) => ({ le: String(bound), units: BigInt(bound) }))

const BOUNDS: Readonly<Record<string, readonly Bound[]>> = {
  llm_request_duration_seconds: thousandths(DURATIONS),
  llm_ttft_seconds: thousandths(FIRST_TOKENS),
  llm_quality_score: thousandths(SCORES),
  gen_ai_client_operation_duration_seconds: thousandths(DURATIONS),
  gen_ai_client_operation_time_to_first_chunk_seconds: thousandths(DURATIONS),
  gen_ai_client_token_usage: whole,
  gen_ai_server_time_to_first_token_seconds: thousandths(FIRST_TOKENS),
  gen_ai_server_time_per_output_token_seconds: thousandths(OUTPUT_TOKENS),
}

type Labels = Readonly<Record<string, string>>

/** Samples by their keys, in whole units. */
class Expected {
  readonly samples = new Map<string, bigint>()

  add(name: string, labels: Labels, units: bigint): void {
    const key = sampleKey({ name, labels })
    this.samples.set(key, (this.samples.get(key) ?? 0n) + units)
  }

  observe(name: string, labels: Labels, units: bigint): void {
    for (const bound of BOUNDS[name] ?? []) {
      this.add(`${name}_bucket`, { ...labels, le: bound.le }, units <= bound.units ? 1n : 0n)
    }
    this.add(`${name}_bucket`, { ...labels, le: '+Inf' }, 1n)
    this.add(`${name}_count`, labels, 1n)
    this.add(`${name}_sum`, labels, units)
  }
}

const countOf = (span: Decoded, field: string): bigint | null => {
  const value = span[field]
  return typeof value === 'bigint' && value >= 0n ? value : null
}

const chosenOf = (item: Decoded, chosen: readonly string[]): Labels =>
  Object.fromEntries(chosen.map((name) => [name, textOf(item[name])]))

export const isCounted = (span: Decoded): boolean =>
  !['nested', 'not_applicable'].includes(textOf(span['price_status']))

/** Samples of the metrics of calls. */
export function expectedOfSpans(
  spans: readonly Decoded[],
  chosen: readonly string[] = [],
): ReadonlyMap<string, bigint> {
  const expected = new Expected()
  for (const span of spans.filter(isCounted)) {
    addOwn(expected, span, chosenOf(span, chosen))
    addConventions(expected, span, chosenOf(span, chosen))
  }
  return expected.samples
}

function addOwn(expected: Expected, span: Decoded, chosen: Labels): void {
  const error_type = textOf(span['error_type'])
  const labels = {
    ...chosen,
    model: textOf(span['request_model']) || textOf(span['response_model']),
    provider: textOf(span['provider']),
    operation: textOf(span['operation']),
  }
  expected.add('llm_requests_total', { ...labels, status: error_type === '' ? 'ok' : 'error' }, 1n)
  if (error_type !== '') expected.add('llm_errors_total', { ...labels, error_type }, 1n)
  const cost = countOf(span, 'cost_pico_usd')
  if (cost !== null) expected.add('llm_cost_usd_total', labels, cost)
  const isUnpriced = span['price_status'] === 'unpriced'
  expected.add('llm_unpriced_requests_total', labels, isUnpriced ? 1n : 0n)
  const tokens = (type: string, ...fields: readonly string[]) => {
    const counts = fields.map((field) => countOf(span, field) ?? 0n)
    const sum = counts.reduce((total, count) => total + count, 0n)
    expected.add('llm_tokens_total', { ...labels, type }, sum)
  }
  tokens('input', 'input_tokens')
  tokens('output', 'output_tokens')
  tokens('cache_read', 'cache_read_tokens')
  tokens('cache_write', 'cache_write_5m_tokens', 'cache_write_1h_tokens')
  tokens('reasoning', 'reasoning_tokens')
  expected.observe('llm_request_duration_seconds', labels, countOf(span, 'duration_nano') ?? 0n)
  const first = countOf(span, 'time_to_first_token_nano')
  if (first !== null) expected.observe('llm_ttft_seconds', labels, first)
}

function addConventions(expected: Expected, span: Decoded, chosen: Labels): void {
  const error_type = textOf(span['error_type'])
  const labels = {
    ...chosen,
    gen_ai_operation_name: textOf(span['operation']),
    gen_ai_provider_name: textOf(span['provider']),
    gen_ai_request_model: textOf(span['request_model']),
    gen_ai_response_model: textOf(span['response_model']),
  }
  const duration = countOf(span, 'duration_nano') ?? 0n
  expected.observe('gen_ai_client_operation_duration_seconds', { ...labels, error_type }, duration)
  for (const type of ['input', 'output'] as const) {
    const tokens = countOf(span, `${type}_tokens`)
    const typed = { ...labels, gen_ai_token_type: type }
    if (tokens !== null) expected.observe('gen_ai_client_token_usage', typed, tokens)
  }
  const first = countOf(span, 'time_to_first_token_nano')
  if (first === null) return
  expected.observe('gen_ai_client_operation_time_to_first_chunk_seconds', labels, first)
  if (error_type !== '') return
  expected.observe('gen_ai_server_time_to_first_token_seconds', labels, first)
  const rest = Number(countOf(span, 'output_tokens') ?? 0n) - 1
  if (rest < 1 || duration < first) return
  const each = Math.round((Number(duration) - Number(first)) / rest)
  expected.observe('gen_ai_server_time_per_output_token_seconds', labels, BigInt(each))
}

/** Samples of the metric of scores. */
export function expectedOfEvaluations(
  evaluations: readonly Decoded[],
  chosen: readonly string[] = [],
): ReadonlyMap<string, bigint> {
  const expected = new Expected()
  for (const evaluation of evaluations) {
    const { score, model, use_case, dimension } = evaluation
    if (typeof score !== 'number') continue
    const labels = { model: textOf(model), use_case: textOf(use_case) }
    expected.observe(
      'llm_quality_score',
      { ...chosenOf(evaluation, chosen), ...labels, dimension: textOf(dimension) },
      BigInt(Math.round(score * 1e9)),
    )
  }
  return expected.samples
}
