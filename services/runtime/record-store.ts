import type { KafkaConfig } from './config.ts'
import { createKafkaJs } from './kafka.ts'
import {
  deleteRecords,
  fetchCommits,
  fetchRanges,
  fetchRetentionMs,
  hasMembers,
  type OffsetRange,
} from './kafkajs-admin.ts'
import { classified } from './kafkajs-errors.ts'
import { readTopics } from './kafkajs-reader.ts'
import type { Logger } from './log.ts'
import type { Committed, StoredRecord } from './records.ts'

/** What lies in the topics, for those who look after it: no worker reads or removes this way. */
export interface RecordStore {
  /** First and next offset of each partition; none for a topic that is not there. */
  ranges(topic: string): Promise<ReadonlyMap<number, OffsetRange>>
  /** What a group committed for each of the partitions. */
  commits(
    group: string,
    topic: string,
    partitions: readonly number[],
  ): Promise<ReadonlyMap<number, Committed | undefined>>
  /** Whether somebody reads in the group at this moment. */
  hasMembers(group: string): Promise<boolean>
  /** How long records of a topic are kept; undefined for as long as they are not replaced. */
  retentionMs(topic: string): Promise<number | undefined>
  /** Reads all partitions of topics from their starts to the ends that they have now. */
  readAll(
    topics: readonly string[],
    onRecord: (topic: string, partition: number, record: StoredRecord) => void,
  ): Promise<void>
  /** Removes what lies before an offset of each partition: for all readers, for good. */
  deleteBefore(topic: string, offsets: ReadonlyMap<number, bigint>): Promise<void>
  close(): Promise<void>
}

/** Opens a cluster. Every method throws TransientError while Kafka cannot be reached. */
export async function openRecordStore(
  config: KafkaConfig,
  clientId: string,
  logger: Logger,
): Promise<RecordStore> {
  const client = createKafkaJs(config, clientId, logger)
  const name = (plain: string) => config.topicPrefix + plain
  const admin = client.admin()
  await classified(() => admin.connect())
  const known = new Set(await classified(() => admin.listTopics()))
  const ranges = async (topic: string): Promise<ReadonlyMap<number, OffsetRange>> =>
    known.has(name(topic)) ? fetchRanges(admin, name(topic)) : new Map()
  return {
    ranges,
    commits: (group, topic, partitions) =>
      fetchCommits(admin, name(group), name(topic), partitions),
    hasMembers: (group) => hasMembers(admin, name(group)),
    retentionMs: (topic) => fetchRetentionMs(admin, name(topic)),
    readAll: (topics, onRecord) =>
      readTopics({
        client,
        admin,
        topics: topics.map(name).filter((topic) => known.has(topic)),
        onRecord: (topic, partition, record) =>
          onRecord(topic.slice(config.topicPrefix.length), partition, record),
      }),
    deleteBefore: (topic, offsets) => deleteRecords(admin, name(topic), offsets),
    close: () => admin.disconnect(),
  }
}
