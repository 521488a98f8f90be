import { REPEATS } from '#runtime/defaults.ts'
import type { RecordStore } from '#runtime/record-store.ts'
import type { RecordWriter } from '#runtime/records.ts'
import { deadLetterSender, readers, type Reader } from '#schemas/readers.ts'
import { alertState, deadLetters, evaluations, spans } from '#schemas/topics.ts'
import { deletableBefore } from './deletable.ts'
import type { HeldTopic } from './topic-scan.ts'

/** Records that hold something of the person and cannot go yet. */
export interface LeftRecords {
  readonly topic: string
  readonly records: number
  readonly why: string
  /** When Kafka removes them by itself, milliseconds since the epoch; undefined where it does not. */
  readonly untilMs: number | undefined
}

/** Clocks of brokers may be a little behind. */
const CLOCKS_MS = 30_000
/** Topics of which readers remember requests. */
const REMEMBERED = new Set([spans.name, evaluations.name, deadLetters.name])
const READERS: readonly Reader[] = [...Object.values(readers), deadLetterSender]
/** Groups of a worker that a pipeline may do without. */
const OPTIONAL = /^alert-/

/** Records from then on are remembered by readers, so that requests that are sent again count once. */
export function rememberedFromMs(nowMs: number): number {
  return nowMs - REPEATS.horizonMs - CLOCKS_MS
}

/** Removes from the topics what may go, and gives what stays although it holds something of the person. */
export async function removeRecords(
  store: RecordStore,
  writer: RecordWriter,
  held: readonly HeldTopic[],
): Promise<readonly LeftRecords[]> {
  const left: LeftRecords[] = []
  for (const each of held) {
    const more =
      each.topic.name === alertState.name
        ? await removeState(store, writer, each)
        : await removeFromTopic(store, each)
    left.push(...more)
  }
  return left
}

async function removeFromTopic(
  store: RecordStore,
  { topic, partitions }: HeldTopic,
): Promise<readonly LeftRecords[]> {
  const committed = await commitsOf(store, topic.name, [...partitions.keys()])
  const retentionMs = await store.retentionMs(topic.name)
  const before = new Map<number, bigint>()
  const left: LeftRecords[] = []
  for (const [partition, { last, firstRecent, records, newestMs, first }] of partitions) {
    const remembered = REMEMBERED.has(topic.name) ? firstRecent : undefined
    const ours = committed.map(({ group, offsets }) => ({
      group,
      committed: offsets.get(partition),
    }))
    const deletable = deletableBefore({ last, readers: ours, remembered })
    if (deletable.before > first) before.set(partition, deletable.before)
    if (deletable.why === undefined) continue
    const untilMs = retentionMs === undefined ? undefined : newestMs + retentionMs
    left.push({ topic: topic.name, records, why: deletable.why, untilMs })
  }
  await store.deleteBefore(topic.name, before)
  return left
}

/** Of each group that reads a topic the offsets that it has committed. */
async function commitsOf(store: RecordStore, topic: string, partitions: readonly number[]) {
  const found: { group: string; offsets: ReadonlyMap<number, bigint> }[] = []
  for (const { group } of READERS.filter((reader) => reader.topic === topic)) {
    const commits = await store.commits(group, topic, partitions)
    const offsets = new Map(
      [...commits].flatMap(([partition, commit]) =>
        commit === undefined ? [] : [[partition, commit.offset] as const],
      ),
    )
    const isUsed = offsets.size > 0 || !OPTIONAL.test(group) || (await store.hasMembers(group))
    if (isUsed) found.push({ group, offsets })
  }
  return found
}

/** Takes back what evaluators keep of the person, which is safe only while none of them runs. */
async function removeState(
  store: RecordStore,
  writer: RecordWriter,
  { topic, partitions }: HeldTopic,
): Promise<readonly LeftRecords[]> {
  const isRunning = await store.hasMembers(readers.evaluate.group)
  const left: LeftRecords[] = []
  for (const [partition, { keys, records }] of partitions) {
    const pieces = [...new Set(keys)].filter((key) => key.startsWith('['))
    if (!isRunning) {
      const headers = {}
      const value = Buffer.alloc(0)
      await writer.write(
        topic.name,
        pieces.map((key) => ({ partition, key: Buffer.from(key), value, headers })),
      )
    }
    const why = isRunning
      ? 'alert keeps them in memory: stop it, run this again, start it'
      : 'Kafka removes what was replaced when it next compacts the topic, after 10 minutes at least'
    left.push({ topic: topic.name, records, why, untilMs: undefined })
  }
  return left
}
