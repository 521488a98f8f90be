import { DateTime, IANAZone } from 'luxon'
import type { Period } from './rule.ts'
import { findChange, offsetMs, weekdayOf } from './time-zone.ts'

/** From startMs to endMs (exclusive), milliseconds since the epoch. */
export interface Span {
  readonly startMs: number
  readonly endMs: number
}

/** A day of a time zone: 23 or 25 hours where the clocks change. Days of a week are 1 (Monday) to 7. */
export interface Day extends Span {
  readonly weekday: number
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** No zone is further from UTC, so that local midnight lies within so long of midnight in UTC. */
const MAX_OFFSET_MS = 26 * HOUR_MS
/** Days whose starts are remembered, for each zone. */
const MAX_DAYS = 5_000

/**
 * Days and periods of time zones. It remembers when days start, as asking for a zone's offset takes
 * microseconds and rules ask the same for each group: use one for many questions.
 *
 * A day starts at the first instant of its date: at 1:00 where midnight is skipped, at the first of
 * two midnights where it is repeated. So days, and the periods made of them, never overlap.
 */
export class Calendar {
  readonly #starts = new Map<string, Map<number, number>>()
  /** The period that was asked for last, of each kind: many groups ask for the same. */
  readonly #periods = new Map<string, Span>()

  /** The period that contains the time. */
  periodOf(period: Period, timeMs: number): Span {
    const kind = `${period.unit} ${period.cycleDay} ${period.timeZone}`
    const last = this.#periods.get(kind)
    if (last !== undefined && last.startMs <= timeMs && timeMs < last.endMs) return last
    const found = this.#findPeriod(period, timeMs)
    this.#periods.set(kind, found)
    return found
  }

  #findPeriod({ unit, timeZone, cycleDay }: Period, timeMs: number): Span {
    if (unit === 'hour') return findHour(zoneOf(timeZone), timeMs)
    const date = this.#dateOf(timeZone, timeMs)
    const [first, next] = datesOf(unit, cycleDay, date)
    return { startMs: this.#startOf(timeZone, first), endMs: this.#startOf(timeZone, next) }
  }

  /** The day that contains the time, and so many days before it (negative) or after it. */
  dayOf(timeZone: string, timeMs: number, plusDays = 0): Day {
    const date = this.#dateOf(timeZone, timeMs) + plusDays
    return {
      startMs: this.#startOf(timeZone, date),
      endMs: this.#startOf(timeZone, date + 1),
      weekday: weekdayOf(date),
    }
  }

  /** The local date that contains the time, in days since 1970-01-01. */
  #dateOf(timeZone: string, timeMs: number): number {
    let date = Math.floor(timeMs / DAY_MS)
    while (timeMs < this.#startOf(timeZone, date)) date--
    while (timeMs >= this.#startOf(timeZone, date + 1)) date++
    return date
  }

  #startOf(timeZone: string, date: number): number {
    const starts = this.#starts.get(timeZone) ?? new Map<number, number>()
    this.#starts.set(timeZone, starts)
    const found = starts.get(date)
    if (found !== undefined) return found
    if (starts.size >= MAX_DAYS) starts.clear()
    const startMs = startOfDate(zoneOf(timeZone), date)
    starts.set(date, startMs)
    return startMs
  }
}

/** First date of the period that contains a date, and of the one after it. */
function datesOf(
  unit: 'day' | 'week' | 'month',
  cycleDay: number,
  date: number,
): readonly [number, number] {
  if (unit === 'day') return [date, date + 1]
  if (unit === 'week') {
    const first = date - ((weekdayOf(date) - cycleDay + 7) % 7)
    return [first, first + 7]
  }
  const day = DateTime.fromMillis(date * DAY_MS, { zone: 'utc' })
  const month = day.day >= cycleDay ? day : day.minus({ months: 1 })
  const first = month.set({ day: cycleDay })
  return [first.toMillis() / DAY_MS, first.plus({ months: 1 }).toMillis() / DAY_MS]
}

function zoneOf(timeZone: string): IANAZone {
  const zone = IANAZone.create(timeZone)
  if (!zone.isValid) throw new RangeError(`${timeZone} is no time zone`)
  return zone
}

function startOfDate(zone: IANAZone, date: number): number {
  const midnight = date * DAY_MS
  const [fromMs, toMs] = [midnight - MAX_OFFSET_MS, midnight + MAX_OFFSET_MS]
  const startMs = midnight - offsetMs(zone, fromMs)
  const changeMs = findChange(zone, fromMs, toMs)
  if (changeMs === undefined || startMs < changeMs) return startMs
  // Where midnight is skipped, the date starts as the clocks change.
  return Math.max(midnight - offsetMs(zone, toMs), changeMs)
}

/** The local hour, cut where the clocks change by less than an hour in its midst. */
function findHour(zone: IANAZone, timeMs: number): Span {
  const localMs = timeMs + offsetMs(zone, timeMs)
  const startMs = timeMs - (((localMs % HOUR_MS) + HOUR_MS) % HOUR_MS)
  const endMs = startMs + HOUR_MS
  return {
    startMs: findChange(zone, startMs, timeMs) ?? startMs,
    endMs: findChange(zone, timeMs, endMs - 1) ?? endMs,
  }
}
