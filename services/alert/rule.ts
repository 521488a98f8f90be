import type { SeriesSpec, Source } from './series.ts'

export type Severity = 'info' | 'warning' | 'critical'

/** What is read of a series over a window. */
export type Read =
  | { readonly type: 'count' }
  /** Share of the records that are bad, 0 to 1. */
  | { readonly type: 'rate' }
  | { readonly type: 'sum' }
  | { readonly type: 'mean' }
  | { readonly type: 'quantile'; readonly q: number }

/** What a rule measures; values are in the unit that people read (UNITS_PER_ONE). */
export interface Measure {
  readonly series: SeriesSpec
  readonly read: Read
  /** USD, s, tokens, ratio, score or empty. */
  readonly unit: string
}

export type Direction = 'above' | 'below'

/** The value over a window, against a limit. */
export interface Threshold {
  readonly type: 'threshold'
  readonly measure: Measure
  readonly windowMs: number
  readonly direction: Direction
  readonly limit: number
  /** Once it fires, it holds until the value is back at this: hysteresis. */
  readonly resolveLimit: number
}

/**
 * The value over a window, against so many times its own baseline. A trailing baseline is the period
 * before the window: sums and counts are scaled to the window's length, other measures are read over
 * the period. `first` is the mean of the first so many values of the group, fixed from then on.
 */
export interface Baseline {
  readonly type: 'baseline'
  readonly measure: Measure
  readonly windowMs: number
  readonly direction: Direction
  readonly times: number
  readonly resolveTimes: number
  readonly baseline:
    | {
        readonly type: 'trailing'
        readonly overMs: number
        /** Silent until the group is known for this long. */
        readonly warmupMs: number
        readonly minCount: number
      }
    | { readonly type: 'first'; readonly count: number }
  /** Silent below this value (of the measure, in its unit), however small the baseline is. */
  readonly floor: number
}

/**
 * A burn rate: how many times faster than allowed an error budget is spent (Google SRE workbook,
 * chapter 5, "Multiwindow, Multi-Burn-Rate Alerts"). Holds when both windows are above the rate.
 */
export interface Burn {
  readonly type: 'burn'
  readonly measure: Measure
  /** Of a rate: the share that may be bad. Of a sum: the amount that may be spent in periodMs. */
  readonly allowed: number
  readonly periodMs: number
  readonly rate: number
  readonly longMs: number
  readonly shortMs: number
}

/** A period of the calendar in a time zone. */
export interface Period {
  readonly unit: 'hour' | 'day' | 'week' | 'month'
  /** IANA name. */
  readonly timeZone: string
  /** First day of a month's cycle, 1 to 28; of a week's, 1 (Monday) to 7. */
  readonly cycleDay: number
}

/** A sum or count since the start of the period, against a part of a limit. */
export interface Budget {
  readonly type: 'budget'
  readonly measure: Measure
  readonly limit: number
  /** Part of the limit: 0.5, 0.8, 1. */
  readonly part: number
  /** Compare what the period will have come to at its end. */
  readonly isProjected: boolean
  readonly period: Period
  /** Groups with a limit or a period of their own; the first that matches holds. */
  readonly overrides: readonly {
    readonly match: Readonly<Record<string, string>>
    readonly limit: number
    readonly period: Period
  }[]
}

/** All hold at once; evidence is that of the first. */
export interface All {
  readonly type: 'all'
  readonly conditions: readonly Condition[]
}
/** Does not hold. Where it cannot be said, neither can this. */
export interface Not {
  readonly type: 'not'
  readonly condition: Condition
}

export type Condition = Threshold | Baseline | Burn | Budget | All | Not

/** A stretch of time in which a rule tells nobody: once, or every week. */
export interface Maintenance {
  readonly name: string
  readonly timeZone: string
  /** Once: milliseconds since the epoch … */
  readonly fromMs?: number
  readonly untilMs?: number
  /** … or weekly: days 1 (Monday) to 7, minutes of the day; an end before the start is on the next day. */
  readonly days?: readonly number[]
  readonly fromMinute?: number
  readonly untilMinute?: number
}

/** One level of an alert rule, ready to be evaluated: what a rule file becomes. */
export interface Rule {
  /** Name, or name and level: `error-budget/14.4x`. Never changes meaning, as state is kept by it. */
  readonly id: string
  readonly name: string
  readonly level: string
  readonly severity: Severity
  readonly labels: Readonly<Record<string, string>>
  /** Templates, filled with values when the alert fires. */
  readonly summary: string
  readonly annotations: Readonly<Record<string, string>>
  readonly link: string
  /** The sources of its series; its time is that of the slowest. */
  readonly sources: readonly Source[]
  readonly by: readonly string[]
  readonly condition: Condition
  /** Length of a step: windows end at whole multiples of it. */
  readonly everyMs: number
  /** Windows in a row that must hold before it fires, and that must not before it resolves. */
  readonly forCount: number
  readonly resolveCount: number
  /** A window with fewer records says nothing. */
  readonly minCount: number
  /** What a window that says nothing does: counts as good, changes nothing, or counts as bad. */
  readonly noData: 'ok' | 'keep' | 'alert'
  /** A reminder while it fires, after this long; 0 for none. */
  readonly renotifyMs: number
  /** After so many firings within the time, it goes on firing until it was good for as long. */
  readonly flap: { readonly firings: number; readonly withinMs: number }
  readonly maintenance: readonly Maintenance[]
  /** Series by one dimension more than `by`, whose largest groups are the evidence. */
  readonly contributors?: SeriesSpec
  /** What later records cannot undo fires at once, before the watermark passes. */
  readonly isEarly: boolean
  /** Levels of the same rule that, firing for the same group, keep this one quiet. */
  readonly inhibitedBy: readonly string[]
}

/** All rules of a configuration. Several rules share a series where they count the same. */
export interface RuleSet {
  readonly rules: readonly Rule[]
  readonly series: readonly SeriesSpec[]
  /** How long after its event time a record may come and still be in time, milliseconds. */
  readonly allowedLatenessMs: number
}

/** What a condition says of one group at the end of one window. */
export interface Verdict {
  /** Undefined: nothing can be said, as there is too little data. */
  readonly holds: boolean | undefined
  /** Whether it is back to where a firing alert resolves; differs from !holds by the hysteresis. */
  readonly isGood: boolean
  readonly value: number | null
  readonly threshold: number | null
  readonly baseline: number | null
  readonly count: number
  readonly windowStartMs: number
  readonly windowEndMs: number
  readonly unit: string
}
