import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { EnrichedSpan } from './enriched-spans.ts'
import { openQuestionDatabase, picoOf, type QuestionDatabase } from './question-database.ts'
import {
  activeAt,
  bucketsOf,
  by,
  DAY_S,
  HOUR_S,
  hourOf,
  isIn,
  isModelCall,
  one,
  pico,
  questionEndS,
  questionSpans,
  sumBy,
  when,
  type Window,
} from './question-oracle.ts'

/**
 * Goal: every view answers its question as the spans themselves do, for any window, step and moment.
 * Method: a month of seeded spans goes in as sink inserts it, with repeats; each answer is compared,
 * line by line, with one worked out from the spans.
 */

const SEED = Number(process.env['SPANMETER_TEST_SEED'] ?? 1)
const RUNS = { numRuns: 15, seed: SEED }
const END_S = questionEndS()
const spans = questionSpans(SEED, END_S)

let database: QuestionDatabase

beforeAll(async () => {
  database = await openQuestionDatabase(inject('clickhouseUrl'))
  const half = spans.length / 2
  await database.land('a', spans.slice(0, half))
  await database.land('b', spans.slice(half))
  await database.land('a', spans.slice(0, half))
})

afterAll(() => database?.drop())

/** A moment of the month, to the second; every other one in the last hours, of which most spans are. */
const moment = fc.oneof(
  fc.integer({ min: END_S - 33 * DAY_S, max: END_S }),
  fc.integer({ min: END_S - 12 * HOUR_S, max: END_S + HOUR_S }),
)
const aWindow = fc
  .tuple(
    moment,
    fc.oneof(fc.integer({ min: 1, max: 9_000 }), fc.integer({ min: 1, max: 32 * DAY_S })),
  )
  .map(([to, length]): Window => ({ from: to - length, to }))

describe('Rows of a step', () => {
  const views = [
    ['requests_by_model', 'requests'],
    ['errors_by_type', 'errors'],
    ['histograms_by_model', 'requests'],
  ] as const

  test.each(views)('%s are those of one table, and the other is not read', async (name, n) => {
    for (const [stepS, table] of [
      [1, `${name}_1m`],
      [3_599, `${name}_1m`],
      [3_600, `${name}_1h`],
      [86_400, `${name}_1h`],
    ] as const) {
      const from = (source: string) =>
        database.clickhouse.measuredQuery(
          `SELECT tenant, time, model, sum(${n}) AS n FROM ${source} GROUP BY ALL ORDER BY ALL`,
        )
      const asked = await from(`${name}(step_s = ${stepS})`)
      const direct = await from(table)
      expect(asked.rows.length).toBeGreaterThan(100)
      expect(asked.rows).toEqual(direct.rows)
      expect(asked.readRows).toBe(direct.readRows)
    }
  })

  test('are found by their time, in whichever table', async () => {
    for (const stepS of [60, 3_600]) {
      const all = await database.clickhouse.measuredQuery(
        `SELECT sum(requests) AS n FROM requests_by_model(step_s = ${stepS})`,
      )
      const day = await database.clickhouse.measuredQuery(
        `SELECT sum(requests) AS n FROM requests_by_model(step_s = ${stepS}) WHERE time < {to:DateTime}`,
        { to: END_S - 30 * DAY_S },
      )
      expect(day.readRows).toBeGreaterThan(0)
      expect(day.readRows).toBeLessThan(all.readRows / 5)
    }
  })
})

describe('A window', () => {
  const IN = '(from = {from:DateTime}, to = {to:DateTime})'

  test('has the spans, errors and calls that began in its minutes, each once', async () => {
    await fc.assert(
      fc.asyncProperty(aWindow, async (window) => {
        const inside = spans.filter(isIn(window))
        const cost = ['tenant', 'kind', 'model', 'sum(requests)', picoOf('cost_usd')]
        expect(
          await database.lines(cost, `FROM requests_between${IN} GROUP BY tenant, kind, model`, {
            ...window,
          }),
        ).toEqual(sumBy(inside, by('tenant', 'kind', 'model'), one, pico))
        const failed = inside.filter(({ error_type: type }) => type !== '')
        const types = `FROM errors_between${IN} GROUP BY tenant, error_type`
        expect(
          await database.lines(['tenant', 'error_type', 'sum(errors)'], types, { ...window }),
        ).toEqual(sumBy(failed, by('tenant', 'error_type'), one))
        const calls = `FROM histograms_between${IN} GROUP BY tenant`
        expect(await database.lines(['tenant', 'sum(requests)'], calls, { ...window })).toEqual(
          sumBy(inside.filter(isModelCall), by('tenant'), one),
        )
      }),
      RUNS,
    )
  })

  test('reads minutes at its ends only', async () => {
    const from = END_S - 31 * DAY_S
    const sum = 'SELECT sum(requests) AS n FROM'
    const whole = await database.clickhouse.measuredQuery(`${sum} requests_between${IN}`, {
      from,
      to: END_S,
    })
    const where = 'WHERE time >= {from:DateTime} AND time < {to:DateTime}'
    const minutes = await database.clickhouse.measuredQuery(
      `${sum} requests_by_model_1m ${where}`,
      {
        from,
        to: END_S - 2 * DAY_S,
      },
    )
    const hours = await database.clickhouse.measuredQuery(`${sum} requests_by_model_1h ${where}`, {
      from,
      to: END_S,
    })
    // Those of the two days at the ends, of which most spans are.
    const ends = spans.filter(isIn({ from: END_S - 2 * DAY_S, to: END_S })).length
    expect(whole.readRows - hours.readRows).toBeLessThan(ends + minutes.readRows / 10)
  })
})

test('Spend up to any moment is that of its hour, day, week, month and 30 days', async () => {
  const FROM = `FROM spend(until = {until:DateTime}) GROUP BY tenant, feature, environment, model`
  const group = ['tenant', 'feature', 'environment', 'model']
  const periodsUsd = ['hour', 'day', '7_days', '30_days'].map((name) => picoOf(`usd_last_${name}`))
  await fc.assert(
    fc.asyncProperty(moment, async (until) => {
      const month = new Date(until * 1_000)
      const monthS = Date.UTC(month.getUTCFullYear(), month.getUTCMonth()) / 1_000
      const nextS = Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1) / 1_000
      const since = (from: number) => {
        const isInside = isIn({ from, to: until })
        return (span: EnrichedSpan) => (isInside(span) ? pico(span) : 0n)
      }
      const periods = [HOUR_S, DAY_S, 7 * DAY_S, 30 * DAY_S].map((length) => since(until - length))
      const isLate = isIn({ from: until - 30 * DAY_S, to: until })
      const unpriced = when((span) => span.price_status === 'unpriced' && isLate(span))
      const columns = [...group, ...periodsUsd, picoOf('usd_month_to_date')]
      expect(
        await database.lines([...columns, 'sum(unpriced_last_30_days)'], FROM, { until }),
      ).toEqual(
        sumBy(
          spans,
          by('tenant', 'feature', 'environment', 'model'),
          ...periods,
          since(monthS),
          unpriced,
        ),
      )
      const [projected] = await database.clickhouse.query<{ rate: number; month: number }>(
        `SELECT sum(usd_month_at_hourly_rate) AS rate, sum(usd_month_projected) AS month
         FROM spend(until = {until:DateTime})`,
        { until },
      )
      const sum = (from: number) =>
        Number(spans.map(since(from)).reduce((total, value) => total + value, 0n)) / 1e12
      expect(projected?.rate).toBeCloseTo(sum(until - HOUR_S) * 720, 6)
      const rest = (nextS - until) / HOUR_S
      expect(projected?.month).toBeCloseTo(sum(monthS) + (sum(until - DAY_S) / 24) * rest, 6)
    }),
    RUNS,
  )
})

test('Buckets hold each value at or below their bound and above the one before', async () => {
  for (const stepS of [60, 3_600]) {
    expect(
      await database.lines(
        ['tenant', 'model', 'measure', 'le', 'sum(calls)'],
        `FROM histogram_buckets(step_s = ${stepS}) GROUP BY tenant, model, measure, le`,
      ),
    ).toEqual(bucketsOf(spans).toSorted())
  }
})

test('Buckets of one measure are read without those of the others', async () => {
  const sum = 'SELECT sum(calls) AS n FROM histogram_buckets(step_s = 60)'
  const all = await database.clickhouse.measuredQuery(sum)
  const some = await database.clickhouse.measuredQuery(`${sum} WHERE measure = 'duration'`)
  expect(some.readRows).toBe(all.readRows / 4)
})

test('Untagged cost is that of calls without the tag, beside that of all calls', async () => {
  const tags = [
    'tenant',
    'team',
    'feature',
    'environment',
    'cost_centre',
    'user_tier',
    'user',
  ] as const
  const calls = spans.filter(isModelCall)
  const expected = tags.flatMap((tag) => {
    const lacks = (span: EnrichedSpan) => span[tag] === ''
    const group = (span: EnrichedSpan) => `${tag}|${span.tenant}|${hourOf(span)}`
    const untagged = (span: EnrichedSpan) => (lacks(span) ? pico(span) : 0n)
    return sumBy(calls, group, one, pico, when(lacks), untagged)
  })
  expect(
    await database.lines(
      ['tag', 'tenant', 'toUnixTimestamp(time)', 'sum(requests)', picoOf('cost_usd')].concat([
        'sum(untagged_requests)',
        picoOf('untagged_usd'),
      ]),
      'FROM untagged_cost GROUP BY tag, tenant, time',
    ),
  ).toEqual(expected.toSorted())
})

test('Active requests are the spans that have begun and not ended at each moment', async () => {
  for (const [stepS, window] of [
    [1, { from: END_S - 3_000, to: END_S - 2_900 }],
    [60, { from: END_S - 30_000, to: END_S + 600 }],
    [7, { from: END_S - 1_001, to: END_S }],
  ] as const) {
    const expected = activeAt(spans, window, stepS)
    expect(expected.length).toBeGreaterThan(20)
    expect(
      await database.lines(
        ['toUnixTimestamp(time)', 'tenant', 'kind', `if(is_root, 'true', 'false')`, 'sum(active)'],
        `FROM active_requests(from = {from:DateTime}, to = {to:DateTime}, step_s = ${stepS})
         GROUP BY time, tenant, kind, is_root`,
        { ...window },
      ),
    ).toEqual(expected)
  }
})
