import { toDateTime64 } from '#runtime/iso-time.ts'
import { type Change, readChanges, requireAllThere } from './changes.ts'
import { replaceMonths, type Shadow } from './shadow.ts'
import { dayRollups, rowViews } from './tables.ts'

export interface RebuildOptions {
  readonly day: string
  /** Sums may be less than they were. */
  readonly allowFewer: boolean
  /** Throws unless nothing lands: asked again before anything is replaced. */
  readonly requireRest: () => Promise<unknown>
  readonly say: (text: string) => void
  readonly signal: AbortSignal
}

export interface RebuildResult {
  readonly day: string
  readonly spans: number
  /** Tenants whose sums have changed. */
  readonly changes: readonly Change[]
}

const HOUR_MS = 3_600_000

/**
 * Makes the rollups of a day anew from the rows that there are of it. Can be cut off and run again at
 * any point: rows are not touched, and a table's day is replaced as a whole.
 */
export async function rebuildDay(shadow: Shadow, options: RebuildOptions): Promise<RebuildResult> {
  const { day, say } = options
  const spans = await fillFromRows(shadow, options)
  const changes = await readChanges(shadow, day)
  await requireAllThere(shadow, changes, options, day)
  await options.requireRest()
  options.signal.throwIfAborted()
  say(`Replacing the rollups of ${day}.`)
  for (const table of dayRollups) await shadow.replaceDays(table, [day])
  await replaceMonths(shadow, [day])
  return { day, spans, changes }
}

/** Puts the rows of a day where records arrive; gives the number of its spans. */
async function fillFromRows(shadow: Shadow, { day, say, signal }: RebuildOptions): Promise<number> {
  await shadow.leaveOut(rowViews)
  const hours = await shadow.ask<{ hour: number; spans: string }>('rebuild_hours', { day })
  const total = hours.reduce((sum, { spans }) => sum + Number(spans), 0)
  let done = 0
  for (const { hour, spans } of hours) {
    signal.throwIfAborted()
    const fromMs = hour * 1_000
    const [from, to] = [toDateTime64(fromMs), toDateTime64(fromMs + HOUR_MS)]
    await shadow.run('rebuild_spans', { from, to })
    done += Number(spans)
    say(`${day}: ${done.toLocaleString('en-US')} of ${total.toLocaleString('en-US')} spans.`)
  }
  signal.throwIfAborted()
  await shadow.run('rebuild_corrections', { day })
  await shadow.run('rebuild_evaluations', { day })
  return total
}
