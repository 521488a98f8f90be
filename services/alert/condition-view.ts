import type { Calendar, Span } from './calendar.ts'
import { compare, type Fraction, toNumber } from './condition-fraction.ts'
import type { GroupHistory } from './history.ts'
import type { Direction, Verdict } from './rule.ts'
import type { SeriesSpec } from './series.ts'

/** What a condition is asked about: one group, at the end of one window. */
export interface View {
  readonly endMs: number
  /** A window with fewer records says nothing. */
  readonly minCount: number
  /** A value for each dimension of the rule. */
  readonly group: Readonly<Record<string, string>>
  /** The group's history in a series; undefined where it had no record. */
  readonly historyOf: (series: SeriesSpec) => GroupHistory | undefined
  /** One for all groups and windows, as it remembers what days of time zones are. */
  readonly calendar?: Calendar
}

/** What a condition found, before it is put into the words of a verdict. */
export interface Finding {
  readonly holds: boolean | undefined
  /** Where it is not the opposite of holding: whether it is past where it resolves. */
  readonly isBack?: boolean
  readonly value: Fraction | undefined
  readonly threshold: Fraction | undefined
  readonly baseline?: Fraction | undefined
  readonly count: number
  readonly window: Span
  readonly unit: string
}

export function toVerdict(finding: Finding): Verdict {
  const { holds, isBack = true, value, threshold, baseline, count, window, unit } = finding
  return {
    holds,
    isGood: holds === false && isBack,
    value: numberOf(value),
    threshold: numberOf(threshold),
    baseline: numberOf(baseline),
    count,
    windowStartMs: window.startMs,
    windowEndMs: window.endMs,
    unit,
  }
}

/** Strictly above or below. */
export function isBeyond(value: Fraction, direction: Direction, limit: Fraction): boolean {
  const order = compare(value, limit)
  return direction === 'above' ? order > 0 : order < 0
}

function numberOf(value: Fraction | undefined): number | null {
  return value === undefined ? null : toNumber(value)
}
