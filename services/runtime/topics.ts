import { topics } from '#schemas/topics.ts'
import { type Env, readVariables, wholeNumber } from './config.ts'
import type { Kafka, TopicSpec } from './kafka.ts'
import { NotAuthorizedError } from './records.ts'

/** Larger than the largest OTLP request, as one span may be as large as that. */
const MAX_MESSAGE_BYTES = 80 * 1024 * 1024
const HOUR_MS = 3_600_000
/**
 * What is replaced stays for a while (services/alert/state-log.ts), and no longer: all of a compacted
 * topic is read at a start.
 */
const COMPACTION = {
  'cleanup.policy': 'compact',
  'min.compaction.lag.ms': '300000',
  'segment.ms': '600000',
  'segment.bytes': String(64 * 1024 * 1024),
  'min.cleanable.dirty.ratio': '0.2',
} as const

/** The variables that say how topics are made. */
export const topicVariables = {
  SPANMETER_PARTITIONS: wholeNumber(1, 1_000)
    .default(4)
    .describe(
      'Partitions of each topic that is made: the most copies of a worker that share the work.',
    ),
  SPANMETER_REPLICATION_FACTOR: wholeNumber(1, 10)
    .default(1)
    .describe('Copies of each record, for topics that are made; 3 on a cluster.'),
  SPANMETER_TOPIC_RETENTION_HOURS: wholeNumber(1, 8_760)
    .default(168)
    .describe('How long records stay in topics that are made.'),
} as const

/** How each topic of the pipeline is made. */
export function topicSpecs(env: Env): readonly TopicSpec[] {
  const v = readVariables(topicVariables, env)
  return topics.map(({ name, logAppendTime, isCompacted = false }) => ({
    topic: name,
    partitions: v.SPANMETER_PARTITIONS,
    replicationFactor: v.SPANMETER_REPLICATION_FACTOR,
    config: {
      'max.message.bytes': String(MAX_MESSAGE_BYTES),
      ...(isCompacted
        ? COMPACTION
        : { 'retention.ms': String(v.SPANMETER_TOPIC_RETENTION_HOURS * HOUR_MS) }),
      'message.timestamp.type': logAppendTime ? 'LogAppendTime' : 'CreateTime',
    },
  }))
}

/** Number of partitions of a topic that must be there. Throws saying how to make it, or who may use it. */
export async function requirePartitions(kafka: Kafka, topic: string): Promise<number> {
  const partitions = await kafka.partitions(topic).catch((cause: unknown) => {
    if (!(cause instanceof NotAuthorizedError)) throw cause
    throw new Error(`This process may not use the topic ${kafka.name(topic)}. ${cause.message}`, {
      cause,
    })
  })
  if (partitions > 0) return partitions
  throw new Error(
    `Kafka has no topic ${kafka.name(topic)}. Make it with: npm run spanmeter -- setup`,
  )
}
