import { quantileOfBins } from './bins.ts'
import { type Fraction, times, unitsOf, whole } from './condition-fraction.ts'
import type { GroupHistory, Totals } from './history.ts'
import type { Measure, Read } from './rule.ts'
import type { SeriesSpec } from './series.ts'

/** What was read over a stretch of time, in the unit that people read. */
export interface Reading {
  readonly count: number
  /** Undefined where there is no such value: the mean of nothing. */
  readonly value: Fraction | undefined
}

const NOTHING: Totals = { count: 0, bad: 0, sum: 0n }

/** Reads a measure from..to (exclusive); a group without history has no records. */
export function readMeasure(
  { series, read }: Measure,
  history: GroupHistory | undefined,
  fromMs: number,
  toMs: number,
): Reading {
  const totals = history?.totals(fromMs, toMs) ?? NOTHING
  if (read.type !== 'quantile') return { count: totals.count, value: valueOf(series, read, totals) }
  const units = quantileOfBins(history?.bins(fromMs, toMs) ?? [], read.q)
  if (units === null) return { count: totals.count, value: undefined }
  // A percentile is at most 1 % off: rounding it to a whole unit takes nothing from it.
  const value = { num: BigInt(Math.round(units)), den: unitsOf(series.value) }
  return { count: totals.count, value }
}

/** What totals say of a measure; a percentile is not among what they tell. */
export function valueOf(
  { value: field }: SeriesSpec,
  read: Exclude<Read, { readonly type: 'quantile' }>,
  { count, bad, sum }: Totals,
): Fraction | undefined {
  const units = unitsOf(field)
  switch (read.type) {
    case 'count':
      return whole(count)
    case 'sum':
      return { num: sum, den: units }
    case 'rate':
      return count > 0 ? { num: BigInt(bad), den: BigInt(count) } : undefined
    default:
      return count > 0 ? { num: sum, den: BigInt(count) * units } : undefined
  }
}

/** Whether a read grows with the time that it is read over. */
export function isExtensive({ type }: Read): boolean {
  return type === 'sum' || type === 'count'
}

/** What is read over one time as it would be over another, if it went on in the same way. */
export function scaled(value: Fraction, toMs: number, fromMs: number): Fraction {
  return times(value, { num: BigInt(Math.round(toMs)), den: BigInt(Math.round(fromMs)) })
}
