import { randomUUID } from 'node:crypto'
import type { Kafka } from '#runtime/kafka.ts'
import type { KafkaRecord } from '#runtime/records.ts'
import { Repeats } from '#runtime/repeats.ts'
import { BatchError } from '#schemas/codec.ts'
import type { BatchTopic } from '#schemas/topics.ts'

/** What a topic holds. */
export interface TopicItems<T> {
  /** What readers see, who drop what was written again. */
  readonly items: readonly T[]
  /** Records that were written again. */
  readonly repeats: number
}

/** Reads a topic of batches to the end that it has now, as readers do. What is no batch may be passed over. */
export async function readTopic<T>(
  kafka: Kafka,
  topic: BatchTopic<T>,
  { skipsUnreadable = false } = {},
): Promise<TopicItems<T>> {
  const group = `reader-${randomUUID()}`
  const left = new Map(
    [...(await kafka.lags(group, topic.name))].filter(([, records]) => records > 0n),
  )
  const read = new Map<number, KafkaRecord[]>()
  const done = Promise.withResolvers<void>()
  if (left.size === 0) done.resolve()
  const consumer = await kafka.consume({
    group,
    topic: topic.name,
    minBytes: 1,
    maxWaitMs: 100,
    maxBytesPerPartition: 1024 * 1024,
    onAssigned: () => undefined,
    onFatal: done.reject,
    onBatch: async ({ partition, records, nextOffset }) => {
      read.set(partition, [...(read.get(partition) ?? []), ...records])
      // Topics of tests keep all records, so that offsets begin at 0.
      if (nextOffset >= (left.get(partition) ?? 0n)) left.delete(partition)
      if (left.size === 0) done.resolve()
    },
  })
  try {
    await done.promise
  } finally {
    await consumer.stop()
  }
  const items: T[] = []
  let repeats = 0
  for (const records of read.values()) {
    const seen = new Repeats({ horizonMs: 0, maxRequests: 0 }, { sources: new Map() })
    for (const record of records) {
      if (seen.isRepeat(record)) repeats++
      else if (!skipsUnreadable || isBatch(topic, record))
        items.push(...topic.codec.decode(record.value))
    }
  }
  return { items, repeats }
}

function isBatch<T>(topic: BatchTopic<T>, { value }: KafkaRecord): boolean {
  try {
    topic.codec.decode(value)
    return true
  } catch (error) {
    if (error instanceof BatchError) return false
    throw error
  }
}
