import { describe, expect, test } from 'vitest'
import type { LabRecord } from '../../support/alert-lab.ts'
import { alertsOf, calls, every, HOUR, MINUTE, START, statesOf } from './shipped-lab.ts'

const OBSERVE_MS = 10_000

/** What the pipeline says of itself every ten seconds, from one time to another. */
const observed = (
  texts: Readonly<Record<string, string>>,
  value: number,
  fromMs: number,
  toMs: number,
): readonly LabRecord[] =>
  every(OBSERVE_MS, fromMs, toMs).map((eventMs) => ({
    source: 'system',
    eventMs,
    traceId: '',
    texts,
    values: { gauge: Math.round(value * 1_000) },
  }))

const GAUGES = [
  {
    rule: 'consumer-lag',
    texts: { observation: 'lag', group: 'enrich', topic: 'spans' },
    group: { group: 'enrich', topic: 'spans' },
    limit: 10_000,
    above: 10_001,
    between: 6_000,
    back: 5_000,
  },
  {
    rule: 'watermark-stalled',
    texts: { observation: 'watermark_lag', group: '', topic: 'spans' },
    group: { topic: 'spans' },
    limit: 300,
    above: 301,
    between: 200,
    back: 119,
  },
  {
    rule: 'price-list-age',
    texts: { observation: 'price_list_age', group: '', topic: 'genai-prices@0.1.8' },
    group: {},
    limit: 90,
    above: 90.1,
    between: 90.05,
    back: 0.1,
  },
  {
    rule: 'groups-overflow',
    texts: { observation: 'groups_overflow', group: '', topic: '' },
    group: {},
    limit: 0,
    above: 1,
    between: 1,
    back: 0,
  },
]

describe.each(GAUGES)('$rule', ({ rule, texts, group, limit, above, between, back }) => {
  test.each([
    [limit, []],
    [above, ['firing']],
  ])('%f: %j', (value, states) => {
    const records = observed(texts, value, START, START + HOUR)
    const alerts = alertsOf(rule, records, START + HOUR)
    expect(statesOf(alerts)).toEqual(states)
    expect(alerts.every((alert) => JSON.stringify(alert.group) === JSON.stringify(group))).toBe(
      true,
    )
  })

  test('goes on until it is back to where it resolves', () => {
    const half = START + 30 * MINUTE
    const after = (value: number) => [
      ...observed(texts, above, START, half),
      ...observed(texts, value, half, START + HOUR),
    ]
    expect(statesOf(alertsOf(rule, after(between), START + HOUR))).toEqual(['firing'])
    expect(statesOf(alertsOf(rule, after(back), START + HOUR))).toEqual(['firing', 'resolved'])
  })

  test('is silent of other observations', () => {
    const other = { ...texts, observation: 'other' }
    expect(alertsOf(rule, observed(other, above, START, START + HOUR), START + HOUR)).toEqual([])
  })
})

test('consumer-lag takes means: a short peak of one worker is none', () => {
  const texts = { observation: 'lag', group: 'enrich', topic: 'spans' }
  const records = [
    ...observed(texts, 100, START, START + HOUR),
    ...observed(texts, 50_000, START + 10 * MINUTE, START + 10.5 * MINUTE),
  ]
  expect(alertsOf('consumer-lag', records, START + HOUR)).toEqual([])
})

const letters = (count: number, reason: string, withinMs: number): readonly LabRecord[] =>
  Array.from({ length: count }, (_, i) => ({
    source: 'dead_letters',
    eventMs: START + Math.floor((i * withinMs) / count),
    traceId: '',
    texts: { worker: 'ingest', reason, source: 'otlp.spans' },
    values: {},
  }))

describe('dead-letters-growing', () => {
  test.each([
    ['10 in ten minutes', letters(10, 'a', 9 * MINUTE), []],
    ['11 in ten minutes', letters(11, 'a', 9 * MINUTE), ['firing', 'resolved']],
    ['11 in twenty minutes', letters(11, 'a', 20 * MINUTE), []],
    ['10 of one reason and 10 of another', [...letters(10, 'a', 1), ...letters(10, 'b', 1)], []],
  ])('%s: %j', (_, records, states) => {
    const alerts = alertsOf('dead-letters-growing', records, START + HOUR)
    expect(statesOf(alerts)).toEqual(states)
    expect(
      alerts.every(({ group }) => group['worker'] === 'ingest' && group['reason'] === 'a'),
    ).toBe(true)
  })
})

const callsThatAre = (price_status: string) =>
  calls(START, 5, { texts: { model: 'new', price_status } })

describe('unpriced-models', () => {
  test.each([
    ['unpriced', ['firing', 'resolved']],
    ['priced', []],
    ['not_applicable', []],
    ['no_usage', []],
  ])('A call that is %s: %j', (status, states) => {
    const alerts = alertsOf('unpriced-models', callsThatAre(status), START + 3 * HOUR)
    expect(statesOf(alerts)).toEqual(states)
    expect(alerts.every(({ group }) => group['model'] === 'new')).toBe(true)
  })
})

const skewedSpans = (seconds: number, skewed: number, count: number) =>
  calls(START, count, { texts: { service: 'api' } }, skewed, {
    texts: { service: 'api' },
    values: { skew: seconds * 1e9 },
  })

describe('clock-skew', () => {
  test.each([
    ['all spans end 58 s after they came in', skewedSpans(58, 20, 20), []],
    ['all spans end 62 s after they came in', skewedSpans(62, 20, 20), ['firing', 'resolved']],
    ['1 of 200 spans does', skewedSpans(3_600, 1, 200), []],
    ['4 of 200 spans do', skewedSpans(3_600, 4, 200), ['firing', 'resolved']],
    ['9 of 9 spans do', skewedSpans(3_600, 9, 9), []],
  ])('%s: %j', (_, records, states) => {
    const alerts = alertsOf('clock-skew', records, START + HOUR)
    expect(statesOf(alerts)).toEqual(states)
    expect(alerts.every(({ group }) => group['service'] === 'api')).toBe(true)
  })
})
