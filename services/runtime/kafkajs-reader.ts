import { randomUUID } from 'node:crypto'
import {
  type Admin,
  AssignerProtocol,
  type Kafka as KafkaJs,
  type PartitionAssigner,
} from 'kafkajs'
import { classified } from './kafkajs-errors.ts'
import type { KeyedRecord } from './records.ts'

export interface ReadOptions {
  readonly client: KafkaJs
  readonly admin: Admin
  readonly topic: string
  readonly partition: number
  readonly onRecord: (record: KeyedRecord) => void
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
        for (const { offset, key, value } of batch.messages) {
          if (BigInt(offset) >= last) break
          onRecord({
            offset: BigInt(offset),
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
