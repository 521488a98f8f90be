import { describe, expect, test } from 'vitest'
import { Calendar } from '../../services/alert/calendar.ts'
import { toNumber } from '../../services/alert/condition-fraction.ts'
import { readMeasure } from '../../services/alert/condition-measure.ts'
import type { GroupHistory } from '../../services/alert/history.ts'
import { project } from '../../services/alert/projection.ts'
import type { Period } from '../../services/alert/rule.ts'
import { DAY, every, historyOf, HOUR, measureOf, MINUTE, usd } from './condition-samples.ts'

const COST = measureOf('sum', 'cost')
const MONTH: Period = { unit: 'month', timeZone: 'UTC', cycleDay: 1 }
const at = (iso: string): number => Date.parse(iso)

function projected(history: GroupHistory, endMs: number, period = MONTH): number | undefined {
  const calendar = new Calendar()
  const span = calendar.periodOf(period, endMs - 1)
  const { value } = readMeasure(COST, history, span.startMs, endMs)
  if (value === undefined) throw new Error('a sum has a value')
  const found = project({ measure: COST, history, period, span, endMs, calendar }, value)
  return found === undefined ? undefined : toNumber(found)
}

/** So much each hour from..to, by the day of the week in UTC. */
function hourly(fromMs: number, toMs: number, amount: (weekday: number) => number): GroupHistory {
  const hours = every(HOUR, fromMs, toMs, {}).map(({ atMs }) => ({
    atMs,
    values: [usd(amount(new Date(atMs).getUTCDay() || 7))],
  }))
  return historyOf(COST, hours)
}

const workdays = (weekday: number) => (weekday <= 5 ? 1 : 0)

describe('A projection with a profile', () => {
  test('expects of each day of the week what it came to: weekends come to nothing', () => {
    // June 2026 has 22 workdays; it starts on a Monday.
    for (const time of ['2026-06-01T06:00:00Z', '2026-06-05T24:00:00Z', '2026-06-30T23:00:00Z']) {
      const history = hourly(at('2026-04-27T00:00:00Z'), at(time), workdays)
      expect(projected(history, at(time))).toBe(22 * 24)
    }
  })

  test('is not misled by where in the week the month stands, as the pace so far is', () => {
    const endMs = at('2026-06-06T00:00:00Z')
    const profiled = hourly(at('2026-05-25T00:00:00Z'), endMs, workdays)
    const young = hourly(at('2026-06-01T00:00:00Z'), endMs, workdays)
    expect(projected(profiled, endMs)).toBe(22 * 24)
    expect(projected(young, endMs)).toBe(30 * 24)
  })

  test('takes the average of up to four weeks, and none before', () => {
    const endMs = at('2026-06-29T00:00:00Z')
    // Mondays of 24, 48, 72 and 96 USD, older ones of 960; a Monday and a Tuesday are left.
    const amounts = new Map([
      ['2026-06-22', 4],
      ['2026-06-15', 3],
      ['2026-06-08', 2],
      ['2026-06-01', 1],
      ['2026-05-25', 40],
    ])
    const hours = every(HOUR, at('2026-05-18T00:00:00Z'), endMs, {}).map(({ atMs }) => {
      const date = new Date(atMs).toISOString().slice(0, 10)
      return { atMs, values: [usd(amounts.get(date) ?? 0)] }
    })
    expect(projected(historyOf(COST, hours), endMs)).toBe(24 * (1 + 2 + 3 + 4) + 24 * 2.5)
  })

  test.each([
    // Wednesday to Tuesday have five workdays; from the tenth on, fifteen are left.
    ['is used from seven full days on', '2026-06-03T00:00:00Z', (5 + 15) * 24],
    ['is not used an hour before', '2026-06-03T01:00:00Z', (5 * 24 - 1) * (1 + (21 * 24) / 167)],
  ])('%s', (_, since, expected) => {
    const endMs = at('2026-06-10T00:00:00Z')
    const value = projected(hourly(at(since), endMs, workdays), endMs)
    expect(value).toBeCloseTo(expected, 6)
  })

  test('knows how long a day is where the clocks change', () => {
    const berlin: Period = { unit: 'day', timeZone: 'Europe/Berlin', cycleDay: 1 }
    // 25 October 2026 has 25 hours; four Sundays before had 24 USD each. 12:00 leaves 12 of 25.
    const endMs = at('2026-10-25T11:00:00Z')
    const history = hourly(at('2026-09-01T00:00:00Z'), endMs, () => 1)
    expect(projected(history, endMs, berlin)).toBeCloseTo(13 + (24 * 12) / 25, 9)
  })

  test('of a week ends with the week', () => {
    const week: Period = { unit: 'week', timeZone: 'UTC', cycleDay: 3 }
    const endMs = at('2026-06-13T12:00:00Z')
    const history = hourly(at('2026-04-27T00:00:00Z'), endMs, workdays)
    expect(projected(history, endMs, week)).toBe(5 * 24)
  })

  test('is made of the days that are still kept', () => {
    const endMs = at('2026-06-06T00:00:00Z')
    const history = hourly(at('2026-04-27T00:00:00Z'), endMs, workdays)
    history.expire(endMs - 5 * DAY)
    expect(projected(history, endMs)).toBe(30 * 24)
  })
})

describe('A projection without a profile', () => {
  const month = at('2026-06-01T00:00:00Z')
  test.each([
    ['a day of a month', MONTH, DAY, 1],
    ['less than a day of a month', MONTH, DAY - MINUTE, undefined],
    ['a tenth of a day', { ...MONTH, unit: 'day' }, 144 * MINUTE, 1],
    ['less than a tenth of a day', { ...MONTH, unit: 'day' }, 143 * MINUTE, undefined],
    ['a tenth of an hour', { ...MONTH, unit: 'hour' }, 6 * MINUTE, 1],
    ['less than a tenth of an hour', { ...MONTH, unit: 'hour' }, 5 * MINUTE, undefined],
  ] as const)('goes on at the same pace after %s', (_, period, elapsedMs, pace) => {
    const endMs = month + elapsedMs
    const history = historyOf(COST, every(MINUTE, month, endMs, { values: [usd(1)] }))
    const { startMs, endMs: periodEndMs } = new Calendar().periodOf(period, month)
    const expected = pace === undefined ? undefined : (periodEndMs - startMs) / MINUTE
    expect(projected(history, endMs, period)).toBe(expected)
  })

  test('counts the pace from when the group is known', () => {
    const since = month + 10 * DAY
    const history = historyOf(COST, every(HOUR, since, since + 2 * DAY, { values: [usd(1)] }))
    expect(projected(history, since + 2 * DAY)).toBe(20 * 24)
    expect(projected(history, since + DAY - HOUR)).toBeUndefined()
  })

  test('of an hour goes by the hour, whatever the days before were', () => {
    const hour: Period = { ...MONTH, unit: 'hour' }
    const history = historyOf(COST, [
      ...every(HOUR, month - 20 * DAY, month, { values: [usd(100)] }),
      ...every(MINUTE, month, month + 30 * MINUTE, { values: [usd(1)] }),
    ])
    expect(projected(history, month + 30 * MINUTE, hour)).toBe(60)
  })

  test('is what was spent once the period is over', () => {
    const history = historyOf(COST, [{ atMs: month + 1, values: [usd(7)] }])
    expect(projected(history, at('2026-07-01T00:00:00Z'))).toBe(7)
  })
})
