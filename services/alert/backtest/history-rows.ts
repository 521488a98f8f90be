import type { ClickHouse } from '#runtime/clickhouse.ts'
import { toDateTime64 } from '#runtime/iso-time.ts'
import { readQuery } from '#runtime/queries.ts'
import type { Row } from '../facts.ts'
import { msOfNanos } from '../facts-time.ts'
import { type SeriesSpec, type Source, UNITS_PER_ONE } from '../series.ts'

/** Milliseconds since the epoch: from inclusive, to exclusive. */
export interface TimeRange {
  readonly fromMs: number
  readonly toMs: number
}

/** A source that history is kept of. */
export type StoredSource = Exclude<Source, 'system'>

type Stored = Readonly<Record<string, unknown>>

/** Event time of the first record in a range; undefined where there is none. */
export async function readStart(
  clickhouse: ClickHouse,
  range: TimeRange,
): Promise<number | undefined> {
  const sql = readQuery('backtest_start')
  const [row] = await clickhouse.query<{ first_ms: string }>(sql, parametersOf(range))
  const firstMs = Number(row?.first_ms ?? 0)
  return firstMs === 0 ? undefined : firstMs
}

/** Records of a source in the order of their event times, as series count them. */
export async function readRows(
  clickhouse: ClickHouse,
  source: StoredSource,
  range: TimeRange,
  series: readonly SeriesSpec[],
): Promise<readonly Row[]> {
  switch (source) {
    case 'spans': {
      const keys = attributeKeys(series)
      const rows = await clickhouse.query<Stored>(readQuery('backtest_spans'), {
        ...parametersOf(range),
        with_attributes: keys.length > 0,
      })
      return rows.map((row) => spanRow(row, keys))
    }
    case 'evaluations': {
      const sql = readQuery('backtest_evaluations')
      return (await clickhouse.query<Stored>(sql, parametersOf(range))).map(scoreRow)
    }
    default: {
      const sql = readQuery('backtest_dead_letters')
      const rows = await clickhouse.query<Stored>(sql, parametersOf(range))
      return rows.map((row) => ({ eventMs: msOf(row), traceId: '', texts: row, values: {} }))
    }
  }
}

function parametersOf({ fromMs, toMs }: TimeRange) {
  return { from: toDateTime64(fromMs), to: toDateTime64(toMs) }
}

const ATTRIBUTES = /^(attributes|resource)\.(.+)$/

/** Dimensions that are keys of a span's maps. */
function attributeKeys(series: readonly SeriesSpec[]): readonly string[] {
  const dimensions = series.flatMap(({ by, where, bad }) => [
    ...by,
    ...[...where, ...(bad?.matches ?? [])].map(({ dimension }) => dimension),
  ])
  return [...new Set(dimensions)].filter((dimension) => ATTRIBUTES.test(dimension))
}

function spanRow(row: Stored, keys: readonly string[]): Row {
  const receivedMs = msOfNanos(whole(row['received_time_unix_nano']) ?? 0n)
  const endNanos = whole(row['end_unix_nano']) ?? 0n
  const input = whole(row['input_tokens'])
  const output = whole(row['output_tokens'])
  const skew = endNanos - (whole(row['received_time_unix_nano']) ?? 0n)
  return {
    eventMs: Math.min(msOfNanos(endNanos), receivedMs),
    traceId: String(row['trace_id']),
    texts: { ...row, ...Object.fromEntries(keys.map((key) => [key, attribute(row, key)])) },
    values: {
      cost: whole(row['cost_pico_usd']),
      duration: whole(row['duration_nano']),
      ttft: whole(row['time_to_first_token_nano']),
      input_tokens: input,
      output_tokens: output,
      tokens: input === null && output === null ? null : (input ?? 0n) + (output ?? 0n),
      skew: skew > 0n ? skew : 0n,
    },
  }
}

function scoreRow(row: Stored): Row {
  const receivedMs = msOfNanos(whole(row['received_time_unix_nano']) ?? 0n)
  const score = row['score']
  return {
    eventMs: Math.min(msOf(row), receivedMs),
    traceId: String(row['trace_id']),
    texts: row,
    values: { score: typeof score === 'number' ? Math.round(score * UNITS_PER_ONE.score) : null },
  }
}

function msOf(row: Stored): number {
  return msOfNanos(whole(row['time_unix_nano']) ?? 0n)
}

function attribute(row: Stored, dimension: string): string {
  const [, map, key = ''] = ATTRIBUTES.exec(dimension) ?? []
  const entries: unknown = row[map === 'resource' ? 'resource_attributes' : 'attributes']
  const value: unknown =
    typeof entries === 'object' && entries !== null
      ? Object.entries(entries).find(([name]) => name === key)?.[1]
      : undefined
  return typeof value === 'string' ? value : ''
}

/** A 64-bit number, which ClickHouse gives as text. */
function whole(value: unknown): bigint | null {
  return typeof value === 'string' || typeof value === 'number' ? BigInt(value) : null
}
