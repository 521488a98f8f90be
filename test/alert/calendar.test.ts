import { describe, expect, test } from 'vitest'
import { Calendar, type Span } from '../../services/alert/calendar.ts'
import type { Period } from '../../services/alert/rule.ts'

const QUARTER = 15 * 60_000
const HOUR = 4 * QUARTER
const DAY = 24 * HOUR
const at = (iso: string): number => Date.parse(iso)
const periodOf = (period: Period, timeMs: number): Span => new Calendar().periodOf(period, timeMs)

interface Local {
  readonly timeMs: number
  /** Days since 1970 of the local date. */
  readonly date: number
  readonly hour: number
  readonly minute: number
}

/** What the clocks of a zone show, each quarter of an hour of a time. */
function clocks(timeZone: string, fromMs: number, toMs: number): readonly Local[] {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
  const all: Local[] = []
  for (let timeMs = fromMs; timeMs < toMs; timeMs += QUARTER) {
    const parts = format.formatToParts(timeMs)
    const part = (type: string) => Number(parts.find((p) => p.type === type)?.value)
    const date = Date.UTC(part('year'), part('month') - 1, part('day')) / DAY
    all.push({ timeMs, date, hour: part('hour'), minute: part('minute') })
  }
  return all
}

/** What all times of one period have in common. */
function nameOf({ unit, cycleDay }: Period, { timeMs, date, hour, minute }: Local): string {
  if (unit === 'hour') {
    const offset = date * DAY + hour * HOUR + minute * 60_000 - timeMs
    return `${date} ${hour} ${offset}`
  }
  if (unit === 'day') return `${date}`
  if (unit === 'week') {
    const weekday = new Date(date * DAY).getUTCDay() || 7
    return `${weekday >= cycleDay ? date - weekday + cycleDay : date - weekday + cycleDay - 7}`
  }
  const day = new Date(date * DAY)
  const isBefore = day.getUTCDate() < cycleDay
  return `${day.getUTCFullYear() * 12 + day.getUTCMonth() - (isBefore ? 1 : 0)}`
}

interface Run {
  readonly startMs: number
  readonly endMs: number
}

/** Periods of a year that are whole, by looking at every quarter of an hour. */
function runsOf(period: Period, locals: readonly Local[]): readonly Run[] {
  const starts = locals.filter((local, i) => {
    const before = locals[i - 1]
    return before !== undefined && nameOf(period, before) !== nameOf(period, local)
  })
  return starts.flatMap(({ timeMs }, i) => {
    const next = starts[i + 1]
    return next === undefined ? [] : [{ startMs: timeMs, endMs: next.timeMs }]
  })
}

const ZONES: readonly (readonly [zone: string, year: number, why: string])[] = [
  ['UTC', 2024, 'never changes'],
  ['America/New_York', 2026, 'changes at 2:00'],
  ['Europe/Berlin', 2025, 'changes at 1:00 UTC'],
  ['America/Sao_Paulo', 2018, 'skips midnight'],
  ['America/Santiago', 2023, 'changes at midnight'],
  ['America/Havana', 2026, 'repeats midnight'],
  ['Africa/Cairo', 2025, 'skips midnight of a Friday'],
  ['Asia/Beirut', 2022, 'skips midnight of a Sunday'],
  ['Australia/Lord_Howe', 2026, 'changes by half an hour'],
  ['Asia/Kathmandu', 2026, 'is 5:45 ahead'],
  ['America/St_Johns', 2025, 'is 3:30 behind'],
  ['Africa/Casablanca', 2025, 'changes for Ramadan'],
  ['Pacific/Apia', 2011, 'left out a day'],
  ['Pacific/Kiritimati', 2026, 'is 14:00 ahead'],
]

const UNITS: readonly (readonly [Period['unit'], number])[] = [
  ['hour', 1],
  ['day', 1],
  ...[1, 2, 3, 4, 5, 6, 7].map((day) => ['week', day] as const),
  ...[1, 2, 15, 27, 28].map((day) => ['month', day] as const),
]

describe('Periods', () => {
  test.each(ZONES)('of %s in %i, which %s, are what its clocks show', (timeZone, year) => {
    const locals = clocks(timeZone, Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 20))
    const calendar = new Calendar()
    const wrong: unknown[] = []
    for (const [unit, cycleDay] of UNITS) {
      const period = { unit, timeZone, cycleDay }
      const runs = runsOf(period, locals)
      if (runs.length < 11) wrong.push({ unit, cycleDay, runs: runs.length })
      for (const run of runs) {
        const middleMs = Math.floor((run.startMs + run.endMs) / 2)
        for (const timeMs of [run.startMs, middleMs, run.endMs - 1]) {
          const { startMs, endMs } = calendar.periodOf(period, timeMs)
          if (startMs !== run.startMs || endMs !== run.endMs) {
            wrong.push({ unit, cycleDay, timeMs, startMs, endMs, run })
          }
        }
      }
    }
    expect(wrong.slice(0, 3)).toEqual([])
  })

  test('are of 23 and 25 hours where the clocks change', () => {
    const day = { unit: 'day', timeZone: 'Europe/Berlin', cycleDay: 1 } as const
    const hours = (iso: string) => {
      const { startMs, endMs } = periodOf(day, at(iso))
      return (endMs - startMs) / HOUR
    }
    expect(hours('2026-03-29T12:00:00Z')).toBe(23)
    expect(hours('2026-03-30T12:00:00Z')).toBe(24)
    expect(hours('2026-10-25T12:00:00Z')).toBe(25)
  })

  test.each([
    ['2026-03-14T23:59:59.999Z', 15, '2026-02-15', '2026-03-15'],
    ['2026-03-15T00:00:00.000Z', 15, '2026-03-15', '2026-04-15'],
    ['2026-01-01T00:00:00.000Z', 28, '2025-12-28', '2026-01-28'],
    ['2024-02-29T00:00:00.000Z', 28, '2024-02-28', '2024-03-28'],
    ['2026-12-31T23:59:59.999Z', 1, '2026-12-01', '2027-01-01'],
  ])('of a month: %s with cycle day %i is from %s to %s', (time, cycleDay, start, end) => {
    const period = { unit: 'month', timeZone: 'UTC', cycleDay } as const
    expect(periodOf(period, at(time))).toEqual({ startMs: at(start), endMs: at(end) })
  })

  test('of an hour end where the clocks change in its midst', () => {
    // In 2010 it was 0:01 in St. John's when they were set back to 23:01.
    const hour = { unit: 'hour', timeZone: 'America/St_Johns', cycleDay: 1 } as const
    const startMs = at('2010-11-07T02:30:00Z')
    const changeMs = startMs + 60_000
    expect(periodOf(hour, startMs)).toEqual({ startMs, endMs: changeMs })
    expect(periodOf(hour, changeMs)).toEqual({ startMs: changeMs, endMs: startMs + HOUR })
  })

  test('of a zone that is none are refused', () => {
    const period = { unit: 'day', timeZone: 'Mars/Olympus', cycleDay: 1 } as const
    expect(() => periodOf(period, 0)).toThrow('Mars/Olympus')
    expect(() => periodOf({ ...period, unit: 'hour' }, 0)).toThrow('Mars/Olympus')
  })
})

describe('Days', () => {
  test('follow one another, whatever time they are counted from', () => {
    const calendar = new Calendar()
    const zone = 'America/Sao_Paulo'
    const noon = at('2018-11-04T15:00:00Z')
    const days = Array.from({ length: 60 }, (_, i) => calendar.dayOf(zone, noon, i - 30))
    const gaps = days.filter((day, i) => i > 0 && day.startMs !== days[i - 1]?.endMs)
    expect(gaps).toEqual([])
    expect(calendar.dayOf(zone, noon)).toEqual({
      startMs: at('2018-11-04T03:00:00Z'),
      endMs: at('2018-11-05T02:00:00Z'),
      weekday: 7,
    })
    expect(days.map(({ weekday }) => weekday).slice(0, 8)).toEqual([5, 6, 7, 1, 2, 3, 4, 5])
  })
})
