import { Calendar, type Span } from './calendar.ts'
import { compare, exactly, type Fraction, times, whole } from './condition-fraction.ts'
import { readMeasure } from './condition-measure.ts'
import { toVerdict, type View } from './condition-view.ts'
import { PROFILE_DAYS, project } from './projection.ts'
import type { Budget, Period, Verdict } from './rule.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** By how much clocks that change may make a period longer. */
const CHANGE_MS = 2 * HOUR_MS
const LONGEST_MS: Readonly<Record<Period['unit'], number>> = {
  hour: HOUR_MS,
  day: DAY_MS + CHANGE_MS,
  week: 7 * DAY_MS + CHANGE_MS,
  month: 31 * DAY_MS + CHANGE_MS,
}

/**
 * Holds once the period has come to the part of the limit, or will have by its end. What is spent
 * already counts even where it is too early to project.
 */
export function evaluateBudget(condition: Budget, view: View): Verdict {
  const { measure, part, isProjected } = condition
  const { endMs, minCount } = view
  const { limit, period } = budgetOf(condition, view.group)
  const calendar = view.calendar ?? new Calendar()
  const span = calendar.periodOf(period, endMs - 1)
  const history = view.historyOf(measure.series)
  const { count, value: spent = whole(0) } = readMeasure(measure, history, span.startMs, endMs)
  const threshold = times(exactly(part), exactly(limit))
  const projected =
    isProjected && history !== undefined
      ? project({ measure, history, period, span, endMs, calendar }, spent)
      : undefined
  const isEarly = isProjected && projected === undefined
  const value = projected ?? spent
  const isReached = reaches(value, threshold)
  return toVerdict({
    holds: count < minCount || (isEarly && !isReached) ? undefined : isReached,
    value,
    threshold,
    baseline: exactly(limit),
    count,
    window: { startMs: span.startMs, endMs },
    unit: measure.unit,
  })
}

/** The whole period that a window's end is in; one that ends with the window is its. */
export function budgetPeriod(
  condition: Budget,
  { endMs, group, calendar = new Calendar() }: Pick<View, 'endMs' | 'group' | 'calendar'>,
): Span {
  return calendar.periodOf(budgetOf(condition, group).period, endMs - 1)
}

/** How far back it reads at most. */
export function budgetLookbackMs({ period, overrides, isProjected }: Budget): number {
  const units = [period, ...overrides.map((override) => override.period)].map(({ unit }) => unit)
  const longestMs = Math.max(...units.map((unit) => LONGEST_MS[unit]))
  const isProfiled = isProjected && units.some((unit) => unit !== 'hour')
  return isProfiled ? Math.max(longestMs, (PROFILE_DAYS + 1) * DAY_MS + CHANGE_MS) : longestMs
}

/** Nothing is within any budget, be it one of nothing. */
function reaches(value: Fraction, threshold: Fraction): boolean {
  return compare(value, threshold) >= 0 && compare(value, whole(0)) > 0
}

function budgetOf(
  { limit, period, overrides }: Budget,
  group: View['group'],
): { readonly limit: number; readonly period: Period } {
  const own = overrides.find(({ match }) =>
    Object.entries(match).every(([dimension, value]) => group[dimension] === value),
  )
  return own ?? { limit, period }
}
