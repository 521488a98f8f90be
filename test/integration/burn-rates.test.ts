import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { openQuestionDatabase, picoOf, type QuestionDatabase } from './question-database.ts'
import {
  byBudget,
  DAY_S,
  failures,
  HOUR_S,
  isIn,
  type Outcome,
  outcomesIn,
  pico,
  questionEndS,
  questionSpans,
  slowerThan,
  sumBy,
} from './question-oracle.ts'

/**
 * Goal: budgets and burn rates are those of the spans, for any window and at any moment. Method: a month
 * of seeded spans goes in as sink inserts it; each answer is compared with one worked out from them.
 */

const SEED = Number(process.env['SPANMETER_TEST_SEED'] ?? 1)
const RUNS = { numRuns: 12, seed: SEED }
const END_S = questionEndS()
const spans = questionSpans(SEED, END_S)
const GROUP = ['tenant', 'environment', 'service', 'feature', 'model']
const COUNTS = [...GROUP, 'sum(total)', 'sum(bad)']
const BY_GROUP = `GROUP BY ${GROUP.join(', ')} HAVING sum(total) != 0`

let database: QuestionDatabase

beforeAll(async () => {
  database = await openQuestionDatabase(inject('clickhouseUrl'))
  await database.land('a', spans)
  await database.land('a', spans)
})

afterAll(() => database?.drop())

const until = fc.integer({ min: END_S - 2 * DAY_S, max: END_S + HOUR_S })
const windowS = fc.constantFrom(60, 300, 1_800, 3_600, 21_600, 86_400, 259_200, 2_592_000)

/** What latency_burn_rate makes of a threshold: the next bound, in ms. */
const bounds = [
  [0.001, 10],
  [0.01, 10],
  [5, 5_120],
  [5.12, 5_120],
  [10, 10_240],
  [300, 81_920],
] as const

describe('In any window', () => {
  test('calls and failures are those of the spans, without cancelled calls', async () => {
    await fc.assert(
      fc.asyncProperty(until, windowS, async (to, length) => {
        const expected = outcomesIn(spans, { from: to - length, to }, failures)
        const args = 'objective = 0.99, window_s = {length:UInt32}, until = {to:DateTime}'
        for (const view of ['burn_rate', 'error_budget_remaining']) {
          const rest = `FROM ${view}(${args}) ${BY_GROUP}`
          expect(await database.lines(COUNTS, rest, { to, length })).toEqual(expected)
        }
      }),
      RUNS,
    )
  })

  test.each(bounds)('calls above %d s are those above %d ms', async (slowS, boundMs) => {
    const outcome = slowerThan(BigInt(boundMs))
    for (const length of [300, 40_000, 2_592_000]) {
      const expected = outcomesIn(spans, { from: END_S - length, to: END_S }, outcome)
      const rest = `FROM latency_burn_rate(objective = 0.95, slow_s = ${slowS}, window_s = ${length},
        until = {to:DateTime}) GROUP BY ${GROUP.join(', ')}, slower_than_s HAVING sum(total) != 0`
      const bound = `${boundMs / 1_000}`
      expect(await database.lines([...COUNTS, 'slower_than_s'], rest, { to: END_S })).toEqual(
        expected.map((line) => `${line}|${bound}`),
      )
    }
  })

  test('money is that of all spans, and the allowed part of the budget is the share of its period', async () => {
    await fc.assert(
      fc.asyncProperty(until, windowS, async (to, length) => {
        const inside = spans.filter(isIn({ from: to - length, to }))
        const view = `cost_burn_rate(budget_usd = 3000, period_s = 2592000, window_s = {length:UInt32},
          until = {to:DateTime})`
        const rest = `FROM ${view} GROUP BY ${GROUP.join(', ')}`
        const usd = await database.lines([...GROUP, picoOf('usd')], rest, { to, length })
        expect(usd).toEqual(sumBy(inside, byBudget, pico))
        const [total] = await database.clickhouse.query<{ burn: number; allowed: number }>(
          `SELECT sum(burn_rate) AS burn, any(allowed_usd) AS allowed FROM ${view}`,
          { to, length },
        )
        const spent = Number(inside.map(pico).reduce((sum, value) => sum + value, 0n)) / 1e12
        const allowed = (3_000 * length) / 2_592_000
        expect(total?.allowed ?? 0).toBeCloseTo(spent > 0 ? allowed : 0, 9)
        expect(total?.burn).toBeCloseTo(spent / allowed, 6)
      }),
      RUNS,
    )
  })
})

test('A burn rate is the share of bad calls over the share that may be, and what is left is the rest', async () => {
  const rows = await database.clickhouse.query<Readonly<Record<string, number>>>(
    `SELECT toFloat64(burn.total) AS total, toFloat64(burn.bad) AS bad, error_rate, burn_rate, allowed, remaining
     FROM burn_rate(objective = 0.99, window_s = 2592000, until = {to:DateTime}) AS burn
     INNER JOIN error_budget_remaining(objective = 0.99, window_s = 2592000, until = {to:DateTime}) AS budget
     USING (${GROUP.join(', ')})`,
    { to: END_S },
  )
  expect(rows.length).toBeGreaterThan(20)
  for (const { total = 0, bad = 0, ...rates } of rows) {
    expect(rates['error_rate']).toBeCloseTo(bad / total, 9)
    expect(rates['burn_rate']).toBeCloseTo(bad / total / 0.01, 6)
    expect(rates['allowed']).toBeCloseTo(total * 0.01, 6)
    expect(rates['remaining']).toBeCloseTo(1 - bad / (total * 0.01), 6)
  }
})

describe('Over time', () => {
  const OVER =
    'window_s = {length:UInt32}, step_s = {step:UInt32}, from = {from:DateTime}, to = {to:DateTime}'
  const steps = fc
    .tuple(fc.constantFrom(60, 300, 900, 3_600, 7_200), fc.integer({ min: 1, max: 30 }))
    .chain(([step, count]) =>
      fc.record({
        step: fc.constant(step),
        from: fc.integer({ min: END_S - 12 * HOUR_S, max: END_S }),
        span: fc.constant(step * count),
        // From an hour on, what is not whole hours is not told apart.
        length: fc.integer({ min: 1, max: 100 }).map((n) => n * step),
      }),
    )

  const AT = ['toUnixTimestamp(time)']
  const rest = (view: string, args: string) =>
    `FROM ${view}(${args}, ${OVER}) GROUP BY time, ${GROUP.join(', ')}`

  const outcomes: readonly (readonly [string, string, Outcome])[] = [
    ['burn_rate_over_time', 'objective = 0.99', failures],
    ['latency_burn_rate_over_time', 'objective = 0.95, slow_s = 5', slowerThan(5_120n)],
  ]

  test.each(outcomes)('%s has every window that ends at a step', async (view, args, outcome) => {
    await fc.assert(
      fc.asyncProperty(steps, async ({ span, ...range }) => {
        const asked = { ...range, to: range.from + span }
        expect(await database.lines([...AT, ...COUNTS], rest(view, args), asked)).toEqual(
          momentsOf(asked, (from, to) => outcomesIn(spans, { from, to }, outcome)),
        )
      }),
      RUNS,
    )
  })

  test('cost_burn_rate_over_time has every window that ends at a step', async () => {
    const sql = rest('cost_burn_rate_over_time', 'budget_usd = 3000, period_s = 2592000')
    await fc.assert(
      fc.asyncProperty(steps, async ({ span, ...range }) => {
        const asked = { ...range, to: range.from + span }
        expect(await database.lines([...AT, ...GROUP, picoOf('usd')], sql, asked)).toEqual(
          momentsOf(asked, (from, to) => sumBy(spans.filter(isIn({ from, to })), byBudget, pico)),
        )
      }),
      RUNS,
    )
  })

  test('nothing is told of a time that ends before it begins', async () => {
    const asked = { from: END_S, to: END_S - HOUR_S, length: 300, step: 300 }
    for (const [view, args] of outcomes) {
      await expect(database.lines(COUNTS, rest(view, args), asked)).resolves.toEqual([])
    }
  })
})

interface Range {
  readonly from: number
  readonly to: number
  readonly step: number
  readonly length: number
}

/** A line for each moment and group that has any of what is asked. */
function momentsOf(
  range: Range,
  linesIn: (from: number, to: number) => readonly string[],
): readonly string[] {
  const lines: string[] = []
  const first = Math.ceil(range.from / range.step) * range.step
  for (let at = first; at <= range.to; at += range.step) {
    lines.push(...linesIn(at - range.length, at).map((line) => `${at}|${line}`))
  }
  return lines.sort()
}
