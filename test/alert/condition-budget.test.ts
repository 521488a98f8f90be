import { describe, expect, test } from 'vitest'
import { evaluateBudget } from '../../services/alert/condition-budget.ts'
import type { Budget, Period } from '../../services/alert/rule.ts'
import { END, historyOf, measureOf, MINUTE, usd, viewOf } from './condition-samples.ts'

const COST = measureOf('sum', 'cost')
const MONTH: Period = { unit: 'month', timeZone: 'UTC', cycleDay: 1 }

function budget(part: number, more: Partial<Budget> = {}): Budget {
  return {
    type: 'budget',
    measure: COST,
    limit: 100,
    part,
    isProjected: false,
    period: MONTH,
    overrides: [],
    ...more,
  }
}

const spent = (amount: number, time = '2026-06-10T00:00:00Z') =>
  historyOf(COST, [{ atMs: Date.parse(time), values: [usd(amount)] }])

describe('A budget', () => {
  test.each([
    [0.5, 49.99, false],
    [0.5, 50, true],
    [0.8, 79.999_999, false],
    [0.8, 80, true],
    [1, 99.99, false],
    [1, 100, true],
    [1, 250, true],
  ])('of 100 USD, at %d of it, with %d USD spent: %s', (part, amount, holds) => {
    expect(evaluateBudget(budget(part), viewOf(spent(amount)))).toEqual({
      holds,
      isGood: !holds,
      value: amount,
      threshold: 100 * part,
      baseline: 100,
      count: 1,
      windowStartMs: Date.parse('2026-06-01T00:00:00Z'),
      windowEndMs: END,
      unit: 'USD',
    })
  })

  test('of 10 USD is at 80 % with eighty times 0.1, which are no 8 for a double, and not before', () => {
    const history = historyOf(
      COST,
      Array.from({ length: 80 }, (_, i) => ({ atMs: END - (i + 1) * MINUTE, values: [usd(0.1)] })),
    )
    const condition = budget(0.8, { limit: 10 })
    expect(evaluateBudget(condition, viewOf(history)).holds).toBe(true)
    expect(evaluateBudget(condition, viewOf(history, { endMs: END - MINUTE })).holds).toBe(false)
  })

  test.each([
    ['in the last millisecond of the month before', '2026-05-31T23:59:59.999Z', 'UTC', 1, 0],
    ['in the first of this', '2026-06-01T00:00:00.000Z', 'UTC', 1, 60],
    ['on the day before that in New York', '2026-06-01T03:59:00.000Z', 'America/New_York', 1, 0],
    ['on the first in New York', '2026-06-01T04:00:00.000Z', 'America/New_York', 1, 60],
    ['before the cycle day', '2026-06-14T23:59:00.000Z', 'UTC', 15, 0],
    ['on the cycle day', '2026-06-15T00:00:00.000Z', 'UTC', 15, 60],
  ])('counts what was spent %s', (_, time, timeZone, cycleDay, value) => {
    const condition = budget(0.5, { period: { unit: 'month', timeZone, cycleDay } })
    expect(evaluateBudget(condition, viewOf(spent(60, time), { minCount: 0 })).value).toBe(value)
  })

  test('ends with its period: at the end itself it is still that of before', () => {
    const endMs = Date.parse('2026-07-01T00:00:00Z')
    const history = spent(60)
    expect(evaluateBudget(budget(0.5), viewOf(history, { endMs })).holds).toBe(true)
    const later = viewOf(history, { endMs: endMs + MINUTE, minCount: 0 })
    expect(evaluateBudget(budget(0.5), later)).toMatchObject({
      holds: false,
      isGood: true,
      value: 0,
    })
  })

  test('of a tenant of its own is the first that matches', () => {
    const day: Period = { unit: 'day', timeZone: 'UTC', cycleDay: 1 }
    const condition = budget(0.5, {
      overrides: [
        { match: { tenant: 'acme', feature: 'chat' }, limit: 5, period: day },
        { match: { tenant: 'acme' }, limit: 1_000, period: MONTH },
        { match: { tenant: 'acme' }, limit: 1, period: MONTH },
      ],
    })
    const at = (group: Record<string, string>) =>
      evaluateBudget(condition, viewOf(spent(60), { group, minCount: 0 }))
    expect(at({ tenant: 'other' })).toMatchObject({ holds: true, baseline: 100 })
    expect(at({ tenant: 'acme', feature: 'mail' })).toMatchObject({ holds: false, baseline: 1_000 })
    expect(at({ tenant: 'acme', feature: 'chat' })).toMatchObject({ value: 0, baseline: 5 })
  })

  test('of nothing is overspent by anything, but not by nothing', () => {
    const condition = budget(1, { limit: 0 })
    expect(evaluateBudget(condition, viewOf(spent(0))).holds).toBe(false)
    expect(evaluateBudget(condition, viewOf(spent(0.000_001))).holds).toBe(true)
  })

  test('says nothing of too few records, or of none', () => {
    expect(evaluateBudget(budget(0.5), viewOf(spent(60), { minCount: 2 })).holds).toBeUndefined()
    expect(evaluateBudget(budget(0.5), viewOf(undefined)).holds).toBeUndefined()
    expect(evaluateBudget(budget(0.5), viewOf(undefined, { minCount: 0 })).holds).toBe(false)
  })

  test('may be of a count', () => {
    const measure = measureOf('count')
    const history = historyOf(measure, [{ atMs: END - 1, count: 50 }])
    expect(evaluateBudget(budget(0.5, { measure }), viewOf(history)).holds).toBe(true)
  })
})

describe('A budget that is projected', () => {
  test('compares what the month will have come to', () => {
    // Two days of 30 are over, and less than a week is known.
    const start = '2026-06-01T00:00:00Z'
    const condition = budget(0.5, { isProjected: true })
    const verdict = (amount: number) => {
      const history = spent(amount, start)
      return evaluateBudget(
        condition,
        viewOf(history, { endMs: Date.parse('2026-06-03T00:00:00Z') }),
      )
    }
    expect(verdict(3.4)).toMatchObject({ holds: true, value: 51, threshold: 50, baseline: 100 })
    expect(verdict(3.3)).toMatchObject({ holds: false, value: 49.5 })
  })

  test('says nothing too early, but where enough is spent already', () => {
    const endMs = Date.parse('2026-06-01T12:00:00Z')
    const early = (amount: number) =>
      evaluateBudget(
        budget(0.5, { isProjected: true }),
        viewOf(spent(amount, '2026-06-01T00:00:00Z'), { endMs }),
      )
    expect(early(40)).toMatchObject({ holds: undefined, isGood: false, value: 40 })
    expect(early(50)).toMatchObject({ holds: true, value: 50 })
  })
})
