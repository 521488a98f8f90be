/** A range of span starts: from inclusive, to exclusive, milliseconds since the epoch. */
export interface TimeRange {
  readonly fromMs: number
  readonly toMs: number
}

/** Calls that are read together, and how many there are. */
export interface Slice extends TimeRange {
  readonly calls: number
}

/** Calls that start in an hour; `hour` is its start in seconds since the epoch. */
export interface CallHour {
  readonly hour: number
  readonly calls: number
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/**
 * Cuts a range into the days (UTC) that have calls, and a day of more than `maxCalls` into its hours.
 * Parts never cross a midnight, nor reach out of the range.
 */
export function sliceRange(
  range: TimeRange,
  hours: readonly CallHour[],
  maxCalls: number,
): readonly Slice[] {
  const days = Map.groupBy(hours, ({ hour }) => Math.floor((hour * 1_000) / DAY_MS) * DAY_MS)
  return [...days].flatMap(([dayMs, ofDay]) => {
    const calls = ofDay.reduce((sum, hour) => sum + hour.calls, 0)
    if (calls <= maxCalls) return [cut(range, dayMs, DAY_MS, calls)]
    return ofDay.map((hour) => cut(range, hour.hour * 1_000, HOUR_MS, hour.calls))
  })
}

function cut({ fromMs, toMs }: TimeRange, startMs: number, lengthMs: number, calls: number): Slice {
  return { fromMs: Math.max(fromMs, startMs), toMs: Math.min(toMs, startMs + lengthMs), calls }
}

/** An hour more on either side, as far as a trace is looked at around its calls. */
export function widen({ fromMs, toMs }: TimeRange): TimeRange {
  return {
    fromMs: Math.max(0, Math.floor(fromMs / HOUR_MS) * HOUR_MS - HOUR_MS),
    toMs: Math.ceil(toMs / HOUR_MS) * HOUR_MS + HOUR_MS,
  }
}
