import type { ClickHouse } from '#runtime/clickhouse.ts'
import type { Alert } from '#schemas/items.ts'
import { encodeDeltas } from '../delta-batch.ts'
import { Evaluator } from '../evaluator.ts'
import type { Row } from '../facts.ts'
import { createRowFold } from '../fold.ts'
import type { RuleSet } from '../rule.ts'
import { readRows, readStart, type StoredSource, type TimeRange } from './history-rows.ts'

export interface BacktestOptions {
  readonly clickhouse: ClickHouse
  readonly rules: RuleSet
  /** Windows that end in this range are decided; what was before is read for baselines. */
  readonly range: TimeRange
  readonly grafanaUrl: string
  readonly onProgress: (timeMs: number, records: number) => void
  readonly signal: AbortSignal
}

export interface Backtest {
  readonly alerts: readonly Alert[]
  readonly records: number
}

/** Records of a source by the minute of their event times. */
interface Part {
  readonly source: StoredSource
  readonly minutes: ReadonlyMap<number, readonly Row[]>
}

const SOURCES: readonly StoredSource[] = ['spans', 'evaluations', 'dead_letters']
const MINUTE_MS = 60_000
/** Records of so much time are read from ClickHouse at once. */
const SLICE_MS = 10 * MINUTE_MS

/**
 * Puts the records of the past through the same evaluator as live ones, in the order of event time;
 * gives the changes of alerts that it makes in the range. Rules of the source `system` have no past.
 */
export async function backtest(options: BacktestOptions): Promise<Backtest> {
  const { clickhouse, rules, range, grafanaUrl, onProgress, signal } = options
  const evaluator = new Evaluator({ rules, idleMs: 0, grafanaUrl })
  const lookbackMs = Math.max(0, ...rules.series.map(({ retainMs }) => retainMs))
  const whole = { fromMs: Math.max(0, range.fromMs - lookbackMs), toMs: range.toMs }
  const firstMs = await readStart(clickhouse, whole)
  const alerts: Alert[] = []
  let records = 0
  const seen = new Set<StoredSource>()
  const startMs = Math.floor((firstMs ?? range.toMs) / SLICE_MS) * SLICE_MS
  for (let fromMs = startMs; fromMs < range.toMs; fromMs += SLICE_MS) {
    signal.throwIfAborted()
    const slice = { fromMs, toMs: Math.min(fromMs + SLICE_MS, range.toMs) }
    const parts = await readSlice(options, slice)
    for (let endMs = fromMs + MINUTE_MS; endMs <= slice.toMs + MINUTE_MS - 1; endMs += MINUTE_MS) {
      for (const { source, minutes } of parts) {
        const rows = minutes.get(endMs / MINUTE_MS - 1) ?? []
        records += rows.length
        if (rows.length === 0) continue
        seen.add(source)
        alerts.push(...applyRows(evaluator, rules, source, rows))
      }
      // All of the minute is there: nothing of it can come late.
      alerts.push(...reach(evaluator, seen, Math.min(endMs, slice.toMs), rules))
    }
    onProgress(slice.toMs, records)
  }
  const inRange = alerts.filter(
    ({ window_end_unix_nano: end }) => end > BigInt(range.fromMs) * 1_000_000n,
  )
  return { alerts: inRange, records }
}

async function readSlice(
  { clickhouse, rules }: BacktestOptions,
  slice: TimeRange,
): Promise<readonly Part[]> {
  const wanted = SOURCES.filter((source) => rules.series.some((one) => one.source === source))
  return Promise.all(
    wanted.map(async (source) => {
      const rows = await readRows(clickhouse, source, slice, rules.series)
      return {
        source,
        minutes: Map.groupBy(rows, ({ eventMs }) => Math.floor(eventMs / MINUTE_MS)),
      }
    }),
  )
}

/** Adds records without moving the time: only what fires early is decided. */
function applyRows(
  evaluator: Evaluator,
  { series }: RuleSet,
  source: StoredSource,
  rows: readonly Row[],
): readonly Alert[] {
  const fold = createRowFold(series, source)
  for (const row of rows) fold.addRow(row)
  const value = encodeDeltas(fold.drain().deltas)
  return evaluator.apply({ value, progress: undefined, silence: undefined })
}

/** Lets the time of the sources that had a record come to `timeMs`. */
function reach(
  evaluator: Evaluator,
  seen: ReadonlySet<StoredSource>,
  timeMs: number,
  { allowedLatenessMs }: RuleSet,
): readonly Alert[] {
  return [...seen].flatMap((source) =>
    evaluator.apply({
      value: encodeDeltas([]),
      progress: {
        source,
        partition: 0,
        partitions: 1,
        eventMs: timeMs + allowedLatenessMs,
        quietMs: undefined,
      },
      silence: undefined,
    }),
  )
}
