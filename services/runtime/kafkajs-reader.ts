import { randomUUID } from 'node:crypto'
import {
  type Admin,
  AssignerProtocol,
  type Kafka as KafkaJs,
  type PartitionAssigner,
} from 'kafkajs'
import { classified } from './kafkajs-errors.ts'
import type { StoredRecord } from './records.ts'

export interface ReadOptions {
  readonly client: KafkaJs
  readonly admin: Admin
  readonly topic: string
  readonly partition: number
  readonly onRecord: (record: StoredRecord) => void
}

const MAX_BYTES = 8 * 1024 * 1024

/**
 * Reads one partition from its start to the end that it has when this is called. kafkajs reads only
 * in groups: this one has a single member, is given the partition by an assigner of its own, and
 * commits nothing, so that Kafka forgets it.
 */
export async function readPartition(options: ReadOptions): Promise<void> {
  const { client, admin, topic, partition, onRecord } = options
  const ends = await classified(() => admin.fetchTopicOffsets(topic))
  const end = ends.find((entry) => entry.partition === partition)
  if (end === undefined) throw new Error(`the topic ${topic} has no partition ${partition}`)
  const last = BigInt(end.high)
  if (last <= BigInt(end.low)) return
  const consumer = client.consumer({
    groupId: `${topic}-reader-${randomUUID()}`,
    partitionAssigners: [onePartition(topic, partition)],
    maxBytesPerPartition: MAX_BYTES,
    maxBytes: MAX_BYTES,
    maxWaitTimeInMs: 100,
    allowAutoTopicCreation: false,
  })
  const done = Promise.withResolvers<void>()
  consumer.on('consumer.crash', ({ payload }) => {
    if (!payload.restart) done.reject(payload.error)
  })
  try {
    await classified(() => consumer.connect())
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const { offset, key, value, timestamp } of batch.messages) {
          if (BigInt(offset) >= last) break
          onRecord({
            offset: BigInt(offset),
            timeMs: Number(timestamp),
            key: key?.toString() ?? '',
            value: value ?? Buffer.alloc(0),
          })
        }
        if (BigInt(batch.lastOffset()) + 1n >= last) done.resolve()
      },
    })
    await classified(() => done.promise)
  } finally {
    await consumer.disconnect()
  }
}

/** What to read whole: every partition of each topic. */
export interface ReadTopicsOptions {
  readonly client: KafkaJs
  readonly admin: Admin
  readonly topics: readonly string[]
  readonly onRecord: (topic: string, partition: number, record: StoredRecord) => void
}

/**
 * Reads topics from their starts to the ends that they have when this is called, in one group of one
 * member, which commits nothing.
 */
export async function readTopics(options: ReadTopicsOptions): Promise<void> {
  const { client, admin, topics, onRecord } = options
  const left = await endsOf(admin, topics)
  const [first] = left.keys()
  if (first === undefined) return
  const consumer = client.consumer({
    groupId: `${first}-reader-${randomUUID()}`,
    maxBytesPerPartition: MAX_BYTES,
    maxBytes: MAX_BYTES,
    maxWaitTimeInMs: 100,
    allowAutoTopicCreation: false,
  })
  const done = Promise.withResolvers<void>()
  consumer.on('consumer.crash', ({ payload }) => {
    if (!payload.restart) done.reject(payload.error)
  })
  try {
    await classified(() => consumer.connect())
    await consumer.subscribe({ topics: [...left.keys()], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        const { topic, partition, messages } = batch
        const end = left.get(topic)?.get(partition)
        if (end === undefined) return
        for (const { offset, key, value, timestamp } of messages) {
          if (BigInt(offset) >= end) break
          onRecord(topic, partition, {
            offset: BigInt(offset),
            timeMs: Number(timestamp),
            key: key?.toString() ?? '',
            value: value ?? Buffer.alloc(0),
          })
        }
        if (BigInt(batch.lastOffset()) + 1n < end) return
        left.get(topic)?.delete(partition)
        if ([...left.values()].every((partitions) => partitions.size === 0)) done.resolve()
      },
    })
    await classified(() => done.promise)
  } finally {
    await consumer.disconnect()
  }
}

/** Ends of the partitions that hold records, by topic. */
async function endsOf(
  admin: Admin,
  topics: readonly string[],
): Promise<Map<string, Map<number, bigint>>> {
  const found = new Map<string, Map<number, bigint>>()
  for (const topic of topics) {
    const ends = await classified(() => admin.fetchTopicOffsets(topic))
    const full = ends.filter(({ low, high }) => BigInt(high) > BigInt(low))
    if (full.length === 0) continue
    found.set(topic, new Map(full.map(({ partition, high }) => [partition, BigInt(high)])))
  }
  return found
}

/** Gives every member that one partition. */
function onePartition(topic: string, partition: number): PartitionAssigner {
  const name = 'OnePartition'
  const version = 0
  const userData = Buffer.alloc(0)
  return () => ({
    name,
    version,
    assign: async ({ members }) =>
      members.map(({ memberId }) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version,
          assignment: { [topic]: [partition] },
          userData,
        }),
      })),
    protocol: ({ topics }) => ({
      name,
      metadata: AssignerProtocol.MemberMetadata.encode({ version, topics, userData }),
    }),
  })
}
