import { setTimeout as delay } from 'node:timers/promises'
import type { ClickHouse } from '#runtime/clickhouse.ts'
import type { RecordStore } from '#runtime/record-store.ts'
import type { RecordWriter } from '#runtime/records.ts'
import { drain } from './drain.ts'
import type { Person } from './person.ts'
import type { Wanted } from './record-holds.ts'
import {
  addTraces,
  type Counts,
  countOwned,
  forgetTraces,
  noteTraces,
  notedTraces,
  removeOwned,
} from './table-removal.ts'
import { type FoundColumn, searchLetters, searchTables } from './table-search.ts'
import { type LeftRecords, removeRecords, rememberedFromMs } from './topic-removal.ts'
import { type HeldTopic, scanTopics, scanTraces } from './topic-scan.ts'

/** What an erasure works on. */
export interface EraseParts {
  readonly clickhouse: ClickHouse
  readonly store: RecordStore
  readonly writer: RecordWriter
  readonly person: Person
  readonly author: string
  readonly freshId: () => string
  readonly now: () => number
  readonly tell: (message: string) => void
}

export interface EraseOptions {
  /** Whether to wait, for as long as it takes, until records may go that cannot yet. */
  readonly wait: boolean
  /** Whether rows go too that are another's and name the person in a text. */
  readonly mentions: boolean
}

/** What was, or would be, removed, and what is left. */
export interface EraseReport {
  /** Rows by table. */
  readonly rows: Counts
  /** Records by topic; those of others that lie before them go with them. */
  readonly records: Counts
  readonly leftRows: readonly {
    readonly table: string
    readonly column: string
    readonly rows: number
  }[]
  readonly leftRecords: readonly LeftRecords[]
  /** Groups that have not read what was there at the beginning. */
  readonly behind: readonly string[]
}

const DRAIN_MS = 60_000
const AGAIN_MS = 10_000
const LETTERS = 'dead_letters'

/** Counts what would go. Nothing is changed but the notes of the person's traces. */
export async function previewErasure(parts: EraseParts): Promise<EraseReport> {
  const { clickhouse, store, person } = parts
  await noteTraces(clickhouse, person)
  const wanted = await wantedBy(parts)
  const traceIds = new Set([
    ...wanted.traceIds,
    ...(await scanTraces(store, wanted)).map(({ traceId }) => traceId),
  ])
  const held = await scanTopics(store, { ...wanted, traceIds }, 0)
  const rows = await countOwned(clickhouse, person)
  const columns = await searchTables(clickhouse, person)
  await forgetTraces(clickhouse, person)
  return {
    rows,
    records: countRecords(held),
    leftRows: columns.map(({ table, column, rows: found }) => ({ table, column, rows: found })),
    leftRecords: [],
    behind: [],
  }
}

/**
 * Removes a person's data wherever it is kept, then looks everywhere for what is left. It may be stopped
 * anywhere, and run again: what is gone is found to be gone.
 */
export async function erase(parts: EraseParts, options: EraseOptions): Promise<EraseReport> {
  const { clickhouse, store, person, tell, now, author } = parts
  tell('Waiting until what lies in Kafka has landed.')
  const deadlineMs = options.wait ? Number.POSITIVE_INFINITY : now() + DRAIN_MS
  const behind = await drain(store, deadlineMs, now)
  tell('Looking for the traces.')
  await noteTraces(clickhouse, person)
  await addTraces(clickhouse, person, await scanTraces(store, await wantedBy(parts)))
  tell('Removing rows.')
  const rows = await removeOwned(clickhouse, person, { id: parts.freshId(), author })
  const found = await removeFound(parts, options)
  let records: Counts | undefined
  for (;;) {
    tell('Reading every record of every topic.')
    const wanted = await wantedBy(parts)
    const held = await scanTopics(store, wanted, rememberedFromMs(now()))
    records ??= countRecords(held)
    const told = await removeRecords(store, parts.writer, held)
    const after = await scanTopics(store, wanted, rememberedFromMs(now()))
    const leftRecords = leftOf(after, told)
    if (options.wait && leftRecords.length > 0) {
      tell(`Waiting: ${leftRecords.map(({ topic, why }) => `${topic}: ${why}`).join('; ')}.`)
      await delay(AGAIN_MS)
      continue
    }
    tell('Looking through every text of every table.')
    const leftRows = await searchLeft(parts)
    if (leftRows.length + leftRecords.length + behind.length === 0) {
      await forgetTraces(clickhouse, person)
    }
    return { rows: { ...rows, ...found }, records, leftRows, leftRecords, behind }
  }
}

async function wantedBy({ clickhouse, person }: EraseParts): Promise<Wanted> {
  return { ...person, traceIds: await notedTraces(clickhouse, person) }
}

/** Removes dead letters that hold something of the person, and, if that is asked for, what names them. */
async function removeFound(
  { clickhouse, person }: EraseParts,
  { mentions }: EraseOptions,
): Promise<Counts> {
  const columns = [
    ...(await searchLetters(clickhouse, person)),
    ...(await searchTables(clickhouse, person)),
  ].filter(({ table, isRemovable }) => isRemovable && (mentions || table === LETTERS))
  for (const { remove } of columns) await remove()
  const tables = Map.groupBy(columns, ({ table }) => table)
  // A row may be found by several of its columns.
  return Object.fromEntries(
    [...tables].map(([table, own]) => [table, Math.max(...own.map(({ rows }) => rows))]),
  )
}

async function searchLeft({ clickhouse, person }: EraseParts): Promise<EraseReport['leftRows']> {
  const found: readonly FoundColumn[] = [
    ...(await searchLetters(clickhouse, person)),
    ...(await searchTables(clickhouse, person)),
  ]
  const owned = Object.entries(await countOwned(clickhouse, person))
  return [
    ...owned.map(([table, rows]) => ({ table, column: 'user', rows })),
    ...found.map(({ table, column, rows }) => ({ table, column, rows })),
  ]
}

/** What is there after all, each with the reason that was told for its topic. */
function leftOf(after: readonly HeldTopic[], told: readonly LeftRecords[]): readonly LeftRecords[] {
  return after.map(({ topic, partitions }) => {
    const known = told.filter((each) => each.topic === topic.name)
    const until = known.flatMap(({ untilMs }) => untilMs ?? [])
    return {
      topic: topic.name,
      records: sumOf(partitions),
      why: known[0]?.why ?? 'they came meanwhile',
      untilMs: until.length === 0 ? undefined : Math.max(...until),
    }
  })
}

function countRecords(held: readonly HeldTopic[]): Counts {
  return Object.fromEntries(held.map(({ topic, partitions }) => [topic.name, sumOf(partitions)]))
}

function sumOf(partitions: HeldTopic['partitions']): number {
  return [...partitions.values()].reduce((sum, { records }) => sum + records, 0)
}
