import type { Calendar, Span } from './calendar.ts'
import { type Fraction, whole } from './condition-fraction.ts'
import { readMeasure, scaled } from './condition-measure.ts'
import type { GroupHistory } from './history.ts'
import type { Measure, Period } from './rule.ts'

/** Full days that a profile is made of, at most and at least: each day of a week once. */
export const PROFILE_DAYS = 28
const MIN_PROFILE_DAYS = 7
const DAY_MS = 24 * 3_600_000
/** Without a profile, a tenth of the period, or a day, must have gone by. */
const MIN_ELAPSED_SHARE = 0.1
/** The least common multiple of how often a day of the week may be in a profile, 1 to 4 times. */
const PROFILE_PARTS = 12

export interface ProjectionView {
  /** A sum or count. */
  readonly measure: Measure
  readonly history: GroupHistory
  readonly period: Period
  /** The period that contains the millisecond before the end. */
  readonly span: Span
  readonly endMs: number
  readonly calendar: Calendar
}

/**
 * What a period will have come to by its end: what it has so far, and for each day that is left what
 * such a day of the week came to, on average, in up to four weeks before. Where less than a week is
 * known, or the period is an hour, it goes on as it did so far; undefined where that is too short.
 */
export function project(view: ProjectionView, spent: Fraction): Fraction | undefined {
  const { span, endMs, period } = view
  if (endMs >= span.endMs) return spent
  const profile = period.unit === 'hour' ? undefined : profileOf(view)
  if (profile === undefined) return projectPace(view, spent)
  const parts = BigInt(PROFILE_PARTS)
  let rest = 0n
  const today = view.calendar.dayOf(period.timeZone, endMs)
  const todayMs = BigInt(today.endMs - today.startMs)
  for (let plus = 0; ; plus++) {
    const day = view.calendar.dayOf(period.timeZone, endMs, plus)
    if (day.startMs >= span.endMs) break
    const leftMs = plus === 0 ? BigInt(today.endMs - endMs) : todayMs
    rest += (profile[day.weekday] ?? 0n) * leftMs
  }
  return {
    num: spent.num * parts * todayMs + rest,
    den: spent.den * parts * todayMs,
  }
}

/**
 * Twelve times the average of each day of the week, by its number, in the units that the measure is
 * summed in; undefined where fewer than seven full days are known.
 */
function profileOf(view: ProjectionView): readonly bigint[] | undefined {
  const { measure, history, endMs, period, calendar } = view
  const knownMs = history.coveredFromMs ?? endMs
  const sums = Array.from({ length: 8 }, () => ({ sum: 0n, days: 0 }))
  let days = 0
  for (; days < PROFILE_DAYS; days++) {
    const { startMs, endMs: dayEndMs, weekday } = calendar.dayOf(period.timeZone, endMs, -days - 1)
    if (startMs < knownMs) break
    const { value = whole(0) } = readMeasure(measure, history, startMs, dayEndMs)
    const own = sums[weekday]
    if (own === undefined) continue
    own.sum += value.num
    own.days++
  }
  if (days < MIN_PROFILE_DAYS) return undefined
  return sums.map(({ sum, days: count }) =>
    count === 0 ? 0n : sum * BigInt(PROFILE_PARTS / count),
  )
}

/** The period goes on as it did since the group is known. */
function projectPace(
  { history, span, endMs }: ProjectionView,
  spent: Fraction,
): Fraction | undefined {
  const sinceMs = Math.max(span.startMs, history.coveredFromMs ?? endMs)
  const elapsedMs = endMs - sinceMs
  const neededMs = Math.min((span.endMs - span.startMs) * MIN_ELAPSED_SHARE, DAY_MS)
  if (elapsedMs <= 0 || elapsedMs < neededMs) return undefined
  return scaled(spent, elapsedMs + span.endMs - endMs, elapsedMs)
}
