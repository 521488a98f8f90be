import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { evaluateBurn } from '../../services/alert/condition-burn.ts'
import type { GroupHistory } from '../../services/alert/history.ts'
import type { Burn } from '../../services/alert/rule.ts'
import {
  DAY,
  END,
  every,
  historyOf,
  HOUR,
  measureOf,
  MINUTE,
  type Records,
  usd,
  viewOf,
} from './condition-samples.ts'

const RATE = measureOf('rate')
const COST = measureOf('sum', 'cost')

function burn(rate: number, longMs: number, shortMs: number, more: Partial<Burn> = {}): Burn {
  const periodMs = 30 * DAY
  return { type: 'burn', measure: RATE, allowed: 0.001, periodMs, rate, longMs, shortMs, ...more }
}

/** What the Google SRE workbook recommends in chapter 5 for 99.9 %, and a level before its last. */
const LEVELS = [
  [14.4, HOUR, 5 * MINUTE],
  [6, 6 * HOUR, 30 * MINUTE],
  [3, DAY, 2 * HOUR],
  [1, 3 * DAY, 6 * HOUR],
] as const

const at = (history: GroupHistory, condition: Burn, endMs: number, minCount = 1) =>
  evaluateBurn(condition, viewOf(history, { endMs, minCount }))

/** Requests each minute of four days, of which so many in 100,000 fail. */
const steady = (bad: number) =>
  historyOf(RATE, every(MINUTE, END - 4 * DAY, END, { count: 100_000, bad }))

const recordsOf = (all: readonly { minute: number; count: number; bad: number }[]) =>
  all.map(({ minute, count, bad }): Records => {
    return { atMs: END - (minute + 1) * MINUTE, count, bad: Math.min(bad, count) }
  })
const within = (records: readonly Records[], windowMinutes: number) =>
  records.filter(({ atMs }) => atMs >= END - windowMinutes * MINUTE)

describe('A burn rate', () => {
  test.each(LEVELS)('of %d holds just above it, and not at it', (rate, longMs, shortMs) => {
    const condition = burn(rate, longMs, shortMs)
    const atRate = Math.round(rate * 100)
    expect(at(steady(atRate), condition, END).holds).toBe(false)
    const verdict = at(steady(atRate + 1), condition, END)
    expect(verdict).toMatchObject({ holds: true, isGood: false, threshold: rate, unit: 'x' })
    expect(verdict.value).toBeCloseTo(rate + 0.01, 9)
    expect(verdict.windowStartMs).toBe(END - longMs)
  })

  test.each([
    // All fails: the budget of a month is burnt 1000 times as fast.
    [14.4, HOUR, 5 * MINUTE, 1, 0.864],
    [6, 6 * HOUR, 30 * MINUTE, 1, 2.16],
    [1, 3 * DAY, 6 * HOUR, 1, 4.32],
    // A tenth fails.
    [14.4, HOUR, 5 * MINUTE, 0.1, 8.64],
    [6, 6 * HOUR, 30 * MINUTE, 0.1, 21.6],
  ])('of %d over %d ms is found when an outage has lasted long enough', (...row) => {
    const [rate, longMs, shortMs, share, minutes] = row
    const startMs = END - DAY
    const history = historyOf(RATE, [
      ...every(MINUTE, END - 6 * DAY, startMs, { count: 1_000 }),
      ...every(MINUTE, startMs, END, { count: 1_000, bad: 1_000 * share }),
    ])
    const condition = burn(rate, longMs, shortMs)
    const ends = Array.from({ length: 60 }, (_, i) => startMs + i * MINUTE)
    const found = ends.find((endMs) => at(history, condition, endMs).holds === true)
    // The workbook's detection time, long window * rate * allowed / share of errors, and strictly above.
    expect(found).toBe(startMs + (Math.floor(minutes) + 1) * MINUTE)
  })

  test('is over once the short window has seen no more errors', () => {
    const stopMs = END - 2 * HOUR
    const history = historyOf(RATE, [
      ...every(MINUTE, stopMs - HOUR, stopMs, { count: 100, bad: 50 }),
      ...every(MINUTE, stopMs, END, { count: 100 }),
    ])
    const condition = burn(14.4, HOUR, 5 * MINUTE)
    expect(at(history, condition, stopMs + 4 * MINUTE).holds).toBe(true)
    const after = at(history, condition, stopMs + 5 * MINUTE)
    expect(after).toMatchObject({ holds: false, isGood: true })
    // The long window alone would go on for most of an hour.
    expect(after.value).toBeGreaterThan(14.4)
    expect(at(history, { ...condition, shortMs: HOUR }, stopMs + 58 * MINUTE).holds).toBe(true)
  })

  test('is over, too, where all requests stop', () => {
    const stopMs = END - 2 * HOUR
    const history = historyOf(RATE, every(MINUTE, stopMs - HOUR, stopMs, { count: 100, bad: 50 }))
    const condition = burn(14.4, HOUR, 5 * MINUTE)
    expect(at(history, condition, stopMs + 4 * MINUTE).holds).toBe(true)
    expect(at(history, condition, stopMs + 5 * MINUTE)).toMatchObject({
      holds: false,
      isGood: true,
    })
    expect(at(history, condition, stopMs + HOUR).holds).toBeUndefined()
    expect(at(history, condition, stopMs + HOUR, 0)).toMatchObject({ holds: false, value: 0 })
  })

  test('is not known below so many requests in the long window; the short one may have few', () => {
    const few = historyOf(RATE, [{ atMs: END - 1, count: 9, bad: 9 }])
    const condition = burn(14.4, HOUR, 5 * MINUTE)
    expect(at(few, condition, END, 10)).toMatchObject({ holds: undefined, isGood: false, count: 9 })
    const enough = historyOf(RATE, [
      { atMs: END - 1, count: 1, bad: 1 },
      { atMs: END - HOUR, count: 9, bad: 9 },
    ])
    expect(at(enough, condition, END, 10).holds).toBe(true)
  })

  test('of cost is of what a month may cost', () => {
    // 720 USD in 30 days is 1 USD an hour.
    const condition = burn(6, 6 * HOUR, 30 * MINUTE, { measure: COST, allowed: 720 })
    const history = (minute: number) =>
      historyOf(COST, every(MINUTE, END - 6 * HOUR, END, { values: [usd(minute)] }))
    expect(at(history(0.1), condition, END)).toMatchObject({ holds: false, value: 6 })
    expect(at(history(0.100_001), condition, END).holds).toBe(true)
  })

  test('where nothing is allowed, holds with the first error', () => {
    const condition = burn(1, HOUR, 5 * MINUTE, { allowed: 0 })
    const one = historyOf(RATE, [{ atMs: END - 1, count: 1_000, bad: 1 }])
    const none = historyOf(RATE, [{ atMs: END - 1, count: 1_000 }])
    expect(at(one, condition, END)).toMatchObject({ holds: true, value: null })
    expect(at(none, condition, END)).toMatchObject({ holds: false, value: null })
  })
})

describe('Burn rates', () => {
  const minutes = fc.array(
    fc.record({ minute: fc.nat(89), count: fc.integer({ min: 1, max: 40 }), bad: fc.nat(40) }),
    { maxLength: 25 },
  )
  const windows = fc.record({
    long: fc.integer({ min: 1, max: 90 }),
    short: fc.integer({ min: 1, max: 30 }),
  })
  test('of errors are what whole numbers say', () => {
    fc.assert(
      fc.property(
        minutes,
        windows,
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 0, max: 60 }),
        (all, { long, short }, rateTenths, allowedPermille, minCount) => {
          const records = recordsOf(all)
          const condition = burn(rateTenths / 10, long * MINUTE, short * MINUTE, {
            allowed: allowedPermille / 1_000,
          })
          const isOver = (windowMinutes: number) => {
            const own = within(records, windowMinutes)
            const count = own.reduce((sum, record) => sum + (record.count ?? 0), 0)
            const bad = own.reduce((sum, record) => sum + (record.bad ?? 0), 0)
            return {
              count,
              holds: count > 0 && bad * 10_000 > rateTenths * allowedPermille * count,
            }
          }
          const isKnown = isOver(long).count >= minCount
          const expected = isKnown ? isOver(long).holds && isOver(short).holds : undefined
          const verdict = at(historyOf(RATE, records), condition, END, minCount)
          expect(verdict.holds).toBe(expected)
          expect(verdict.isGood).toBe(expected === false)
          expect(verdict.count).toBe(isOver(long).count)
        },
      ),
      { seed: 20_260_320, numRuns: 1_500 },
    )
  })

  test('of cost are what whole numbers say', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(89), fc.bigInt({ min: 0n, max: 3n })), { maxLength: 20 }),
        windows,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        (all, { long, short }, rateTenths, picoAnHour) => {
          const records = all.map(([minute, pico]): Records => {
            return { atMs: END - (minute + 1) * MINUTE, values: [pico] }
          })
          const condition = burn(rateTenths / 10, long * MINUTE, short * MINUTE, {
            measure: COST,
            allowed: picoAnHour / 1e12,
            periodMs: HOUR,
          })
          const isOver = (windowMinutes: number) => {
            const spent = within(records, windowMinutes)
              .flatMap(({ values = [] }) => values)
              .reduce<bigint>((sum, value) => sum + BigInt(value), 0n)
            return spent * 600n > BigInt(rateTenths * picoAnHour * windowMinutes)
          }
          const verdict = at(historyOf(COST, records), condition, END, 0)
          expect(verdict.holds).toBe(isOver(long) && isOver(short))
        },
      ),
      { seed: 20_260_321, numRuns: 1_500 },
    )
  })
})
