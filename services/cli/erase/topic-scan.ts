import type { RecordStore } from '#runtime/record-store.ts'
import type { StoredRecord } from '#runtime/records.ts'
import { BatchError } from '#schemas/codec.ts'
import {
  alertDeliveries,
  alerts,
  alertState,
  type BatchTopic,
  deadLetters,
  deadLetterSends,
  enrichedSpans,
  evaluations,
  observations,
  priceCorrections,
  spanAggregates,
  spans,
  type Topic,
  topics,
} from '#schemas/topics.ts'
import { bytesHold, itemHolds, traceOf, type Wanted } from './record-holds.ts'

/** What a partition holds of the person. */
export interface HeldRecords {
  readonly records: number
  /** The first and the last of them. */
  readonly first: bigint
  readonly last: bigint
  /** When Kafka took the newest. */
  readonly newestMs: number
  /** The first record of the partition, theirs or not, that is younger than the memory of requests. */
  readonly firstRecent: bigint | undefined
  readonly keys: readonly string[]
}

/** What a topic holds of the person, by partition; partitions without any are left out. */
export interface HeldTopic {
  readonly topic: Topic
  readonly partitions: ReadonlyMap<number, HeldRecords>
}

/** Topics of batches; whatever lies in another topic is looked through as bytes. */
const BATCHES: readonly BatchTopic<object>[] = [
  spans,
  enrichedSpans,
  evaluations,
  priceCorrections,
  deadLetters,
  deadLetterSends,
  spanAggregates,
  alerts,
  alertDeliveries,
  alertState,
  observations,
]

/** The traces that records name the person in. */
export async function scanTraces(
  store: RecordStore,
  wanted: Wanted,
): Promise<readonly { readonly tenant: string; readonly traceId: string }[]> {
  const found = new Map<string, { readonly tenant: string; readonly traceId: string }>()
  const named: readonly BatchTopic<object>[] = [spans, enrichedSpans, priceCorrections]
  await store.readAll(
    named.map(({ name }) => name),
    (name, _, { value }) => {
      const topic = named.find((each) => each.name === name)
      for (const item of (topic === undefined ? [] : itemsOf(topic, value)) ?? []) {
        const trace = traceOf(item, wanted)
        if (trace !== undefined) found.set(`${trace.tenant}/${trace.traceId}`, trace)
      }
    },
  )
  return [...found.values()].filter(({ traceId }) => !wanted.traceIds.has(traceId))
}

/** Reads every record of every topic. `recentMs` is when the memory of requests begins. */
export async function scanTopics(
  store: RecordStore,
  wanted: Wanted,
  recentMs: number,
): Promise<readonly HeldTopic[]> {
  const scans = new Map(topics.map((topic) => [topic.name, createScan(topic, wanted, recentMs)]))
  await store.readAll([...scans.keys()], (topic, partition, record) =>
    scans.get(topic)?.see(partition, record),
  )
  return [...scans.values()]
    .map((scan) => scan.held())
    .filter(({ partitions }) => partitions.size > 0)
}

function batchHolds(topic: BatchTopic<object>, value: Buffer, wanted: Wanted): boolean {
  const items = itemsOf(topic, value)
  return items === undefined
    ? bytesHold(value, wanted)
    : items.some((item) => itemHolds(item, wanted))
}

/** Undefined for bytes that are no batch. */
function itemsOf(topic: BatchTopic<object>, value: Buffer): readonly object[] | undefined {
  try {
    return value.length === 0 ? [] : topic.codec.decode(value)
  } catch (error) {
    if (error instanceof BatchError) return undefined
    throw error
  }
}

interface Scan {
  readonly see: (partition: number, record: StoredRecord) => void
  readonly held: () => HeldTopic
}

function createScan(topic: Topic, wanted: Wanted, recentMs: number): Scan {
  const batch = BATCHES.find(({ name }) => name === topic.name)
  const partitions = new Map<number, HeldRecords>()
  const firstRecent = new Map<number, bigint>()
  return {
    see(partition, record) {
      const { offset, timeMs, value } = record
      if (timeMs >= recentMs && !firstRecent.has(partition)) firstRecent.set(partition, offset)
      const holds =
        batch === undefined ? bytesHold(value, wanted) : batchHolds(batch, value, wanted)
      if (holds) partitions.set(partition, withRecord(partitions.get(partition), record))
    },
    held: () => ({
      topic,
      partitions: new Map(
        [...partitions].map(([partition, held]) => [
          partition,
          { ...held, firstRecent: firstRecent.get(partition) },
        ]),
      ),
    }),
  }
}

function withRecord(
  before: HeldRecords | undefined,
  { offset, timeMs, key }: StoredRecord,
): HeldRecords {
  return {
    records: (before?.records ?? 0) + 1,
    first: before?.first ?? offset,
    last: offset,
    newestMs: Math.max(before?.newestMs ?? 0, timeMs),
    firstRecent: undefined,
    keys: key === '' ? (before?.keys ?? []) : [...(before?.keys ?? []), key],
  }
}
