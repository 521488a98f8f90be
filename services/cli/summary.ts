import { exactUsd } from '#runtime/money.ts'
import type { ClickHouse } from '#runtime/clickhouse.ts'
import { readQuery } from '#runtime/queries.ts'
import { textTable } from '#runtime/text-table.ts'
import { type AlertsSummary, formatAlerts } from './alert-summary.ts'

/** What a model did, read from the rollups. */
export interface ModelSummary {
  readonly model: string
  readonly requests: number
  readonly errors: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** Decimal text, exact to 10^-12 USD; null where no call had a price. */
  readonly costUsd: string | null
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

/** What `npm start -- --json` prints as its last line. */
export interface Summary extends AlertsSummary {
  readonly sent: { readonly traces: number; readonly spans: number }
  readonly landed: { readonly spans: number }
  readonly models: readonly ModelSummary[]
  /** From the arrival of a span at ingest until it can be queried. */
  readonly freshnessMs: { readonly p50: number; readonly p95: number }
}

/** Counters of one model over a time range; they only grow, so two readings can be told apart. */
export interface ModelCounters {
  readonly requests: bigint
  readonly errors: bigint
  readonly priced: bigint
  readonly inputTokens: bigint
  readonly outputTokens: bigint
  readonly costPicoUsd: bigint
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

/** Seconds since the epoch: from inclusive, to exclusive. */
export interface TimeRange {
  readonly from: number
  readonly to: number
}

interface SummaryRow {
  readonly model: string
  readonly requests: string
  readonly errors: string
  readonly priced: string
  readonly input_tokens: string
  readonly output_tokens: string
  readonly cost_usd: string
  readonly p50_ms: number
  readonly p95_ms: number
  readonly p99_ms: number
}

/** Reads the counters of each model from the rollup per minute. */
export async function readModels(
  clickhouse: ClickHouse,
  range: TimeRange,
): Promise<ReadonlyMap<string, ModelCounters>> {
  const rows = await clickhouse.query<SummaryRow>(readQuery('summary_by_model'), { ...range })
  return new Map(
    rows.map((row) => [
      row.model,
      {
        requests: BigInt(row.requests),
        errors: BigInt(row.errors),
        priced: BigInt(row.priced),
        inputTokens: BigInt(row.input_tokens),
        outputTokens: BigInt(row.output_tokens),
        costPicoUsd: toPico(row.cost_usd),
        p50Ms: row.p50_ms,
        p95Ms: row.p95_ms,
        p99Ms: row.p99_ms,
      },
    ]),
  )
}

/** What was added between two readings, by model; percentiles are those of the later one. */
export function modelsSince(
  before: ReadonlyMap<string, ModelCounters>,
  after: ReadonlyMap<string, ModelCounters>,
): readonly ModelSummary[] {
  return [...after].flatMap(([model, now]) => {
    const then = before.get(model)
    const requests = now.requests - (then?.requests ?? 0n)
    if (requests === 0n) return []
    const isPriced = now.priced > (then?.priced ?? 0n)
    return [
      {
        model,
        requests: Number(requests),
        errors: Number(now.errors - (then?.errors ?? 0n)),
        inputTokens: Number(now.inputTokens - (then?.inputTokens ?? 0n)),
        outputTokens: Number(now.outputTokens - (then?.outputTokens ?? 0n)),
        costUsd: isPriced ? exactUsd(now.costPicoUsd - (then?.costPicoUsd ?? 0n)) : null,
        p50Ms: round(now.p50Ms),
        p95Ms: round(now.p95Ms),
        p99Ms: round(now.p99Ms),
      },
    ]
  })
}

/** Freshness of the spans that arrived from `since` (seconds since the epoch) on. */
export async function readFreshness(
  clickhouse: ClickHouse,
  range: TimeRange,
  since: number,
): Promise<Summary['freshnessMs']> {
  const query = readQuery('freshness')
  const [row] = await clickhouse.query<{ p50_ms: number; p95_ms: number }>(query, {
    ...range,
    since,
  })
  return { p50: round(row?.p50_ms ?? 0), p95: round(row?.p95_ms ?? 0) }
}

const PICO_DIGITS = 12

/** Decimal text of USD as pico-USD. Throws for what is no decimal number. */
export function toPico(usd: string): bigint {
  const [whole = '0', fraction = ''] = usd.split('.')
  return BigInt(whole + fraction.padEnd(PICO_DIGITS, '0').slice(0, PICO_DIGITS))
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}

const COLUMNS = [
  'model',
  'requests',
  'errors',
  'P50 ms',
  'P95 ms',
  'P99 ms',
  'tokens in',
  'tokens out',
  'USD',
]

/** The summary as a person reads it. */
export function formatSummary(summary: Summary): string {
  const { sent, landed, models, freshnessMs } = summary
  const rows = models.map((model) => [
    model.model,
    count(model.requests),
    count(model.errors),
    count(Math.round(model.p50Ms)),
    count(Math.round(model.p95Ms)),
    count(Math.round(model.p99Ms)),
    count(model.inputTokens),
    count(model.outputTokens),
    model.costUsd === null ? 'no price' : toCents(model.costUsd),
  ])
  const total = models.reduce(
    (sum, { costUsd }) => sum + (costUsd === null ? 0n : toPico(costUsd)),
    0n,
  )
  const exactly = landed.spans === sent.spans ? 'each exactly once' : 'NOT what was sent'
  return [
    `Sent ${count(sent.spans)} spans of ${count(sent.traces)} traces; landed ${count(landed.spans)}, ${exactly}.`,
    '',
    ...textTable([COLUMNS, ...rows], 1),
    '',
    `Spend ${toCents(exactUsd(total))} USD. From arrival to queryable: P50 ${freshnessMs.p50} ms, P95 ${freshnessMs.p95} ms.`,
    '',
    ...formatAlerts(summary),
  ].join('\n')
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}

function toCents(usd: string): string {
  const cents = (toPico(usd) + 5_000_000_000n) / 10_000_000_000n
  const digits = String(cents).padStart(3, '0')
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`
}
