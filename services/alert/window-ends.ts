import { seriesOf } from './condition-series.ts'
import type { Histories } from './histories.ts'
import type { GroupHistory } from './history.ts'
import type { Rule } from './rule.ts'

/** The first end of a window after a time. */
export function endAfter(timeMs: number, everyMs: number): number {
  return Math.floor(timeMs / everyMs) * everyMs + everyMs
}

/** The first end of a window after the first record of any group; without records there is none. */
export function firstEnd(rules: readonly Rule[], histories: Histories, everyMs: number): number {
  let firstMs = Number.POSITIVE_INFINITY
  for (const series of rules.flatMap(({ condition }) => seriesOf(condition))) {
    for (const history of histories.groups(series).values()) {
      firstMs = Math.min(firstMs, history.firstMs ?? firstMs)
    }
  }
  return endAfter(firstMs, everyMs)
}

/** Whether a group has records from..to (exclusive). */
export function hasRecords(history: GroupHistory, fromMs: number, toMs: number): boolean {
  const { lastMs } = history
  if (lastMs === undefined || lastMs <= fromMs) return false
  return lastMs <= toMs || history.nextMs(fromMs, toMs) !== undefined
}
