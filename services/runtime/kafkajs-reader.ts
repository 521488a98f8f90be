import { randomUUID } from 'node:crypto'
import {
  type Admin,
  AssignerProtocol,
  type Kafka as KafkaJs,
  type PartitionAssigner,
} from 'kafkajs'
import { readerGroups } from '#schemas/readers.ts'
import { fetchRanges } from './kafkajs-admin.ts'
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
 * in groups: this one has a single member, which is given the partition by an assigner of its own.
 */
export async function readPartition(options: ReadOptions): Promise<void> {
  const { client, admin, topic, partition, onRecord } = options
  const range = (await fetchRanges(admin, topic)).get(partition)
  if (range === undefined) throw new Error(`the topic ${topic} has no partition ${partition}`)
  if (range.high <= range.low) return
  await readToEnds({
    client,
    assigners: [onePartition(topic, partition)],
    ends: new Map([[topic, new Map([[partition, range.high]])]]),
    onRecord: (_topic, _partition, record) => onRecord(record),
  })
}

type OnStoredRecord = (topic: string, partition: number, record: StoredRecord) => void

/** What to read whole: every partition of each topic. */
export interface ReadTopicsOptions {
  readonly client: KafkaJs
  readonly admin: Admin
  readonly topics: readonly string[]
  readonly onRecord: OnStoredRecord
}

/** Reads topics from their starts to the ends that they have when this is called. */
export async function readTopics(options: ReadTopicsOptions): Promise<void> {
  const { client, admin, topics, onRecord } = options
  const ends = await endsOf(admin, topics)
  if (ends.size > 0) await readToEnds({ client, ends, onRecord })
}

interface EndsOptions {
  readonly client: KafkaJs
  readonly assigners?: PartitionAssigner[]
  /** Where to stop in each partition, by topic; one at least, and each holds records. */
  readonly ends: ReadonlyMap<string, Map<number, bigint>>
  readonly onRecord: OnStoredRecord
}

/** Reads partitions to their ends in a group of one member, which commits nothing, so that Kafka forgets it. */
async function readToEnds(options: EndsOptions): Promise<void> {
  const { client, assigners, ends: left, onRecord } = options
  const topics = [...left.keys()]
  const consumer = client.consumer({
    groupId: `${readerGroups(topics[0] ?? '')}${randomUUID()}`,
    ...(assigners === undefined ? {} : { partitionAssigners: assigners }),
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
    await consumer.subscribe({ topics, fromBeginning: true })
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
    const full = [...(await fetchRanges(admin, topic))].filter(([, { low, high }]) => high > low)
    if (full.length === 0) continue
    found.set(topic, new Map(full.map(([partition, { high }]) => [partition, high])))
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
