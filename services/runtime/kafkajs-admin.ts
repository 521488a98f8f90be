import type { Admin } from 'kafkajs'
import type { TopicSpec } from './kafka.ts'
import type { Committed } from './records.ts'

/** Makes the topics that are missing; gives their names. */
export async function ensureTopics(
  admin: Admin,
  topics: readonly TopicSpec[],
  name: (plain: string) => string,
): Promise<readonly string[]> {
  const existing = new Set(await admin.listTopics())
  const missing = topics.filter(({ topic }) => !existing.has(name(topic)))
  if (missing.length === 0) return []
  await admin.createTopics({
    waitForLeaders: true,
    topics: missing.map(({ topic, partitions, replicationFactor, config }) => ({
      topic: name(topic),
      numPartitions: partitions,
      replicationFactor,
      configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
    })),
  })
  return missing.map(({ topic }) => name(topic))
}

/** Records that a group has still to read, by partition. */
export async function lags(
  admin: Admin,
  group: string,
  topic: string,
): Promise<ReadonlyMap<number, bigint>> {
  const ends = await admin.fetchTopicOffsets(topic)
  const [committed] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
  return new Map(
    ends.map(({ partition, high, low }) => {
      const own = committed?.partitions.find((entry) => entry.partition === partition)
      const at = own === undefined || Number(own.offset) < 0 ? BigInt(low) : BigInt(own.offset)
      return [partition, BigInt(high) > at ? BigInt(high) - at : 0n]
    }),
  )
}

/** What a group committed last for a partition; undefined for nothing. */
export async function fetchCommitted(
  admin: Admin,
  groupId: string,
  topic: string,
  partition: number,
): Promise<Committed | undefined> {
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic] })
  const own = found?.partitions.find((entry) => entry.partition === partition)
  if (own === undefined || Number(own.offset) < 0) return undefined
  return { offset: BigInt(own.offset), metadata: own.metadata ?? '' }
}
