import type { ClickHouse } from '#runtime/clickhouse.ts'
import { toDateTime64 } from '#runtime/iso-time.ts'
import { readQuery } from '#runtime/queries.ts'

/** Which traces are asked for. Empty texts mean all. */
export interface TracesAsked {
  readonly fromMs: number
  readonly toMs: number
  readonly tenant: string
  readonly endpoint: string
  readonly limit: number
}

/** What makes a trace one of low quality: a score below a bound, by any or by some evaluators. */
export interface Judgement {
  readonly below: number
  /** Empty for all. */
  readonly evaluators: readonly string[]
}

/** A trace of a list, whatever it is listed for. */
export interface ListedTrace {
  readonly traceId: string
  readonly tenant: string
  /** ISO 8601. */
  readonly startedAt: string
  readonly endpoint: string
  readonly rootName: string
  readonly rootService: string
  readonly models: readonly string[]
  readonly durationMs: number
  readonly errors: number
  readonly llmCalls: number
  /** Of the calls with a price, as decimal text; null where no call has one. */
  readonly costUsd: string | null
  /** Calls that have no price. */
  readonly unpriced: number
}

/** A trace above the P95 of its endpoint. */
export interface SlowTrace extends ListedTrace {
  readonly p95Ms: number
  /** Time on the critical path by kind of span; adds up to the duration. */
  readonly pathMs: Readonly<Record<string, number>>
  readonly spans: number
  readonly firstErrorType: string
}

/** A trace with a low score. */
export interface LowQualityTrace extends ListedTrace {
  /** Null where the verdict came without a score. */
  readonly lowestScore: number | null
  readonly evaluator: string
  readonly label: string
  readonly explanation: string
  readonly scores: number
  readonly lowScores: number
  readonly prompts: readonly string[]
}

/** Traces that were found, and how many there are with those beyond the limit. */
export interface Found<Trace> {
  readonly traces: readonly Trace[]
  readonly total: number
}

/** What the traces in question share, against the rest. */
export interface Trait {
  readonly dimension: string
  readonly value: string
  readonly tracesIn: number
  readonly tracesOut: number
  readonly shareIn: number
  readonly shareOut: number
  /** Share among the traces in question by the share among all. */
  readonly lift: number
  readonly zScore: number
}

interface ListedRow {
  readonly trace_id: string
  readonly tenant: string
  readonly start_ms: string
  readonly endpoint: string
  readonly root_name: string
  readonly root_service: string
  readonly models: readonly string[]
  readonly duration_ms: number
  readonly errors: string
  readonly llm_calls: string
  readonly unpriced: string
  readonly cost_usd: string
  readonly total: string
}

interface SlowRow extends ListedRow {
  readonly p95_ms: number
  readonly path_ms: Readonly<Record<string, number>>
  readonly spans: string
  readonly first_error_type: string
}

interface LowQualityRow extends ListedRow {
  readonly lowest_score: number | null
  readonly evaluator: string
  readonly label: string
  readonly explanation: string
  readonly scores: string
  readonly low_scores: string
  readonly prompts: readonly string[]
}

interface TraitRow {
  readonly dimension: string
  readonly value: string
  readonly traces_in: string
  readonly traces_out: string
  readonly share_in: number
  readonly share_out: number
  readonly lift: number
  readonly z_score: number
}

/** A trait of fewer traces is chance; one with a lower z-score may be. */
const MIN_SUPPORT = 5
const MIN_Z = 3
const MAX_TRAITS = 12

/** The slowest of the slow traces. */
export async function readSlowTraces(
  clickhouse: ClickHouse,
  asked: TracesAsked,
): Promise<Found<SlowTrace>> {
  const rows = await clickhouse.query<SlowRow>(readQuery('traces_slow'), {
    ...paramsOf(asked),
    tenants: tenantsOf(asked),
  })
  const traces = rows.map((row) => ({
    ...listed(row),
    p95Ms: row.p95_ms,
    pathMs: row.path_ms,
    spans: Number(row.spans),
    firstErrorType: row.first_error_type,
  }))
  return { traces, total: Number(rows[0]?.total ?? 0) }
}

/** The worst of the traces of low quality. */
export async function readLowQualityTraces(
  clickhouse: ClickHouse,
  asked: TracesAsked,
  { below, evaluators }: Judgement,
): Promise<Found<LowQualityTrace>> {
  const rows = await clickhouse.query<LowQualityRow>(readQuery('traces_low_quality'), {
    ...paramsOf(asked),
    tenants: tenantsOf(asked),
    below,
    evaluators,
  })
  const traces = rows.map((row) => ({
    ...listed(row),
    lowestScore: row.lowest_score,
    evaluator: row.evaluator,
    label: row.label,
    explanation: row.explanation,
    scores: Number(row.scores),
    lowScores: Number(row.low_scores),
    prompts: row.prompts,
  }))
  return { traces, total: Number(rows[0]?.total ?? 0) }
}

/** What slow traces share, or, with a judgement, those of low quality. Endpoints are not looked at. */
export async function readTraits(
  clickhouse: ClickHouse,
  asked: TracesAsked,
  judgement?: Judgement,
): Promise<readonly Trait[]> {
  const sql = readQuery(judgement === undefined ? 'traits_slow' : 'traits_low_quality')
  const rows = await clickhouse.query<TraitRow>(sql, {
    ...paramsOf({ ...asked, limit: MAX_TRAITS }),
    tenants: tenantsOf(asked),
    min_support: MIN_SUPPORT,
    min_z: MIN_Z,
    ...judgement,
  })
  return rows.map((row) => ({
    dimension: row.dimension,
    value: row.value,
    tracesIn: Number(row.traces_in),
    tracesOut: Number(row.traces_out),
    shareIn: row.share_in,
    shareOut: row.share_out,
    lift: row.lift,
    zScore: row.z_score,
  }))
}

/** How many traces started in the range at all. */
export async function countTraces(clickhouse: ClickHouse, asked: TracesAsked): Promise<number> {
  const sql = readQuery('traces_started')
  const [row] = await clickhouse.query<{ traces: string }>(sql, paramsOf(asked))
  return Number(row?.traces ?? 0)
}

/** From when to when there are traces, to the hour, in ISO 8601; undefined where there are none. */
export async function readPresence(
  clickhouse: ClickHouse,
  tenant: string,
): Promise<{ readonly from: string; readonly to: string } | undefined> {
  const sql = readQuery('traces_present')
  const [row] = await clickhouse.query<{ from_s: string; to_s: string }>(sql, { tenant })
  return row && { from: iso(Number(row.from_s) * 1_000), to: iso(Number(row.to_s) * 1_000) }
}

/** As views take them: an empty list means all. */
function tenantsOf({ tenant }: TracesAsked): readonly string[] {
  return tenant === '' ? [] : [tenant]
}

function paramsOf({ fromMs, toMs, tenant, endpoint, limit }: TracesAsked) {
  return { from: toDateTime64(fromMs), to: toDateTime64(toMs), tenant, endpoint, limit }
}

function listed(row: ListedRow): ListedTrace {
  const unpriced = Number(row.unpriced)
  return {
    traceId: row.trace_id,
    tenant: row.tenant,
    startedAt: iso(Number(row.start_ms)),
    endpoint: row.endpoint,
    rootName: row.root_name,
    rootService: row.root_service,
    models: row.models,
    durationMs: row.duration_ms,
    errors: Number(row.errors),
    llmCalls: Number(row.llm_calls),
    costUsd: costOf(row.cost_usd, unpriced),
    unpriced,
  }
}

/** A sum of no priced call is not known to be 0. */
export function costOf(usd: string, unpriced: number): string | null {
  return unpriced > 0 && Number(usd) === 0 ? null : usd
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
