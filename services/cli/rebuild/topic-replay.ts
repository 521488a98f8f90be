import { randomUUID } from 'node:crypto'
import type { ClickHouse } from '#runtime/clickhouse.ts'
import { ClickHouseError } from '#runtime/clickhouse-error.ts'
import { containerFile } from '#runtime/container-file.ts'
import { REPEATS } from '#runtime/defaults.ts'
import type { Kafka } from '#runtime/kafka.ts'
import type { KafkaRecord, RecordBatch } from '#runtime/records.ts'
import { Repeats } from '#runtime/repeats.ts'
import { BatchError } from '#schemas/codec.ts'
import type { BatchTopic } from '#schemas/topics.ts'
import { WireError } from '#schemas/wire.ts'

export interface TopicReplay<T> {
  readonly kafka: Pick<Kafka, 'consume'>
  readonly clickhouse: ClickHouse
  readonly topic: BatchTopic<T>
  /** Where the records of the topic arrive. */
  readonly table: string
  /** First offset of each partition that is not to be read. */
  readonly until: ReadonlyMap<number, bigint>
  /** Told of the records that have been read, of all there are. */
  readonly onRead: (records: number) => void
  readonly signal: AbortSignal
}

const FETCH = { minBytes: 1, maxWaitMs: 100, maxBytesPerPartition: 4 * 1024 * 1024 } as const
/** Bytes of one insert. */
const MAX_INSERT_BYTES = 20 * 1024 * 1024

/** A partition on its way. */
interface Progress {
  readonly repeats: Repeats
  readonly held: KafkaRecord[]
  heldBytes: number
  next: bigint
}

/**
 * Lands what a topic has, up to where sink had come, in tables that are empty: what sink passed over as a
 * repeat or as no batch is passed over here. Resolves when all of it is there.
 */
export async function replayTopic<T>(replay: TopicReplay<T>): Promise<void> {
  const { kafka, topic, until, signal } = replay
  const left = new Set([...until].flatMap(([partition, end]) => (end > 0n ? [partition] : [])))
  if (left.size === 0) return
  const progress = new Map<number, Progress>()
  const done = Promise.withResolvers<void>()
  const stop = () => done.reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  const consumer = await kafka.consume({
    group: `replay-${randomUUID()}`,
    topic: topic.name,
    ...FETCH,
    onAssigned: () => undefined,
    onFatal: done.reject,
    onBatch: async (batch) => {
      const { partition, nextOffset } = batch
      const end = until.get(partition) ?? 0n
      const state = progress.get(partition) ?? freshProgress()
      progress.set(partition, state)
      await takeIn(replay, state, batch, end)
      if (nextOffset < end) return
      await flush(replay, state)
      left.delete(partition)
      if (left.size === 0) done.resolve()
    },
  })
  try {
    await done.promise
  } finally {
    signal.removeEventListener('abort', stop)
    await consumer.stop()
  }
}

function freshProgress(): Progress {
  const repeats = new Repeats(REPEATS, { sources: new Map() })
  return { repeats, held: [], heldBytes: 0, next: 0n }
}

async function takeIn<T>(
  replay: TopicReplay<T>,
  state: Progress,
  { records }: RecordBatch,
  end: bigint,
): Promise<void> {
  for (const record of records) {
    // A batch that was read before comes again after a pause of the broker.
    if (record.offset < state.next || record.offset >= end) continue
    state.next = record.offset + 1n
    if (state.repeats.isRepeat(record)) continue
    if (state.heldBytes + record.value.length > MAX_INSERT_BYTES) await flush(replay, state)
    state.held.push(record)
    state.heldBytes += record.value.length
  }
  replay.onRead(records.length)
}

async function flush<T>(replay: TopicReplay<T>, state: Progress): Promise<void> {
  const records = state.held.splice(0)
  state.heldBytes = 0
  if (records.length === 0 || (await insert(replay, records))) return
  // One bad record spoils an insert; sink made a dead letter of it.
  for (const record of records) await insert(replay, [record])
}

/** False where ClickHouse, or the framing, finds the bytes wrong. */
async function insert<T>(
  { topic, table, clickhouse }: TopicReplay<T>,
  records: readonly KafkaRecord[],
): Promise<boolean> {
  try {
    const file = containerFile(
      topic.codec,
      records.map(({ value }) => value),
    )
    await clickhouse.insertAvro({ table, file, token: randomUUID() })
    return true
  } catch (error) {
    if (error instanceof BatchError || error instanceof WireError) return false
    if (error instanceof ClickHouseError && !error.transient) return false
    throw error
  }
}

/** Times of the oldest record of each of the partitions, which have one at least. */
export async function readOldestTimes(
  kafka: Pick<Kafka, 'consume'>,
  topic: string,
  partitions: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const times = new Map<number, number>()
  if (partitions.length === 0) return times
  const done = Promise.withResolvers<void>()
  const consumer = await kafka.consume({
    group: `replay-${randomUUID()}`,
    topic,
    ...FETCH,
    maxBytesPerPartition: 64 * 1024,
    onAssigned: () => undefined,
    onFatal: done.reject,
    onBatch: async ({ partition, records }) => {
      const [oldest] = records
      if (oldest !== undefined && !times.has(partition)) times.set(partition, oldest.timeMs)
      if (partitions.every((wanted) => times.has(wanted))) done.resolve()
    },
  })
  try {
    await done.promise
  } finally {
    await consumer.stop()
  }
  return times
}
