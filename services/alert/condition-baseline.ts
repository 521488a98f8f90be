import type { Span } from './calendar.ts'
import { compare, exactly, type Fraction, times, whole } from './condition-fraction.ts'
import { isExtensive, readMeasure, scaled, valueOf } from './condition-measure.ts'
import { isBeyond, toVerdict, type View } from './condition-view.ts'
import type { GroupHistory } from './history.ts'
import type { Baseline, Measure, Verdict } from './rule.ts'

type Trailing = Extract<Baseline['baseline'], { readonly type: 'trailing' }>

/**
 * Holds when the window's value is beyond so many times the baseline and not below the floor. Says
 * nothing without a baseline, nor with one below 0, of which no multiple means anything.
 */
export function evaluateBaseline(condition: Baseline, view: View): Verdict {
  const { measure, windowMs, direction, times: factor, resolveTimes, floor, baseline } = condition
  const window = { startMs: view.endMs - windowMs, endMs: view.endMs }
  const history = view.historyOf(measure.series)
  const { count, value } = readMeasure(measure, history, window.startMs, window.endMs)
  const usual =
    baseline.type === 'first'
      ? firstOf(measure, history, baseline.count)
      : trailingOf(measure, history, baseline, window)
  const threshold = usual === undefined ? undefined : times(exactly(factor), usual)
  const found = { value, threshold, baseline: usual, count, window, unit: measure.unit }
  const isKnown = count >= view.minCount && usual !== undefined && compare(usual, whole(0)) >= 0
  if (!isKnown || value === undefined || threshold === undefined) {
    return toVerdict({ ...found, holds: undefined })
  }
  const isQuiet = compare(value, exactly(floor)) < 0
  const resolveAt = times(exactly(resolveTimes), usual)
  return toVerdict({
    ...found,
    holds: !isQuiet && isBeyond(value, direction, threshold),
    isBack: isQuiet || !isBeyond(value, direction, resolveAt),
  })
}

/**
 * The measure over the period before the window. A sum or count is scaled from that part of the
 * period of which anything is known: a group that is two days old has spent nothing before only
 * because it was not there.
 */
function trailingOf(
  measure: Measure,
  history: GroupHistory | undefined,
  { overMs, warmupMs, minCount }: Trailing,
  window: Span,
): Fraction | undefined {
  const { startMs: toMs } = window
  if (history?.firstMs === undefined || history.coveredFromMs === undefined) return undefined
  const fromMs = Math.max(toMs - overMs, history.coveredFromMs)
  const coveredMs = toMs - fromMs
  const isWarm = toMs - history.firstMs >= warmupMs && coveredMs >= Math.min(warmupMs, overMs)
  if (!isWarm || coveredMs <= 0) return undefined
  const { count, value } = readMeasure(measure, history, fromMs, toMs)
  if (value === undefined || count < minCount) return undefined
  return isExtensive(measure.read) ? scaled(value, window.endMs - toMs, coveredMs) : value
}

/** Of a rate, the share of the first values that are bad; of all else, their mean. */
function firstOf(
  { series, read }: Measure,
  history: GroupHistory | undefined,
  count: number,
): Fraction | undefined {
  const first = history?.first(count)
  if (first === undefined) return undefined
  return valueOf(series, read.type === 'rate' ? read : { type: 'mean' }, first)
}
