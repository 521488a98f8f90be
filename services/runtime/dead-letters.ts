import type { DeadLetter } from '#schemas/items.ts'
import { deadLetters } from '#schemas/topics.ts'
import { formatSource, SOURCE_HEADER } from './checkpoint.ts'
import type { Chunk } from './record-loop.ts'
import type { KafkaRecord, NewRecord } from './records.ts'
import { toNanos } from './time.ts'

/** Bytes that could not be read, and why. */
export interface Rejected {
  /** Number of the span within its record; -1: the whole record. */
  readonly index: number
  /** Of low cardinality: it becomes a label of a metric. */
  readonly reason: string
  readonly detail: string
  readonly format: string
  readonly payload: Buffer
  /** Whom the key that it was sent with stands for; empty where that is not known. */
  readonly tenant: string
}

/** Header of a record of otlp_spans: the tenant of all of it, whatever its attributes say. */
export const TENANT_HEADER = 'tenant'
/** Header of a record of otlp_spans that holds no spans, and says what it holds instead. */
export const HOLDS_HEADER = 'holds'
/** Scores, as POST /v1/evaluations takes them. */
export const HOLDS_EVALUATIONS = 'evaluations'

/**
 * A record made from another: it goes to the partition with the input's number and carries the
 * input's position, so that a reader drops it when it is written again.
 */
export function recordFrom(
  { topic, partition }: Chunk,
  { offset }: KafkaRecord,
  { partitions, value, part }: { partitions: number; value: Buffer; part: number },
): NewRecord {
  const header = formatSource({ source: `${topic}/${partition}`, offset, part })
  return {
    partition: partition % partitions,
    key: null,
    value,
    headers: { [SOURCE_HEADER]: header },
  }
}

/** Where rejected bytes came from, and who rejected them when. */
export interface Origin {
  readonly worker: string
  readonly source: string
  /** -1, as is the offset, for what came from no topic. */
  readonly partition: number
  readonly offset: bigint
  readonly timeMs: number
}

/** The value of one record for `dead-letters`, with all that was rejected of one input. */
export function deadLetterBatch(origin: Origin, rejected: readonly Rejected[]): Buffer {
  const { timeMs, ...place } = origin
  const time = toNanos(timeMs)
  return deadLetters.codec.encode(
    rejected.map(({ index, reason, detail, format, payload, tenant }): DeadLetter => ({
      time_unix_nano: time,
      ...place,
      index,
      reason,
      detail,
      format,
      payload,
      tenant,
    })),
  )
}

/** One record for `dead-letters` with all that was rejected of one record. */
export function deadLetterRecord(
  { worker, partitions }: { worker: string; partitions: number },
  chunk: Chunk,
  record: KafkaRecord,
  rejected: readonly Rejected[],
): NewRecord {
  const { topic: source, partition } = chunk
  const { offset, timeMs } = record
  const value = deadLetterBatch({ worker, source, partition, offset, timeMs }, rejected)
  return recordFrom(chunk, record, { partitions, value, part: 0 })
}
