/**
 * Ports of the record loop: what it needs of Kafka, in Kafka's own words, without a client's types.
 */

/** A record as it was read. */
export interface KafkaRecord {
  readonly offset: bigint
  /** Milliseconds since the epoch: the broker's on topics with log-append time, else the producer's. */
  readonly timeMs: number
  readonly value: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** Records of one partition that were fetched together, in the order of their offsets. */
export interface RecordBatch {
  readonly partition: number
  readonly records: readonly KafkaRecord[]
  /** Offset after the last one in the fetch, records or not. */
  readonly nextOffset: bigint
  readonly highWatermark: bigint
}

/** A record to be written to a given partition. */
export interface NewRecord {
  readonly partition: number
  readonly key: Buffer | null
  /** Empty for a record without a value: in a compacted topic, its key is no longer needed. */
  readonly value: Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** A record of a compacted topic; one without a value says that its key is gone. */
export interface KeyedRecord {
  readonly offset: bigint
  readonly key: string
  readonly value: Buffer
}

/** A record as it lies in a topic; its time is Kafka's, see KafkaRecord. */
export interface StoredRecord extends KeyedRecord {
  readonly timeMs: number
}

/** Writes records, in order within a partition; resolves when all replicas in sync have them. */
export interface RecordWriter {
  write(topic: string, records: readonly NewRecord[]): Promise<void>
}

/** A committed offset and the text that was committed with it. */
export interface Committed {
  readonly offset: bigint
  readonly metadata: string
}

/** The consumer, as the loop sees it while it handles one batch. */
export interface BatchControl {
  /** Keeps the membership alive during long work. Throws LostPartitionError after a rebalance. */
  heartbeat(): Promise<void>
  /** Commits for this batch's partition. Throws LostPartitionError if it belongs to another by now. */
  commit(committed: Committed): Promise<void>
  /** What was committed last for this batch's partition. */
  committed(): Promise<Committed | undefined>
  /** Lets the next fetch start at `offset`, or at the first record where that is deleted. */
  seek(offset: bigint): void
}

/** The partition belongs to another member by now: what was under way must not be committed. */
export class LostPartitionError extends Error {
  override readonly name = 'LostPartitionError'
}

/** Something that may work later: a broker that is down, a leader that moves. */
export class TransientError extends Error {
  override readonly name = 'TransientError'
}

/** Kafka knows who this process is, and does not let it do this. */
export class NotAuthorizedError extends Error {
  override readonly name = 'NotAuthorizedError'
}
