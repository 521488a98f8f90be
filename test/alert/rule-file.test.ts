import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { evaluate } from '../../services/alert/conditions.ts'
import { DIMENSIONS } from '../../services/alert/dimensions.ts'
import { requireDimension } from '../../services/alert/facts-dimensions.ts'
import { GroupHistory } from '../../services/alert/history.ts'
import { parseRuleFiles, shippedRuleFiles } from '../../services/alert/rule-file.ts'
import type { Condition, Rule } from '../../services/alert/rule.ts'
import type { Source } from '../../services/alert/series.ts'
import { DAY, HOUR, MINUTE, mistakesIn, readRules } from './rule-texts.ts'

const files = shippedRuleFiles().map((file) => ({ file, text: readFileSync(file, 'utf8') }))
const shipped = parseRuleFiles(files)
const byId = new Map(shipped.rules.map((rule) => [rule.id, rule]))
const page = readFileSync(new URL('../../docs/alerts.md', import.meta.url), 'utf8')

function get(id: string): Rule {
  const rule = byId.get(id)
  if (rule === undefined) throw new Error(`there is no rule ${id}`)
  return rule
}

const counting = (name: string, above: number) =>
  `  - { name: ${name}, metric: count, window: 5m, condition: { above: ${above} } }`
const limits = (rules: readonly Rule[]) =>
  rules.map(({ name, condition }) => [name, 'limit' in condition ? condition.limit : undefined])

describe('Rule files', () => {
  test('may hold nothing', () => {
    for (const text of ['', '# nothing', '{}', 'rules: []']) {
      expect(readRules(text)).toEqual({ rules: [], series: [], allowedLatenessMs: 30_000 })
    }
    expect(readRules()).toEqual({ rules: [], series: [], allowedLatenessMs: 30_000 })
  })

  test('replace rules of the same name in files before them', () => {
    const { rules } = readRules(
      `rules:\n${counting('a', 1)}\n${counting('b', 2)}`,
      `rules:\n${counting('c', 3)}\n${counting('a', 4)}`,
    )
    expect(limits(rules)).toEqual([
      ['b', 2],
      ['c', 3],
      ['a', 4],
    ])
  })

  test('switch rules off, wherever they are', () => {
    const { rules, series } = readRules(
      `disable: [b, c]\nrules:\n${counting('a', 1)}\n${counting('b', 2)}`,
      `rules:\n${counting('c', 3)}`,
    )
    expect(limits(rules)).toEqual([['a', 1]])
    expect(series).toHaveLength(1)
  })

  test('say how late records may be, of which the last holds', () => {
    const given = 'allowed_lateness: 2m'
    expect(readRules(given, 'rules: []').allowedLatenessMs).toBe(120_000)
    expect(readRules(given, 'allowed_lateness: 0s').allowedLatenessMs).toBe(0)
  })

  test('are looked at for mistakes in rules that do not hold', () => {
    const broken = 'rules: [{ name: a, metric: count, window: 7, condition: { above: 1 } }]'
    expect(mistakesIn(broken, `rules:\n${counting('a', 1)}`)).toHaveLength(1)
    expect(mistakesIn(broken, 'disable: [a]')).toHaveLength(1)
  })

  test('say the same in whatever order their keys are', () => {
    const texts = files.map(({ text }) => parse(text, { schema: 'failsafe' }))
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), (numbers) => {
        const shuffled = texts.map((text, i) => ({
          file: String(i),
          text: stringify(shuffle(text, numbers)),
        }))
        expect(parseRuleFiles(shuffled)).toEqual(shipped)
      }),
      { seed: 1, numRuns: 20 },
    )
  })
})

/** The same with the keys of every map in another order; a list's order says something. */
function shuffle(value: unknown, numbers: Iterator<number>): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffle(item, numbers))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => ({ key, inner, at: Number(numbers.next().value) }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ key, inner }) => [key, shuffle(inner, numbers)]),
  )
}

describe('The rules that ship', () => {
  test('are of seven files', () => {
    expect(files.map(({ file }) => basename(file, '.yaml'))).toEqual([
      'context',
      'cost',
      'errors',
      'latency',
      'quality',
      'self',
      'slo',
    ])
  })

  test('say what they say of whom, in words of their own', () => {
    const silent = shipped.rules.filter(
      ({ summary, by }) =>
        !['value', ...by].every((variable) => summary.includes(`{{${variable}}}`)),
    )
    expect(silent).toEqual([])
    // As it is written in the file, not the default.
    expect(shipped.rules.filter(({ summary }) => summary.includes('{{rule}}'))).toEqual([])
  })

  const spans = { source: 'spans' }
  const llm = { dimension: 'kind', values: ['llm'], isNegated: false }
  const notCancelled = { dimension: 'error_type', values: ['cancelled'], isNegated: true }
  const errors = { matches: [{ dimension: 'error_type', values: [''], isNegated: true }] }
  const failed = { series: { ...spans, where: [notCancelled, llm], bad: errors } }
  const spent = { series: { ...spans, where: [], value: 'cost' }, read: { type: 'sum' } }
  const p95 = {
    series: { ...spans, where: [llm], value: 'duration' },
    read: { type: 'quantile', q: 0.95 },
  }
  const scored = { series: { source: 'evaluations', value: 'score' }, read: { type: 'mean' } }
  const day = { type: 'trailing', overMs: DAY }

  test.each<[string, string, Omit<Partial<Rule>, 'condition'> & { readonly condition: object }]>([
    [
      'A1: twice the daily average',
      'cost-spike',
      {
        by: ['tenant'],
        condition: {
          type: 'baseline',
          times: 2,
          windowMs: HOUR,
          floor: 1,
          baseline: day,
          measure: spent,
        },
      },
    ],
    [
      'A2: P95 above 5 s for 5 minutes in a row',
      'latency-p95',
      {
        by: ['model'],
        forCount: 5,
        everyMs: MINUTE,
        condition: { windowMs: MINUTE, direction: 'above', limit: 5, measure: p95 },
      },
    ],
    [
      'A2: P95 above 10 s for 5 minutes',
      'latency-p95-critical',
      {
        severity: 'critical',
        forCount: 5,
        condition: { windowMs: MINUTE, limit: 10, measure: p95 },
      },
    ],
    [
      'A3: errors above 5 % over 10 minutes',
      'error-rate',
      {
        by: ['model'],
        minCount: 100,
        condition: { windowMs: 10 * MINUTE, direction: 'above', limit: 0.05, measure: failed },
      },
    ],
    [
      'A3: errors above 5 % for 2 minutes',
      'error-rate-critical',
      {
        severity: 'critical',
        by: ['environment'],
        minCount: 100,
        condition: { windowMs: 2 * MINUTE, limit: 0.05, measure: failed },
      },
    ],
    [
      'A4: a score down 10 % on any dimension',
      'score-drop',
      {
        by: ['evaluator', 'dimension', 'feature'],
        condition: {
          direction: 'below',
          times: 0.9,
          baseline: { type: 'trailing' },
          measure: scored,
        },
      },
    ],
    [
      'E4: below 0.7 of the first 100',
      'score-below-first',
      {
        minCount: 20,
        condition: { direction: 'below', times: 0.7, baseline: { type: 'first', count: 100 } },
      },
    ],
    [
      'A5: 100 USD a day',
      'spend-day',
      {
        by: [],
        condition: { type: 'budget', limit: 100, part: 1, period: { unit: 'day' }, measure: spent },
      },
    ],
    [
      'A5: 10 USD an hour',
      'spend-hour',
      {
        isEarly: true,
        condition: { windowMs: HOUR, direction: 'above', limit: 10, measure: spent },
      },
    ],
    [
      'A5: 50 USD in an hour',
      'spend-hour-critical',
      {
        isEarly: true,
        severity: 'critical',
        condition: { windowMs: HOUR, direction: 'above', limit: 50, measure: spent },
      },
    ],
    [
      'A5: one user above 5 USD in an hour',
      'user-spend-hour',
      {
        by: ['tenant', 'user'],
        isEarly: true,
        condition: { windowMs: HOUR, limit: 5, measure: { series: { maxGroups: 20_000 } } },
      },
    ],
    ...[50, 80, 100].map((percent): [string, string, { readonly condition: object }] => [
      `A5: ${percent} % of the month of a tenant and feature`,
      `tenant-feature-month/${percent}%`,
      {
        condition: {
          type: 'budget',
          limit: 3_000,
          part: percent / 100,
          isProjected: false,
          period: { unit: 'month' },
          measure: { series: { by: ['tenant', 'feature'] } },
        },
      },
    ]),
    [
      'A5: the month of a tenant and feature by projection',
      'tenant-feature-month/projected',
      { isEarly: false, condition: { limit: 3_000, part: 1, isProjected: true } },
    ],
    [
      'A6: latency and quality drop together',
      'latency-and-quality',
      {
        by: ['feature'],
        sources: ['spans', 'evaluations'],
        condition: {
          type: 'all',
          conditions: [
            { direction: 'above', times: 1.5, measure: { read: { type: 'mean' } } },
            { direction: 'below', times: 0.9, measure: scored },
          ],
        },
      },
    ],
    [
      'A6: errors without latency',
      'errors-without-latency',
      {
        condition: {
          type: 'all',
          conditions: [
            { direction: 'above', times: 2, measure: failed },
            { type: 'not', condition: { times: 1.2, measure: { read: { type: 'mean' } } } },
          ],
        },
      },
    ],
    [
      'A6: quality of a cohort',
      'quality-cohort',
      { by: ['user_tier', 'dimension'], condition: { direction: 'below', limit: 0.65 } },
    ],
    [
      'A6: quality of critical use cases',
      'quality-critical',
      {
        condition: {
          limit: 0.75,
          measure: {
            series: {
              where: [{ dimension: 'use_case', values: ['critical'], isNegated: false }],
            },
          },
        },
      },
    ],
    ['A6: quality otherwise', 'quality', { condition: { direction: 'below', limit: 0.65 } }],
    ['Calls without a price', 'unpriced-models', { isEarly: true, condition: { limit: 0 } }],
    ['Lag', 'consumer-lag', { condition: { limit: 10_000 } }],
    ['A watermark that stalls', 'watermark-stalled', { condition: { limit: 300 } }],
    ['Dead letters', 'dead-letters-growing', { isEarly: true, condition: { limit: 10 } }],
    ['An old price list', 'price-list-age', { condition: { limit: 90 } }],
    ['Clocks that are ahead', 'clock-skew', { by: ['service'], condition: { limit: 60 } }],
    ['Groups without room', 'groups-overflow', { condition: { limit: 0 } }],
  ])('%s', (_, id, expected) => {
    expect(get(id)).toMatchObject(expected)
  })

  test.each([
    ['slo-errors', 0.01],
    ['slo-latency', 0.05],
    ['slo-cost', 3_000],
  ])('A7: burn rates of %s', (name, allowed) => {
    const levels = [
      ['14.4x', 'critical', HOUR, 5 * MINUTE],
      ['6x', 'critical', 6 * HOUR, 30 * MINUTE],
      ['3x', 'warning', DAY, 2 * HOUR],
      ['1x', 'warning', 3 * DAY, 6 * HOUR],
    ] as const
    for (const [level, severity, longMs, shortMs] of levels) {
      const rate = Number(level.slice(0, -1))
      expect(get(`${name}/${level}`)).toMatchObject({
        severity,
        condition: { type: 'burn', allowed, periodMs: 30 * DAY, rate, longMs, shortMs },
      })
    }
  })

  test('are all told of in docs/alerts.md', () => {
    const names = new Set(shipped.rules.map(({ name }) => name))
    expect([...names].filter((name) => !page.includes(`\`${name}\``))).toEqual([])
  })
})

test('Every dimension that a rule may name is one that records have', () => {
  const sources: readonly Source[] = ['spans', 'evaluations', 'dead_letters', 'system']
  for (const source of sources) {
    for (const dimension of DIMENSIONS[source]) requireDimension(source, dimension)
    expect(DIMENSIONS[source].filter((dimension) => !page.includes(`\`${dimension}\``))).toEqual([])
  }
  requireDimension('spans', 'attributes.app.tier')
})

test('The rule files in docs/alerts.md are ones', () => {
  const samples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text)
  expect(samples.length).toBeGreaterThan(3)
  for (const text of samples)
    expect(mistakesIn(...files.map((file) => file.text), text)).toEqual([])
})

describe('score-drop', () => {
  const { condition, minCount, forCount, everyMs } = get('score-drop')
  const random = createRandom(20_261_121)
  const passing = (share: number) => () => Number(random() < share)

  test.each([
    ['of which 9 in 10 pass', passing(0.9)],
    ['of which 85 in 100 pass', passing(0.85)],
    ['around 0.8, mostly from 0.5 to 1', () => Math.min(1, 0.8 + 0.15 * normal(random))],
  ])('is not fired by the noise of scores %s in 1 % of 1,000 days', (_, score) => {
    let fired = 0
    for (let run = 0; run < 1_000; run++) fired += Number(firesIn(DAY, score, score))
    expect(fired).toBeLessThanOrEqual(10)
  })

  test('is fired by 12 % less within a day', () => {
    let fired = 0
    for (let run = 0; run < 100; run++) {
      fired += Number(firesIn(DAY, passing(0.9), passing(0.9 * 0.88)))
    }
    expect(fired).toBeGreaterThanOrEqual(95)
  })

  /** Whether it fires within a time, after a week of scores; as many scores come as it takes. */
  function firesIn(durationMs: number, before: () => number, after: () => number): boolean {
    const { windowMs, series, overMs } = partsOf(condition)
    const history = new GroupHistory(series)
    const perStep = Math.ceil((minCount * everyMs) / windowMs)
    let held = 0
    for (let startMs = 0; startMs < overMs + durationMs; startMs += everyMs) {
      const isBefore = startMs < overMs
      add(history, startMs / everyMs, perStep, isBefore ? before : after)
      if (isBefore) continue
      const endMs = startMs + everyMs
      const view = { endMs, minCount, group: {}, historyOf: () => history }
      held = evaluate(condition, view).holds === true ? held + 1 : 0
      if (held === forCount) return true
    }
    return false
  }
})

function partsOf(condition: Condition) {
  if (condition.type !== 'baseline' || condition.baseline.type !== 'trailing') {
    throw new Error('this is no trailing baseline')
  }
  const { windowMs, measure, baseline } = condition
  return { windowMs, series: measure.series, overMs: baseline.overMs }
}

function add(history: GroupHistory, bucket: number, count: number, score: () => number): void {
  let units = 0
  for (let i = 0; i < count; i++) units += Math.round(score() * 1e9)
  const high = Math.floor(units / 1e9)
  const tally = {
    count,
    bad: 0,
    high,
    low: units - high * 1e9,
    bins: [],
    traceId: '',
    traceValue: 0,
  }
  history.add(bucket, tally)
}

/** Mulberry32: the same numbers in every run. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
