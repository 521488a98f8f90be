import type { ClickHouse } from '#runtime/clickhouse.ts'
import { decimalText } from '#runtime/money.ts'
import { type PageFamily, type Sample, sampleKey } from '../support/exposition.ts'

/** What the metrics of calls and scores must be by the rows of ClickHouse, which does all the sums. */

/** Samples by their keys; values as decimal text without zeros at the end. */
export type Samples = ReadonlyMap<string, string>
type Row = Readonly<Record<string, string | number | null>>

const CALLS = "FROM spans WHERE price_status NOT IN ('not_applicable', 'nested')"
/** Labels, and the columns that they are. */
type Columns = Readonly<Record<string, string>>
const MODEL: Columns = {
  model: "if(request_model = '', response_model, request_model)",
  provider: 'provider',
  operation: 'operation',
}
const CONVENTION: Columns = {
  gen_ai_operation_name: 'operation',
  gen_ai_provider_name: 'provider',
  gen_ai_request_model: 'request_model',
  gen_ai_response_model: 'response_model',
}
const NANO_PLACES = 9

interface Histogram {
  readonly name: string
  /** Beside the tenant. */
  readonly labels: Columns
  readonly from: string
  /** A whole number of units, or null; and the decimal places of a unit. */
  readonly value: string
  readonly places: number
}

const first = 'time_to_first_token_nano'
const seconds = (name: string, labels: Columns, value: string, from = CALLS): Histogram => ({
  name,
  labels,
  from,
  value,
  places: NANO_PLACES,
})
const tokens = (type: string): Histogram => ({
  name: 'gen_ai_client_token_usage',
  labels: { ...CONVENTION, gen_ai_token_type: `'${type}'` },
  from: CALLS,
  value: `${type}_tokens`,
  places: 0,
})
const GOOD = `${CALLS} AND error_type = ''`
const HISTOGRAMS: readonly Histogram[] = [
  seconds('llm_request_duration_seconds', MODEL, 'duration_nano'),
  seconds('llm_ttft_seconds', MODEL, first),
  seconds(
    'gen_ai_client_operation_duration_seconds',
    { ...CONVENTION, error_type: 'error_type' },
    'duration_nano',
  ),
  seconds('gen_ai_client_operation_time_to_first_chunk_seconds', CONVENTION, first),
  seconds('gen_ai_server_time_to_first_token_seconds', CONVENTION, first, GOOD),
  seconds(
    'gen_ai_server_time_per_output_token_seconds',
    CONVENTION,
    `toInt64(floor((duration_nano - ${first}) / (output_tokens - 1) + 0.5))`,
    `${GOOD} AND output_tokens > 1 AND duration_nano >= ${first}`,
  ),
  tokens('input'),
  tokens('output'),
  seconds(
    'llm_quality_score',
    { model: 'model', use_case: 'use_case', dimension: 'dimension' },
    'toInt64(round(score * 1e9))',
    'FROM evaluations WHERE 1',
  ),
]

/** The samples that pages should have together; their own buckets are asked for. */
export async function sumsOfRows(
  clickhouse: ClickHouse,
  pages: readonly (readonly PageFamily[])[],
): Promise<Samples> {
  const found: Sample[] = [...(await callSums(clickhouse)), ...(await callCounts(clickhouse))]
  for (const histogram of HISTOGRAMS)
    found.push(...(await histogramSums(clickhouse, histogram, pages.flat())))
  return samplesByKey(found)
}

/** What a page says of calls and scores. */
export function sumsOfPage(page: readonly PageFamily[]): Samples {
  return samplesByKey(
    page.filter(({ name }) => /^(?:llm|gen_ai)_/.test(name)).flatMap(({ samples }) => samples),
  )
}

/** Sums of all pages: each worker tells of its share. */
export function addUp(pages: readonly Samples[]): Samples {
  const sums = new Map<string, bigint>()
  for (const [key, value] of pages.flatMap((page) => [...page])) {
    const [whole = '', fraction = ''] = value.split('.')
    sums.set(key, (sums.get(key) ?? 0n) + BigInt(whole + fraction.padEnd(12, '0')))
  }
  return new Map([...sums].map(([key, pico]) => [key, plain(decimalText(pico, 12))]))
}

function samplesByKey(samples: readonly Sample[]): Samples {
  return new Map(samples.map((sample) => [sampleKey(sample), plain(sample.value)]))
}

const plain = (value: string) => (value.includes('.') ? value.replace(/\.?0+$/, '') : value)

async function callSums(clickhouse: ClickHouse): Promise<readonly Sample[]> {
  const rows = await clickhouse.query<Row>(
    `SELECT ${columns(MODEL)}, countIf(price_status = 'unpriced') AS unpriced,
       countIf(price_status = 'priced') AS priced, toString(sum(toDecimal128(cost_usd, 12))) AS cost,
       sum(input_tokens) AS input, sum(output_tokens) AS output, sum(cache_read_tokens) AS cache_read,
       sum(cache_write_5m_tokens) AS written_5m, sum(cache_write_1h_tokens) AS written_1h,
       ifNull(written_5m, 0) + ifNull(written_1h, 0) AS cache_write, sum(reasoning_tokens) AS reasoning
     ${CALLS} GROUP BY tenant, model, provider, operation`,
  )
  return rows.flatMap((row) => {
    const labels = labelsOf(row, MODEL)
    const types = ['input', 'output', 'cache_read', 'cache_write', 'reasoning'].map((type) => ({
      name: 'llm_tokens_total',
      labels: { ...labels, type },
      value: String(row[type] ?? 0),
    }))
    const unpriced = { name: 'llm_unpriced_requests_total', labels, value: String(row['unpriced']) }
    const cost = { name: 'llm_cost_usd_total', labels, value: String(row['cost']) }
    return Number(row['priced']) === 0 ? [...types, unpriced] : [...types, unpriced, cost]
  })
}

async function callCounts(clickhouse: ClickHouse): Promise<readonly Sample[]> {
  const count = async (name: string, label: string, expression: string, from: string) => {
    const labels = { ...MODEL, [label]: expression }
    const rows = await clickhouse.query<Row>(
      `SELECT ${columns(labels)}, count() AS value ${from} GROUP BY ALL`,
    )
    return rows.map((row) => ({
      name,
      labels: labelsOf(row, labels),
      value: String(row['value']),
    }))
  }
  return [
    ...(await count('llm_requests_total', 'status', "if(error_type = '', 'ok', 'error')", CALLS)),
    ...(await count(
      'llm_errors_total',
      'error_type',
      'error_type',
      `${CALLS} AND error_type != ''`,
    )),
  ]
}

async function histogramSums(
  clickhouse: ClickHouse,
  { name, labels, from, value, places }: Histogram,
  families: readonly PageFamily[],
): Promise<readonly Sample[]> {
  const samples = families
    .filter((family) => family.name === name)
    .flatMap((family) => family.samples)
  const bounds = [...new Set(samples.flatMap((sample) => sample.labels['le'] ?? []))]
  const units = bounds
    .filter((le) => le !== '+Inf')
    .map((le) => Math.round(Number(le) * 10 ** places))
  const rows = await clickhouse.query<Row & { readonly buckets: readonly string[] }>(
    `SELECT ${columns(labels)}, count() AS times, toString(sum(${value})) AS total,
       sumForEach(arrayMap(bound -> toUInt64(assumeNotNull(${value}) <= bound), [${units.join(', ')}])) AS buckets
     ${from} AND isNotNull(${value}) GROUP BY ALL`,
  )
  return rows.flatMap((row) => {
    const own = labelsOf(row, labels)
    const counts = [...row.buckets.map(String), String(row['times'])]
    const total = BigInt(String(row['total']))
    return [
      ...counts.map((count, index) => ({
        name: `${name}_bucket`,
        labels: { ...own, le: bounds[index] ?? '' },
        value: count,
      })),
      { name: `${name}_count`, labels: own, value: String(row['times']) },
      {
        name: `${name}_sum`,
        labels: own,
        value: places === 0 ? String(total) : decimalText(total, places),
      },
    ]
  })
}

const columns = (labels: Columns) =>
  Object.entries({ tenant: 'tenant', ...labels })
    .map(([label, column]) => (label === column ? label : `${column} AS ${label}`))
    .join(', ')

const labelsOf = (row: Row, labels: Columns): Readonly<Record<string, string>> =>
  Object.fromEntries(['tenant', ...Object.keys(labels)].map((name) => [name, String(row[name])]))
