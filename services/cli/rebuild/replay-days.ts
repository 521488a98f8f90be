import type { Kafka } from '#runtime/kafka.ts'
import type { RecordStore } from '#runtime/record-store.ts'
import { type BatchTopic, enrichedSpans, evaluations, priceCorrections } from '#schemas/topics.ts'
import { type Change, readChanges, requireAllThere } from './changes.ts'
import { RebuildError } from './rebuild-error.ts'
import { replaceMonths, type Shadow } from './shadow.ts'
import type { Landed } from './sink-at-rest.ts'
import { dayRollups, dayRows } from './tables.ts'
import { readOldestTimes, replayTopic } from './topic-replay.ts'

export interface ReplayOptions {
  /** In order. */
  readonly days: readonly string[]
  readonly allowFewer: boolean
  readonly kafka: Kafka
  readonly store: Pick<RecordStore, 'ranges'>
  /** How far sink has come. */
  readonly landed: Landed
  /** Throws unless nothing has landed since: asked again before anything is replaced. */
  readonly requireRest: () => Promise<unknown>
  readonly say: (text: string) => void
  readonly signal: AbortSignal
}

/** What became of a day. */
export interface ReplayedDay {
  readonly day: string
  readonly changes: readonly Change[]
}

/** Clocks of senders may be ahead of the broker's by this much: their spans start after they arrive. */
const CLOCK_SKEW_MS = 3_600_000

/**
 * Makes rows and rollups of days anew from the records that Kafka still has. Can be cut off and run again
 * at any point: a table's day is replaced as a whole.
 */
export async function replayDays(
  shadow: Shadow,
  options: ReplayOptions,
): Promise<readonly ReplayedDay[]> {
  const { days, say, signal, requireRest } = options
  await requireRecords(options)
  await replay(shadow, enrichedSpans, 'spans_landing', options)
  await replay(shadow, priceCorrections, 'price_corrections_landing', options)
  await replay(shadow, evaluations, 'evaluations_landing', options)
  await shadow.run('replay_rows_table')
  const replayed: ReplayedDay[] = []
  for (const day of days) {
    await shadow.run('replay_rows', { day })
    const changes = await readChanges(shadow, day)
    await requireAllThere(shadow, changes, options, day)
    replayed.push({ day, changes })
  }
  await requireRest()
  signal.throwIfAborted()
  say(`Replacing rows and rollups of ${days.join(', ')}.`)
  for (const table of dayRows) {
    await shadow.replaceDays(table, days, table === 'spans' ? 'spans_priced' : table)
  }
  for (const table of dayRollups) await shadow.replaceDays(table, days)
  await replaceMonths(shadow, days)
  return replayed
}

async function replay<T>(
  shadow: Shadow,
  topic: BatchTopic<T>,
  table: string,
  { kafka, landed, say, signal }: ReplayOptions,
): Promise<void> {
  let read = 0
  await replayTopic({
    kafka,
    clickhouse: shadow.clickhouse,
    topic,
    table,
    until: landed.get(topic.name) ?? new Map(),
    onRead: (records) => (read += records),
    signal,
  })
  say(`${topic.name}: ${read.toLocaleString('en-US')} records read.`)
}

/** Throws RebuildError where Kafka has dropped records that may hold something of the days. */
async function requireRecords({ days, kafka, store, landed }: ReplayOptions): Promise<void> {
  const firstMs = Date.parse(days[0] ?? '') - CLOCK_SKEW_MS
  for (const { name } of [enrichedSpans, priceCorrections, evaluations]) {
    // What is gone without a trace is missed, if anything is, when sums are compared.
    const cut = [...(await store.ranges(name))].flatMap(([partition, { low, high }]) =>
      low > 0n && low < high && landed.get(name)?.has(partition) === true ? [partition] : [],
    )
    const oldest = await readOldestTimes(kafka, name, cut)
    const late = [...oldest].filter(([, timeMs]) => timeMs > firstMs)
    if (late.length === 0) continue
    const latestMs = Math.max(...late.map(([, timeMs]) => timeMs))
    throw new RebuildError(
      `Kafka no longer has all of ${days[0]}: it has records of ${name} from ` +
        `${new Date(latestMs).toISOString()} on. Nothing was changed. Later days can be replayed, and ` +
        'rollups be rebuilt from rows: npm run spanmeter -- rebuild --day',
    )
  }
}
