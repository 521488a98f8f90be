import type { ClickHouse } from '#runtime/clickhouse.ts'
import { type Person, personParams } from './person.ts'
import { readOwnerships, readStatement } from './statements.ts'

/** Rows by table. */
export type Counts = Readonly<Record<string, number>>

/** Rounds of taking what lands meanwhile out of the totals by user. */
const MAX_FOLDS = 20

/** Takes note of the traces that rows name the person in, beside those that are noted. */
export async function noteTraces(clickhouse: ClickHouse, person: Person): Promise<void> {
  await run(clickhouse, 'erase_traces_find', person)
}

/** The ids of the traces that are noted. */
export async function notedTraces(
  clickhouse: ClickHouse,
  { hash }: Person,
): Promise<ReadonlySet<string>> {
  const rows = await clickhouse.query<{ trace_id: string }>(
    readStatement('erase_traces_list', { DATABASE: clickhouse.database }),
    { hash },
  )
  return new Set(rows.map((row) => row.trace_id))
}

/** Rows that are the person's, by table; empty tables are left out. */
export async function countOwned(clickhouse: ClickHouse, person: Person): Promise<Counts> {
  const counts: [string, number][] = []
  for (const { table, condition } of readOwnerships(clickhouse.database)) {
    counts.push([table, await countRows(clickhouse, person, table, condition)])
  }
  const own = readStatement('erase_user_condition', {})
  counts.push(['cost_by_user_1h', await countRows(clickhouse, person, 'cost_by_user_1h', own)])
  return Object.fromEntries(counts.filter(([, rows]) => rows > 0))
}

async function countRows(
  clickhouse: ClickHouse,
  person: Person,
  table: string,
  condition: string,
): Promise<number> {
  const sql = readStatement('erase_count', { DATABASE: clickhouse.database, TABLE: table })
  const [row] = await clickhouse.query<{ rows: string }>(
    `${sql} (${condition})`,
    personParams(person),
  )
  return Number(row?.rows ?? 0)
}

/**
 * Removes the person's rows, table by table, and gives how many there were. It may be stopped anywhere
 * and run again: the ids of traces are noted first, and what else tells whose a row is goes last.
 */
export async function removeOwned(
  clickhouse: ClickHouse,
  person: Person,
  note: { readonly id: string; readonly author: string },
): Promise<Counts> {
  const found = await countOwned(clickhouse, person)
  const { database } = clickhouse
  await clickhouse.command(readStatement('erase_note', { DATABASE: database }), {
    ...personParams(person),
    ...note,
  })
  for (const { table, condition } of readOwnerships(database)) {
    const rows = await countRows(clickhouse, person, table, condition)
    if (rows === 0) continue
    const sql = readStatement('erase_delete', { DATABASE: database, TABLE: table })
    const settings = readStatement('erase_settings', {})
    await clickhouse.command(`${sql} (${condition}) ${settings}`, personParams(person))
  }
  await run(clickhouse, 'erase_traces_clear', person)
  await run(clickhouse, 'erase_contributors_clear', person)
  await foldUser(clickhouse, person)
  return found
}

/**
 * Gives what the person added to the totals by user to nobody. Rows that add nothing are all that is
 * removed, so that no total changes, whatever lands meanwhile and wherever this is stopped.
 */
async function foldUser(clickhouse: ClickHouse, person: Person): Promise<void> {
  for (let round = 0; round < MAX_FOLDS; round++) {
    const days = await clickhouse.query<{ day: string }>(
      readStatement('erase_days', { DATABASE: clickhouse.database }),
      personParams(person),
    )
    if (days.length === 0) return
    for (const { day } of days) {
      for (const step of ['erase_fold', 'erase_fold_merge', 'erase_fold_clean']) {
        await run(clickhouse, step, person, { day })
      }
    }
  }
}

/** Forgets the ids of traces: nothing of the person is left to be found by them. */
export async function forgetTraces(clickhouse: ClickHouse, person: Person): Promise<void> {
  await run(clickhouse, 'erase_traces_forget', person)
}

/** Takes note of traces that records name the person in. */
export async function addTraces(
  clickhouse: ClickHouse,
  { hash }: Person,
  traces: readonly { readonly tenant: string; readonly traceId: string }[],
): Promise<void> {
  const sql = readStatement('erase_traces_add', { DATABASE: clickhouse.database })
  for (let from = 0; from < traces.length; from += MAX_ADDED) {
    const slice = traces.slice(from, from + MAX_ADDED)
    const tenants = slice.map(({ tenant }) => tenant)
    await clickhouse.command(sql, { hash, tenants, trace_ids: slice.map((t) => t.traceId) })
  }
}

/** Parameters travel in the address of a request, which is no longer than 1 MiB. */
const MAX_ADDED = 200

async function run(
  clickhouse: ClickHouse,
  name: string,
  person: Person,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const sql = readStatement(name, { DATABASE: clickhouse.database })
  await clickhouse.command(sql, { ...personParams(person), ...more })
}
