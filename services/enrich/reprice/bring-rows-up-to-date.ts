import { setTimeout as delay } from 'node:timers/promises'
import type { ClickHouse } from '#runtime/clickhouse.ts'
import type { Progress } from './progress.ts'
import { RepriceError } from './reprice-error.ts'
import { readStatement } from './statements.ts'

/** Corrections that one query joins with their rows. */
const PAGE_CORRECTIONS = 100_000
/** Prices in ClickHouse's memory at once, about 300 bytes each; more make another update of the day. */
const MAX_PRICES = 1_000_000
const POLL_MS = 100
/** A failed update is tried again by ClickHouse; one that fails for this long is given up. */
const FAILING_MS = 30_000

/** Corrections of spans that started on a day, written 2026-01-31. */
export interface CorrectedDay {
  readonly day: string
  readonly corrections: number
}

export interface RowsOptions {
  readonly clickhouse: ClickHouse
  readonly progress: Progress
  readonly signal: AbortSignal
  readonly maxPrices?: number
}

/** Days and numbers of the corrections of a run that have landed. */
export async function readCorrectedDays(
  clickhouse: ClickHouse,
  job: string,
): Promise<readonly CorrectedDay[]> {
  const rows = await clickhouse.query<{ day: string; corrections: string }>(
    readStatement('reprice_landed', clickhouse.database),
    { job },
  )
  return rows.map(({ day, corrections }) => ({ day, corrections: Number(corrections) }))
}

/**
 * Gives the rows of spans the prices of their latest corrections, day by day. Can be cut off and
 * repeated at any point: only rows that differ are touched, and an update that an earlier run has left
 * under way is ended first. Gives the number of rows' prices it wrote.
 */
export async function bringRowsUpToDate(
  days: readonly CorrectedDay[],
  options: RowsOptions,
): Promise<number> {
  if (days.length === 0) return 0
  const { clickhouse, progress } = options
  const { database } = clickhouse
  const total = days.reduce((sum, { corrections }) => sum + corrections, 0)
  await clickhouse.command(readStatement('reprice_update_kill', database), { database })
  progress.start('rows', total)
  let updated = 0
  for (const day of days) {
    updated += await updateDay(day, options)
    progress.advance(day.corrections)
  }
  await clickhouse.command(readStatement('reprice_join_drop', database))
  progress.stop()
  return updated
}

/** Each round leaves fewer rows that differ, and the last one finds none. */
async function updateDay(
  { day, corrections }: CorrectedDay,
  options: RowsOptions,
): Promise<number> {
  const { clickhouse, signal, maxPrices = MAX_PRICES } = options
  const { database } = clickhouse
  const pages = Math.ceil(corrections / Math.min(PAGE_CORRECTIONS, maxPrices))
  let updated = 0
  for (let round = 0; round <= pages; round++) {
    await clickhouse.command(readStatement('reprice_join_create', database))
    let prices = 0
    for (let page = 0; page < pages && prices < maxPrices; page++) {
      signal.throwIfAborted()
      await clickhouse.command(readStatement('reprice_join_fill', database), { day, pages, page })
      prices = await countPrices(clickhouse)
    }
    if (prices === 0) return updated
    await clickhouse.command(readStatement('reprice_update', database), { day })
    await waitUntilUpdated(clickhouse, signal)
    updated += prices
  }
  throw new RepriceError(
    `Rows of ${day} still differ from their corrections after ${pages + 1} updates. ` +
      'The corrections have landed, and the rollups are right. Run this again.',
  )
}

async function countPrices(clickhouse: ClickHouse): Promise<number> {
  const query = readStatement('reprice_join_count', clickhouse.database)
  const [row] = await clickhouse.query<{ prices: string }>(query)
  return Number(row?.prices ?? 0)
}

async function waitUntilUpdated(clickhouse: ClickHouse, signal: AbortSignal): Promise<void> {
  const { database } = clickhouse
  const query = readStatement('reprice_update_state', database)
  let failingSinceMs: number | undefined
  for (;;) {
    const [state] = await clickhouse.query<{ updates: string; failure: string }>(query, {
      database,
    })
    if (state === undefined || Number(state.updates) === 0) return
    failingSinceMs = state.failure === '' ? undefined : (failingSinceMs ?? performance.now())
    if (failingSinceMs !== undefined && performance.now() - failingSinceMs > FAILING_MS) {
      throw new RepriceError(
        `ClickHouse cannot update the rows of spans: ${state.failure}. ` +
          'The corrections have landed, and the rollups are right. Mend it and run this again.',
      )
    }
    await delay(POLL_MS, undefined, { signal })
  }
}
