import type { ClickHouse } from '#runtime/clickhouse.ts'
import { toDateTime64 } from '#runtime/iso-time.ts'
import { readQuery } from '#runtime/queries.ts'

/** Which dead letters are meant; undefined for any. Times are milliseconds since the epoch. */
export interface Choice {
  readonly worker: string | undefined
  readonly reason: string | undefined
  readonly tenant: string | undefined
  readonly fromMs: number | undefined
  readonly toMs: number | undefined
}

/** Dead letters that have worker, source, reason and tenant in common. */
export interface LetterGroup {
  readonly worker: string
  readonly source: string
  readonly reason: string
  readonly tenant: string
  readonly letters: number
  readonly firstTime: string
  readonly lastTime: string
  readonly lastDetail: string
}

/** A dead letter without its bytes. */
export interface LetterHead {
  readonly id: string
  readonly time: string
  readonly worker: string
  readonly source: string
  /** -1, as is the offset, for what came from no topic. */
  readonly partition: number
  readonly offset: string
  /** Number of the span within its record; -1: the whole record. */
  readonly index: number
  readonly reason: string
  readonly detail: string
  readonly format: string
  readonly tenant: string
  readonly bytes: number
}

export interface Letter extends LetterHead {
  readonly payload: Buffer
}

interface GroupRow {
  readonly worker: string
  readonly source: string
  readonly reason: string
  readonly tenant: string
  readonly letters: string
  readonly first_ms: string
  readonly last_ms: string
  readonly last_detail: string
}

interface HeadRow extends Omit<LetterHead, 'time' | 'bytes'> {
  readonly time_ms: string
  readonly bytes: string
}

/** ClickHouse's DateTime64 ends here, and so do times of spans. */
const LAST_MS = Date.UTC(2262, 0, 1)
/** Letters that are read at once hold no more than this, unless a single one does. */
const MAX_READ_BYTES = 8 * 1024 * 1024
const MAX_READ_LETTERS = 500

/** The choice by what its letters have in common, the newest cause first. */
export async function readGroups(
  clickhouse: ClickHouse,
  choice: Choice,
): Promise<readonly LetterGroup[]> {
  const rows = await clickhouse.query<GroupRow>(readQuery('dead_letters_groups'), paramsOf(choice))
  return rows.map((row) => ({
    worker: row.worker,
    source: row.source,
    reason: row.reason,
    tenant: row.tenant,
    letters: Number(row.letters),
    firstTime: toIso(row.first_ms),
    lastTime: toIso(row.last_ms),
    lastDetail: row.last_detail,
  }))
}

/** The newest letters of a choice. */
export async function readHeads(
  clickhouse: ClickHouse,
  choice: Choice,
  limit: number,
): Promise<readonly LetterHead[]> {
  const params = { ...paramsOf(choice), limit }
  const rows = await clickhouse.query<HeadRow>(readQuery('dead_letters_list'), params)
  return rows.map(toHead)
}

/** Letters by their names, the oldest first; names that there are none of are left out. */
export async function readLetters(
  clickhouse: ClickHouse,
  ids: readonly string[],
): Promise<readonly Letter[]> {
  const rows = await clickhouse.query<HeadRow & { readonly payload: string }>(
    readQuery('dead_letters_read'),
    { ids },
  )
  return rows.map(({ payload, ...row }) => ({
    ...toHead(row),
    payload: Buffer.from(payload, 'base64'),
  }))
}

/** Cuts letters into runs that are read at once. */
export function inReads(heads: readonly LetterHead[]): readonly (readonly LetterHead[])[] {
  const runs: LetterHead[][] = []
  let bytes = MAX_READ_BYTES
  for (const head of heads) {
    bytes += head.bytes
    const last = runs.at(-1)
    if (last === undefined || bytes > MAX_READ_BYTES || last.length === MAX_READ_LETTERS) {
      runs.push([head])
      bytes = head.bytes
    } else last.push(head)
  }
  return runs
}

function paramsOf({ worker = '', reason = '', tenant, fromMs = 0, toMs = LAST_MS }: Choice) {
  return {
    worker,
    reason,
    any_tenant: tenant === undefined,
    tenant: tenant ?? '',
    from: toDateTime64(fromMs),
    to: toDateTime64(toMs),
  }
}

function toHead({ time_ms: timeMs, bytes, ...row }: HeadRow): LetterHead {
  return { ...row, time: toIso(timeMs), bytes: Number(bytes) }
}

function toIso(timeMs: string): string {
  return new Date(Number(timeMs)).toISOString()
}
