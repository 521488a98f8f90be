import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { evaluate, freezeBaselines, lookbackMs } from '../../services/alert/conditions.ts'
import type {
  All,
  Baseline,
  Budget,
  Burn,
  Condition,
  Threshold,
} from '../../services/alert/rule.ts'
import {
  DAY,
  END,
  every,
  historyOf,
  HOUR,
  measureOf,
  MINUTE,
  type Records,
  seconds,
  usd,
  viewOf,
} from './condition-samples.ts'

function threshold(
  measure: Threshold['measure'],
  limit: number,
  more: Partial<Threshold> = {},
): Threshold {
  return {
    type: 'threshold',
    measure,
    windowMs: HOUR,
    direction: 'above',
    limit,
    resolveLimit: limit,
    ...more,
  }
}

const COST = measureOf('sum', 'cost')
const ERRORS = measureOf('rate')
const P95 = measureOf(0.95, 'duration')
const SCORE = measureOf('mean', 'score')

/** Twice what the hour before came to on average over a day, and at least 1 USD. */
const SPIKE: Baseline = {
  type: 'baseline',
  measure: COST,
  windowMs: HOUR,
  direction: 'above',
  times: 2,
  resolveTimes: 1.5,
  baseline: { type: 'trailing', overMs: DAY, warmupMs: 12 * HOUR, minCount: 10 },
  floor: 1,
}
const DROP: Baseline = {
  type: 'baseline',
  measure: SCORE,
  windowMs: HOUR,
  direction: 'below',
  times: 0.9,
  resolveTimes: 0.9,
  baseline: { type: 'trailing', overMs: 7 * DAY, warmupMs: DAY, minCount: 20 },
  floor: 0,
}
/** The same, for a baseline of at least so many samples. */
const dropOf = (minCount: number): Baseline => ({
  ...DROP,
  baseline: { type: 'trailing', overMs: 7 * DAY, warmupMs: DAY, minCount },
})

/** A day of 10 USD an hour, and then an hour of something else. */
const spending = (amount: number, beforeMs = DAY) =>
  historyOf(COST, [
    ...every(12 * MINUTE, END - HOUR - beforeMs, END - HOUR, { values: [usd(2)] }),
    { atMs: END - 30 * MINUTE, values: [usd(amount)] },
  ])
const scoring = (score: number, beforeMs = 2 * DAY) =>
  historyOf(SCORE, [
    ...every(HOUR, END - HOUR - beforeMs, END - HOUR, { values: [800_000_000n] }),
    ...every(MINUTE, END - HOUR, END - 50 * MINUTE, { values: [seconds(score)] }),
  ])
const failing = (bad: number, count: number) => historyOf(ERRORS, [{ atMs: END - 1, bad, count }])
const calls = (lengths: readonly number[]) =>
  historyOf(P95, [{ atMs: END - MINUTE, values: lengths.map(seconds) }])
const mostly = (usual: number, slow: number, slowCount: number) => [
  ...Array.from({ length: 100 - slowCount }, () => usual),
  ...Array.from({ length: slowCount }, () => slow),
]

const RATE_5 = threshold(ERRORS, 0.05, { windowMs: 10 * MINUTE })
const SLOW_5 = threshold(P95, 5, { windowMs: MINUTE })
const HOURLY_10 = threshold(COST, 10)
const USER_5 = threshold(COST, 5)
const MIN_20 = { minCount: 20 }

describe('A rule of req:A1 to A5', () => {
  test.each([
    // A1: cost above twice the daily average.
    ['three times the usual cost', SPIKE, spending(30), {}, true],
    ['a millionth of a USD above twice the usual', SPIKE, spending(20.000_001), {}, true],
    ['1.9 times the usual cost', SPIKE, spending(19), {}, false],
    ['exactly twice the usual cost', SPIKE, spending(20), {}, false],
    ['a cold start', SPIKE, spending(30, 0), {}, undefined],
    ['a start of less than the warm-up', SPIKE, spending(30, 11 * HOUR), {}, undefined],
    ['a start of the warm-up', SPIKE, spending(30, 12 * HOUR), {}, true],
    ['no records at all', SPIKE, undefined, {}, undefined],
    // A2: P95 above 5 s.
    ['6 % of calls of 6 s', SLOW_5, calls(mostly(1, 6, 6)), {}, true],
    ['4 % of calls of 6 s', SLOW_5, calls(mostly(1, 6, 4)), {}, false],
    ['calls of 5.2 s', SLOW_5, calls(mostly(5.2, 5.2, 0)), {}, true],
    ['calls of 4.9 s', SLOW_5, calls(mostly(4.9, 4.9, 0)), {}, false],
    ['an empty minute', SLOW_5, historyOf(P95, []), {}, undefined],
    // A3: error rate above 5 % over 10 minutes.
    ['6 errors of 100', RATE_5, failing(6, 100), MIN_20, true],
    ['5 errors of 100, which is 5 %', RATE_5, failing(5, 100), MIN_20, false],
    ['50,001 errors of a million', RATE_5, failing(50_001, 1_000_000), MIN_20, true],
    ['1 error of 1', RATE_5, failing(1, 1), MIN_20, undefined],
    ['2 errors of 20', RATE_5, failing(2, 20), MIN_20, true],
    ['2 errors of 19', RATE_5, failing(2, 19), MIN_20, undefined],
    // A4: evaluation score down 10 %.
    ['a score down 12 %', DROP, scoring(0.704), { minCount: 5 }, true],
    ['a score down 9 %', DROP, scoring(0.728), { minCount: 5 }, false],
    ['a score down exactly 10 %', DROP, scoring(0.72), { minCount: 5 }, false],
    ['a score down 12 % of few samples', DROP, scoring(0.704), { minCount: 11 }, undefined],
    ['a baseline of few samples', dropOf(49), scoring(0.704), { minCount: 5 }, undefined],
    ['a baseline of just enough samples', dropOf(48), scoring(0.704), { minCount: 5 }, true],
    // A5: hourly and per user.
    ['10 USD and a millionth in an hour', HOURLY_10, spending(10.000_001), {}, true],
    ['10 USD in an hour', HOURLY_10, spending(10), {}, false],
    ['5.01 USD of a user in an hour', USER_5, spending(5.01), {}, true],
    ['5 USD of a user in an hour', USER_5, spending(5), {}, false],
  ])('of %s', (_, condition, history, more, holds) => {
    expect(evaluate(condition, viewOf(history, more)).holds).toBe(holds)
  })

  test('tells what it measured and against what', () => {
    expect(evaluate(SPIKE, viewOf(spending(30)))).toEqual({
      holds: true,
      isGood: false,
      value: 30,
      threshold: 20,
      baseline: 10,
      count: 1,
      windowStartMs: END - HOUR,
      windowEndMs: END,
      unit: 'USD',
    })
  })
})

describe('A baseline', () => {
  test('of a group that is known for a part of the period is of that part', () => {
    const { baseline } = evaluate(SPIKE, viewOf(spending(30, 16 * HOUR)))
    expect(baseline).toBe(10)
  })

  test('of which the first part is forgotten is of what is left', () => {
    const history = spending(30)
    history.expire(END - HOUR - 8 * HOUR)
    const week = { ...SPIKE.baseline, overMs: DAY, warmupMs: 4 * HOUR }
    const { baseline } = evaluate({ ...SPIKE, baseline: week }, viewOf(history))
    expect(baseline).toBe(10)
  })

  test('is silent below the floor, however small it is', () => {
    const little = historyOf(COST, [
      ...every(HOUR, END - HOUR - DAY, END - HOUR, { values: [usd(0.001)] }),
      { atMs: END - 1, values: [usd(0.99)] },
    ])
    expect(evaluate(SPIKE, viewOf(little))).toMatchObject({ holds: false, isGood: true })
    little.add(Math.floor(END / MINUTE) - 1, {
      count: 1,
      bad: 0,
      high: 10,
      low: 0,
      bins: [],
      traceId: '',
      traceValue: 0,
    })
    expect(evaluate(SPIKE, viewOf(little))).toMatchObject({ holds: true, value: 1 })
  })

  test('of nothing is exceeded by anything above the floor', () => {
    const condition: Baseline = { ...SPIKE, measure: ERRORS, floor: 0 }
    const quiet = every(MINUTE, END - HOUR - DAY, END - HOUR, { count: 1 })
    const calm = historyOf(ERRORS, [...quiet, { atMs: END - 1, count: 10, bad: 0 }])
    const loud = historyOf(ERRORS, [...quiet, { atMs: END - 1, count: 10, bad: 1 }])
    expect(evaluate(condition, viewOf(calm)).holds).toBe(false)
    expect(evaluate(condition, viewOf(loud)).holds).toBe(true)
  })

  test('below 0 says nothing', () => {
    const skew = { ...SPIKE, measure: measureOf('mean', 'skew'), floor: -100 }
    const history = historyOf(skew.measure, [
      ...every(MINUTE, END - HOUR - DAY, END - HOUR, { values: [-5n] }),
      { atMs: END - 1, values: [-7n] },
    ])
    expect(evaluate(skew, viewOf(history)).holds).toBeUndefined()
  })

  test.each([
    ['rate', measureOf('rate'), 0.25],
    ['count', measureOf('count'), 240],
    ['mean', measureOf('mean', 'tokens'), 15],
    ['percentile', measureOf(0.5, 'tokens'), 15],
  ])(
    'of a %s is read over the period, and scaled if it grows with time',
    (_, measure, expected) => {
      const records: Omit<Records, 'atMs'> =
        measure.read.type === 'rate' || measure.read.type === 'count'
          ? { count: 4, bad: 1 }
          : { values: [15n, 15n] }
      const history = historyOf(measure, every(MINUTE, END - 25 * HOUR, END, records))
      const { baseline } = evaluate({ ...SPIKE, measure, floor: 0 }, viewOf(history))
      expect(Math.abs((baseline ?? 0) / expected - 1)).toBeLessThan(0.01)
    },
  )
})

describe('Hysteresis', () => {
  const condition = threshold(ERRORS, 0.05, { resolveLimit: 0.03 })
  const low = threshold(SCORE, 0.7, { direction: 'below', resolveLimit: 0.75 })
  test.each([
    ['above the limit', condition, failing(6, 100), { holds: true, isGood: false }],
    ['between both', condition, failing(4, 100), { holds: false, isGood: false }],
    ['back at where it resolves', condition, failing(3, 100), { holds: false, isGood: true }],
    ['unknown', condition, historyOf(ERRORS, []), { holds: undefined, isGood: false }],
    ['below the limit', low, scoring(0.69), { holds: true, isGood: false }],
    ['between both, below', low, scoring(0.74), { holds: false, isGood: false }],
    ['back, below', low, scoring(0.75), { holds: false, isGood: true }],
    ['a spike above', SPIKE, spending(21), { holds: true, isGood: false }],
    ['a spike between both', SPIKE, spending(16), { holds: false, isGood: false }],
    ['a spike back', SPIKE, spending(14.99), { holds: false, isGood: true }],
  ])('%s', (_, rule, history, expected) => {
    expect(evaluate(rule, viewOf(history))).toMatchObject(expected)
  })
})

/** Conditions that say of themselves whether they hold. */
function saying(holds: boolean | undefined, isGood = holds === false): Condition {
  const measure = measureOf('count')
  if (holds === undefined) return threshold(measureOf('mean'), 1)
  const limit = holds ? -1 : 1
  return threshold(measure, limit, { resolveLimit: isGood ? limit : -1 })
}

describe('Conditions together', () => {
  const empty = viewOf(undefined, { minCount: 0 })
  const values = [true, false, undefined] as const
  const pairs = values.flatMap((a) => values.map((b) => [a, b] as const))

  test.each(pairs)('%s and %s hold if both do', (a, b) => {
    const all: All = { type: 'all', conditions: [saying(a), saying(b)] }
    const expected =
      a === false || b === false ? false : a === true && b === true ? true : undefined
    expect(evaluate(all, empty).holds).toBe(expected)
    expect(evaluate({ type: 'not', condition: all }, empty).holds).toBe(
      expected === undefined ? undefined : !expected,
    )
  })

  test('are good once one is back, not when it no longer holds', () => {
    const [between, back] = [false, true].map((isGood) => {
      const conditions = [saying(true), saying(false, isGood)]
      return evaluate({ type: 'all', conditions }, empty)
    })
    expect(between).toMatchObject({ holds: false, isGood: false })
    expect(back).toMatchObject({ holds: false, isGood: true })
  })

  test('say of themselves what the first says', () => {
    const all: All = { type: 'all', conditions: [threshold(COST, 1), SPIKE] }
    const verdict = evaluate(all, viewOf(spending(30)))
    expect(verdict).toMatchObject({ holds: true, value: 30, threshold: 1, baseline: null })
  })
})

/** The mean of the first ten, and a hundred as a window. */
const LATENCY = measureOf('mean', 'duration')
const QUALITY = measureOf('mean', 'score')
const first = (measure: Baseline['measure'], times: number, direction: Baseline['direction']) =>
  ({
    ...SPIKE,
    measure,
    times,
    resolveTimes: times,
    direction,
    baseline: { type: 'first', count: 10 },
    floor: 0,
  }) as const

describe('A contextual rule of req:A6', () => {
  const both: All = {
    type: 'all',
    conditions: [first(LATENCY, 1.5, 'above'), first(QUALITY, 0.9, 'below')],
  }
  const start = END - 5 * HOUR
  const view = (latency: number, quality: number) => {
    const histories = new Map([
      [
        'duration',
        historyOf(LATENCY, [
          ...every(MINUTE, start, start + 10 * MINUTE, { values: [seconds(2)] }),
          { atMs: END - 1, values: [seconds(latency)] },
        ]),
      ],
      [
        'score',
        historyOf(QUALITY, [
          ...every(MINUTE, start, start + 10 * MINUTE, { values: [seconds(0.8)] }),
          { atMs: END - 1, values: [seconds(quality)] },
        ]),
      ],
    ])
    return viewOf(undefined, { historyOf: ({ id }) => histories.get(id) })
  }

  test.each([
    ['slower and worse', 3.01, 0.719, true],
    ['slower alone', 3.01, 0.72, false],
    ['worse alone', 3, 0.719, false],
  ])('of latency and quality together: %s', (_, latency, quality, holds) => {
    const own = view(latency, quality)
    expect(evaluate(both, own).holds).toBeUndefined()
    expect(freezeBaselines(both, own).map(({ id }) => id)).toEqual(['duration', 'score'])
    expect(evaluate(both, own).holds).toBe(holds)
    expect(freezeBaselines({ type: 'not', condition: both }, own)).toEqual([])
  })

  const spike: All = {
    type: 'all',
    conditions: [
      { ...SPIKE, measure: ERRORS, floor: 0.01 },
      {
        type: 'not',
        condition: { ...SPIKE, measure: LATENCY, times: 1.5, resolveTimes: 1.5, floor: 0 },
      },
    ],
  }
  test.each([
    ['errors double, latency stays', 41, 2, true],
    ['errors double, latency too', 41, 4, false],
    ['errors do not double', 40, 2, false],
  ])('of errors without latency: %s', (_, bad, latency, holds) => {
    const histories = new Map([
      [
        'count',
        historyOf(ERRORS, [
          ...every(MINUTE, END - 25 * HOUR, END - HOUR, { count: 50, bad: 1 }),
          { atMs: END - 1, count: 1_000, bad },
        ]),
      ],
      [
        'duration',
        historyOf(LATENCY, [
          ...every(MINUTE, END - 25 * HOUR, END - HOUR, { values: [seconds(2)] }),
          { atMs: END - 1, values: [seconds(latency)] },
        ]),
      ],
    ])
    expect(
      evaluate(spike, viewOf(undefined, { historyOf: ({ id }) => histories.get(id) })).holds,
    ).toBe(holds)
  })

  test.each([
    ['critical', 0.75, 0.749, true],
    ['critical', 0.75, 0.75, false],
    ['other', 0.65, 0.649, true],
    ['other', 0.65, 0.65, false],
  ])('of the quality of %s use cases, %d: %d', (_, limit, score, holds) => {
    const condition = threshold(SCORE, limit, { direction: 'below' })
    expect(evaluate(condition, viewOf(scoring(score))).holds).toBe(holds)
  })
})

describe('Thresholds', () => {
  test('compare exactly, whatever a double would make of it', () => {
    const units = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n })
    const decimals = fc.integer({ min: -(10 ** 9), max: 10 ** 9 })
    fc.assert(
      fc.property(units, decimals, fc.integer({ min: 0, max: 9 }), (sum, digits, places) => {
        const limit = Number(`${digits}e-${places}`)
        const history = historyOf(COST, [{ atMs: END - 1, values: [sum] }])
        const limitUnits = BigInt(digits) * 10n ** BigInt(12 - places)
        const around = [sum, limitUnits - 1n, limitUnits, limitUnits + 1n]
        const verdicts = around.flatMap((value) => {
          const own =
            value === sum ? history : historyOf(COST, [{ atMs: END - 1, values: [value] }])
          return (['above', 'below'] as const).map((direction) => ({
            holds: evaluate(threshold(COST, limit, { direction }), viewOf(own)).holds,
            expected: direction === 'above' ? value > limitUnits : value < limitUnits,
          }))
        })
        expect(verdicts.filter(({ holds, expected }) => holds !== expected)).toEqual([])
      }),
      { seed: 20_260_310, numRuns: 300 },
    )
  })

  test('of rates and means compare exactly', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.nat(1_000),
        fc.nat(),
        (count, permille, any) => {
          const near = Math.floor((count * permille) / 1_000)
          const bad = Math.min(count, Math.max(0, near + (any % 3) - 1))
          const limit = permille / 1_000
          const rate = evaluate(threshold(ERRORS, limit), viewOf(failing(bad, count)))
          expect(rate.holds).toBe(bad * 1_000 > permille * count)
          const history = historyOf(SCORE, [{ atMs: END - 1, values: [seconds(bad)], count }])
          const mean = evaluate(threshold(SCORE, limit), viewOf(history))
          expect(mean.holds).toBe(bad * 1_000 > permille * count)
        },
      ),
      { seed: 20_260_311, numRuns: 1_000 },
    )
  })

  test('of a count see that there is nothing, where that is enough', () => {
    const silence = threshold(measureOf('count'), 1, { direction: 'below' })
    expect(evaluate(silence, viewOf(undefined, { minCount: 0 })).holds).toBe(true)
    expect(evaluate(silence, viewOf(undefined)).holds).toBeUndefined()
  })

  test('refuse a limit that is no number', () => {
    const condition = threshold(COST, Number.NaN)
    expect(() => evaluate(condition, viewOf(spending(1)))).toThrow(RangeError)
  })
})

const BURN: Burn = {
  type: 'burn',
  measure: ERRORS,
  allowed: 0.001,
  periodMs: 30 * DAY,
  rate: 14.4,
  longMs: HOUR,
  shortMs: 5 * MINUTE,
}
const BUDGET: Budget = {
  type: 'budget',
  measure: COST,
  limit: 100,
  part: 1,
  isProjected: false,
  period: { unit: 'month', timeZone: 'UTC', cycleDay: 1 },
  overrides: [],
}

describe('What a condition reads', () => {
  const month = 31 * DAY + 2 * HOUR
  test.each([
    ['a window', HOURLY_10, HOUR],
    ['a window and the period before', SPIKE, HOUR + DAY],
    ['a window alone', first(SCORE, 2, 'above'), HOUR],
    ['the long window', BURN, HOUR],
    ['a month', BUDGET, month],
    [
      'four weeks and a day',
      { ...BUDGET, isProjected: true, period: { ...BUDGET.period, unit: 'day' } },
      29 * DAY + 2 * HOUR,
    ],
    ['an hour', { ...BUDGET, isProjected: true, period: { ...BUDGET.period, unit: 'hour' } }, HOUR],
    [
      'the longest of all',
      { type: 'all', conditions: [BURN, { type: 'not', condition: BUDGET }] },
      month,
    ],
  ] as const)('is %s', (_, condition: Condition, expected) => {
    expect(lookbackMs(condition)).toBe(expected)
  })

  test.each([
    ['a threshold', HOURLY_10, END - HOUR],
    ['a burn rate', BURN, END - HOUR],
    ['a budget', BUDGET, Date.parse('2026-06-01T00:00:00Z')],
    [
      'the first of several',
      { type: 'all', conditions: [BUDGET, BURN] },
      Date.parse('2026-06-01T00:00:00Z'),
    ],
    ['what does not hold', { type: 'not', condition: SLOW_5 }, END - MINUTE],
  ] as const)('of %s is shown from where it starts', (_, condition: Condition, startMs) => {
    const { windowStartMs, windowEndMs } = evaluate(condition, viewOf(undefined))
    expect([windowStartMs, windowEndMs]).toEqual([startMs, END])
  })
})
