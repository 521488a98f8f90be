import { parseParts } from '../support/cost-parts.ts'
import type { ClickHouse } from '#runtime/clickhouse.ts'
import type { PriceCorrection } from '#schemas/items.ts'
import { applyCorrections } from './corrected-spans.ts'
import type { EnrichedSpan } from './enriched-spans.ts'
import { measures, upperOf } from './histogram-measures.ts'

/** What a table must hold for given spans: sums per combination of dimensions. */
export interface Rollup {
  readonly table: string
  readonly takes: (span: EnrichedSpan) => boolean
  readonly dimensions: Readonly<Record<string, (span: EnrichedSpan) => string>>
  readonly sums: Readonly<Record<string, (span: EnrichedSpan) => bigint>>
}

const truth = (test: (span: EnrichedSpan) => boolean) => (span: EnrichedSpan) =>
  test(span) ? 1n : 0n
const isError = truth((span) => span.error_type !== '')
const isUnpriced = truth((span) => span.price_status === 'unpriced')
const one = () => 1n
const timeOf = (seconds: bigint) => (span: EnrichedSpan) =>
  String((span.start_time_unix_nano / (seconds * 1_000_000_000n)) * seconds)
const modelOf = (span: EnrichedSpan) => span.request_model || span.response_model

const byModel = {
  tenant: (span: EnrichedSpan) => span.tenant,
  kind: (span: EnrichedSpan) => span.kind,
  model: modelOf,
  provider: (span: EnrichedSpan) => span.provider,
  service: (span: EnrichedSpan) => span.service,
  operation: (span: EnrichedSpan) => span.operation,
  feature: (span: EnrichedSpan) => span.feature,
  endpoint: (span: EnrichedSpan) => span.endpoint,
  environment: (span: EnrichedSpan) => span.environment,
}

type Sum = (span: EnrichedSpan) => bigint

const NO_CALLS = new Set(['not_applicable', 'nested'])
/** Tokens and cost are of calls, each once: not of spans that are no call or repeat one below them. */
const isCounted = (span: EnrichedSpan) => !NO_CALLS.has(span.price_status)
/** Histograms hold what was a call when it landed, whatever corrections say of it since. */
const landedAsCall = (span: EnrichedSpan) =>
  !NO_CALLS.has(span.landed_price_status ?? span.price_status)
const counted =
  (value: (span: EnrichedSpan) => bigint | null): Sum =>
  (span) =>
    isCounted(span) ? (value(span) ?? 0n) : 0n

const tokenSums = {
  input_tokens: counted((span) => span.input_tokens),
  output_tokens: counted((span) => span.output_tokens),
}

const costSum = { cost_usd: (span: EnrichedSpan) => span.cost_pico_usd ?? 0n }
const isPriced = (span: EnrichedSpan) => span.price_status === 'priced'
const comparable =
  (value: (span: EnrichedSpan) => bigint | null): Sum =>
  (span) =>
    isPriced(span) && span.reported_cost_pico_usd !== null ? (value(span) ?? 0n) : 0n

const modelSums = {
  ...tokenSums,
  ...costSum,
  reported_cost_usd: comparable((span) => span.reported_cost_pico_usd),
  cost_of_reported_usd: comparable((span) => span.cost_pico_usd),
  requests: one,
  errors: isError,
  flagged: truth((span) => span.flags.length > 0),
  priced: truth(isPriced),
  unpriced: isUnpriced,
  cache_read_tokens: counted((span) => span.cache_read_tokens),
  cache_write_5m_tokens: counted((span) => span.cache_write_5m_tokens),
  cache_write_1h_tokens: counted((span) => span.cache_write_1h_tokens),
  reasoning_tokens: counted((span) => span.reasoning_tokens),
  input_audio_tokens: counted((span) => span.input_audio_tokens),
  output_audio_tokens: counted((span) => span.output_audio_tokens),
  duration_nano: (span: EnrichedSpan) => span.duration_nano,
  first_tokens: truth((span) => span.time_to_first_token_nano !== null),
}

const all = () => true

const { endpoint: _, ...byCall } = byModel
const { provider: _provider, operation: _operation, ...byFeature } = byCall
const isLlm = (span: EnrichedSpan) => span.kind === 'llm'

/** The count of each bucket of maps, the empty ones too. */
function ofBuckets(
  of: typeof measures,
  takes: (span: EnrichedSpan) => boolean,
): Readonly<Record<string, Sum>> {
  return Object.fromEntries(
    of.flatMap((measure) =>
      measure.uppers.map((upper) => [
        `${measure.column}[${upper}]`,
        truth((span) => takes(span) && upperOf(measure, span) === upper),
      ]),
    ),
  )
}

const histogramSums = { requests: one, ...ofBuckets(measures, all) }

/** Every table that an insert of spans reaches. */
export const rollups: readonly Rollup[] = [
  {
    table: 'spans',
    takes: all,
    dimensions: { span_id: (span) => span.span_id, trace_id: (span) => span.trace_id },
    sums: {
      ...costSum,
      'count()': one,
      input_tokens: (span) => span.input_tokens ?? 0n,
      output_tokens: (span) => span.output_tokens ?? 0n,
      reported_cost_usd: (span) => span.reported_cost_pico_usd ?? 0n,
      'length(flags)': (span) => BigInt(span.flags.length),
      'length(price_flags)': (span) => BigInt(span.price_flags.length),
      'arraySum(arrayMap(part -> part.cost_pico_usd, cost_parts))': (span) =>
        parseParts(span.cost_parts).reduce((sum, part) => sum + part.cost_pico_usd, 0n),
      duration_nano: (span) => span.duration_nano,
    },
  },
  {
    table: 'span_content',
    takes: (span) =>
      span.content_kept &&
      (span.prompt !== '' || span.completion !== '' || Object.keys(span.content ?? {}).length > 0),
    dimensions: { span_id: (span) => span.span_id, completion: (span) => span.completion },
    sums: { 'count()': one },
  },
  {
    table: 'requests_by_model_1m',
    takes: all,
    dimensions: { ...byModel, time: timeOf(60n) },
    sums: modelSums,
  },
  {
    table: 'requests_by_model_1h',
    takes: all,
    dimensions: { ...byModel, time: timeOf(3_600n) },
    sums: modelSums,
  },
  {
    table: 'errors_by_type_1m',
    takes: (span) => span.error_type !== '',
    dimensions: { ...byModel, time: timeOf(60n), error_type: (span) => span.error_type },
    sums: { errors: one },
  },
  {
    table: 'errors_by_type_1h',
    takes: (span) => span.error_type !== '',
    dimensions: { ...byModel, time: timeOf(3_600n), error_type: (span) => span.error_type },
    sums: { errors: one },
  },
  {
    table: 'histograms_by_model_1m',
    takes: landedAsCall,
    dimensions: { ...byCall, time: timeOf(60n) },
    sums: histogramSums,
  },
  {
    table: 'histograms_by_model_1h',
    takes: landedAsCall,
    dimensions: { ...byCall, time: timeOf(3_600n) },
    sums: histogramSums,
  },
  {
    table: 'calls_by_feature_1d',
    takes: (span) =>
      span.kind === 'llm' || span.price_status === 'unpriced' || (span.cost_pico_usd ?? 0n) !== 0n,
    dimensions: { ...byFeature, time: timeOf(86_400n) },
    sums: {
      ...costSum,
      ...ofBuckets(
        measures.filter(({ column }) => column === 'duration_buckets'),
        (span) => isLlm(span) && landedAsCall(span),
      ),
      unpriced: isUnpriced,
      requests: truth(isLlm),
      errors: truth((span) => isLlm(span) && span.error_type !== ''),
      cancelled: truth((span) => isLlm(span) && span.error_type === 'cancelled'),
      timed: truth((span) => isLlm(span) && landedAsCall(span)),
    },
  },
  {
    // Its minutes are those of landing: no span tells them.
    table: 'landings_1m',
    takes: all,
    dimensions: { "'all'": () => 'all' },
    sums: { spans: one },
  },
  {
    table: 'cost_by_user_1h',
    takes: isCounted,
    dimensions: {
      time: timeOf(3_600n),
      tenant: (span) => span.tenant,
      user: (span) => span.user,
      model: modelOf,
      feature: (span) => span.feature,
      team: (span) => span.team,
      environment: (span) => span.environment,
      cost_centre: (span) => span.cost_centre,
      user_tier: (span) => span.user_tier,
      prompt_id: (span) => span.prompt_id,
      prompt_version: (span) => span.prompt_version,
    },
    sums: { ...tokenSums, ...costSum, requests: one, errors: isError, unpriced: isUnpriced },
  },
  {
    table: 'traces',
    takes: all,
    dimensions: {
      tenant: (span) => span.tenant,
      trace_id: (span) => span.trace_id,
      hour: timeOf(3_600n),
    },
    sums: {
      ...tokenSums,
      ...costSum,
      spans: one,
      errors: isError,
      unpriced: isUnpriced,
      llm_calls: truth((span) => span.kind === 'llm'),
    },
  },
]

/** The rollup worked out from the spans themselves: dimensions and sums as text, one line a group. */
export function expectedRollup(rollup: Rollup, spans: readonly EnrichedSpan[]): readonly string[] {
  const groups = new Map<string, bigint[]>()
  const sums = Object.values(rollup.sums)
  for (const span of spans.filter((candidate) => rollup.takes(candidate))) {
    const key = Object.values(rollup.dimensions)
      .map((dimension) => dimension(span))
      .join('|')
    const before = groups.get(key)
    groups.set(
      key,
      sums.map((sum, index) => (before?.[index] ?? 0n) + sum(span)),
    )
  }
  return [...groups].map(([key, values]) => [key, ...values].join('|')).sort()
}

/**
 * The same from ClickHouse. Costs are in pico-USD; times in seconds since the epoch. A group whose
 * sums are all 0 is as good as none: corrections leave such ones.
 */
export async function actualRollup(
  clickhouse: ClickHouse,
  rollup: Rollup,
): Promise<readonly string[]> {
  const { table, dimensions, sums } = rollup
  const names = Object.keys(dimensions)
  const keys = names.map((name) =>
    name === 'time' || name === 'hour' ? `toUnixTimestamp(${name})` : name,
  )
  const values = Object.keys(sums).map((name) => {
    if (name === 'count()') return name
    if (!name.endsWith('_usd') || name.includes('(')) return `ifNull(sum(${name}), 0)`
    return `toInt128(ifNull(sum(${name}), 0) * 1000000000000)`
  })
  const columns = [...keys, ...values].map((column) => `toString(${column})`).join(`, '|', `)
  const rows = await clickhouse.query<{ line: string }>(
    `SELECT concat(${columns}) AS line FROM ${table} GROUP BY ${names.join(', ')}
     HAVING ${values.map((value) => `${value} != 0`).join(' OR ')}`,
  )
  return rows.map(({ line }) => line).sort()
}

/** What corrections do not reach: rows of spans are brought up to date apart from rollups. */
const UNCORRECTED = new Set(['spans', 'span_content'])

/** Every table's rollup worked out from the spans, with corrections applied in order, by table. */
export function expectedRollups(
  spans: readonly EnrichedSpan[],
  corrections: readonly PriceCorrection[] = [],
): Readonly<Record<string, readonly string[]>> {
  const corrected = applyCorrections(spans, corrections)
  return Object.fromEntries(
    rollups.map((rollup) => [
      rollup.table,
      expectedRollup(rollup, UNCORRECTED.has(rollup.table) ? spans : corrected),
    ]),
  )
}

/** The same from ClickHouse. */
export async function actualRollups(
  clickhouse: ClickHouse,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const tables: [string, readonly string[]][] = []
  for (const rollup of rollups) {
    tables.push([rollup.table, await actualRollup(clickhouse, rollup)])
  }
  return Object.fromEntries(tables)
}
