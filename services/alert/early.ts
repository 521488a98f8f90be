import { budgetPeriod } from './condition-budget.ts'
import { seriesOf } from './condition-series.ts'
import type { View } from './condition-view.ts'
import { evaluate } from './conditions.ts'
import type { Rule, Verdict } from './rule.ts'
import type { MachineState } from './state-machine.ts'
import { endAfter } from './window-ends.ts'

/**
 * The verdict of the first window that holds, of those that a record may have changed which came into
 * the last bucket before the view's end; undefined where none holds. Windows that are decided stay
 * decided, but for those of a budget.
 */
export function firstToHold(
  { condition, everyMs }: Rule,
  view: View,
  nextEndMs: number | undefined,
): Verdict | undefined {
  const { endMs, historyOf } = view
  const [series] = seriesOf(condition)
  const { firstMs = endMs, lastMs = endMs } = (series && historyOf(series)) ?? {}
  const openMs = nextEndMs ?? endAfter(firstMs, everyMs)
  const holding = (end: number) => {
    const verdict = evaluate(condition, { ...view, endMs: end })
    return verdict.holds === true ? verdict : undefined
  }
  // One before it may hold that nobody looked at, as the alert fired when its records came.
  const orEarlier = (fromMs: number, verdict: Verdict | undefined) => {
    const untilMs = verdict?.windowEndMs ?? fromMs
    for (let end = fromMs; end < untilMs; end += everyMs) {
      const earlier = holding(end)
      if (earlier !== undefined) return earlier
    }
    return verdict
  }
  if (condition.type !== 'budget') {
    return endMs < openMs ? undefined : orEarlier(openMs, holding(endMs))
  }
  const period = budgetPeriod(condition, view)
  // What comes after records of the next period may be what its own period was short of.
  const restMs = Math.min(lastMs, period.endMs)
  const found = holding(endMs) ?? (restMs > endMs ? holding(restMs) : undefined)
  return orEarlier(Math.max(openMs, endAfter(period.startMs, everyMs)), found)
}

/**
 * The state of a budget that fires for an earlier period than that of a record: it is not looked at
 * before its own period is over, and then must be until that of the record is.
 */
export function notePeriod({ condition }: Rule, state: MachineState, view: View): MachineState {
  const { period } = state
  if (condition.type !== 'budget' || period === null) return state
  const { startMs } = budgetPeriod(condition, view)
  if (startMs <= Math.max(period.startMs, period.nextMs ?? 0)) return state
  return { ...state, period: { ...period, nextMs: startMs } }
}
