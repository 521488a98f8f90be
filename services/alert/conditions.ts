import { evaluateBaseline } from './condition-baseline.ts'
import { budgetLookbackMs, evaluateBudget } from './condition-budget.ts'
import { evaluateBurn } from './condition-burn.ts'
import { exactly } from './condition-fraction.ts'
import { readMeasure } from './condition-measure.ts'
import { isBeyond, toVerdict, type View } from './condition-view.ts'
import type { All, Condition, Not, Threshold, Verdict } from './rule.ts'
import type { SeriesSpec } from './series.ts'

/**
 * What a condition says of one group at the end of one window. Pure: it reads the view alone.
 * Comparisons are exact and strict, but for a budget, which is reached at its limit.
 */
export function evaluate(condition: Condition, view: View): Verdict {
  switch (condition.type) {
    case 'threshold':
      return evaluateThreshold(condition, view)
    case 'baseline':
      return evaluateBaseline(condition, view)
    case 'burn':
      return evaluateBurn(condition, view)
    case 'budget':
      return evaluateBudget(condition, view)
    case 'all':
      return evaluateAll(condition, view)
    default:
      return evaluateNot(condition, view)
  }
}

/**
 * Fixes the first values of the group that baselines are made of, as far as the window's end is
 * passed: call it before each evaluate. Gives the series whose histories changed by it.
 */
export function freezeBaselines(condition: Condition, view: View): readonly SeriesSpec[] {
  switch (condition.type) {
    case 'all':
      return condition.conditions.flatMap((part) => freezeBaselines(part, view))
    case 'not':
      return freezeBaselines(condition.condition, view)
    case 'baseline': {
      const { baseline, measure } = condition
      if (baseline.type !== 'first') return []
      const history = view.historyOf(measure.series)
      return history?.freezeFirst(baseline.count, view.endMs) === true ? [measure.series] : []
    }
    default:
      return []
  }
}

/** How far before the end of a window a condition reads at most, milliseconds. */
export function lookbackMs(condition: Condition): number {
  switch (condition.type) {
    case 'threshold':
      return condition.windowMs
    case 'baseline': {
      const { baseline, windowMs } = condition
      return windowMs + (baseline.type === 'trailing' ? baseline.overMs : 0)
    }
    case 'burn':
      return Math.max(condition.longMs, condition.shortMs)
    case 'budget':
      return budgetLookbackMs(condition)
    case 'all':
      return Math.max(0, ...condition.conditions.map(lookbackMs))
    default:
      return lookbackMs(condition.condition)
  }
}

function evaluateThreshold(condition: Threshold, view: View): Verdict {
  const { measure, windowMs, direction, limit, resolveLimit } = condition
  const { endMs, minCount } = view
  const window = { startMs: endMs - windowMs, endMs }
  const history = view.historyOf(measure.series)
  const { count, value } = readMeasure(measure, history, window.startMs, endMs)
  const threshold = exactly(limit)
  const found = { value, threshold, count, window, unit: measure.unit }
  if (value === undefined || count < minCount) return toVerdict({ ...found, holds: undefined })
  return toVerdict({
    ...found,
    holds: isBeyond(value, direction, threshold),
    isBack: !isBeyond(value, direction, exactly(resolveLimit)),
  })
}

/** False if one of them is, whatever is known of the others; good as soon as one of them is. */
function evaluateAll({ conditions }: All, view: View): Verdict {
  const verdicts = conditions.map((condition) => evaluate(condition, view))
  const [first] = verdicts
  if (first === undefined) throw new RangeError('a condition of several has none')
  const isFalse = verdicts.some(({ holds }) => holds === false)
  const isTrue = verdicts.every(({ holds }) => holds === true)
  return {
    ...first,
    holds: isTrue || (isFalse ? false : undefined),
    isGood: verdicts.some(({ isGood }) => isGood),
  }
}

function evaluateNot({ condition }: Not, view: View): Verdict {
  const verdict = evaluate(condition, view)
  const holds = verdict.holds === undefined ? undefined : !verdict.holds
  return { ...verdict, holds, isGood: holds === false }
}
