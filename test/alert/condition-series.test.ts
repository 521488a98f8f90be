import { expect, test } from 'vitest'
import { seriesOf, windowMsOf } from '../../services/alert/condition-series.ts'
import { conditionOf, DAY, HOUR, MINUTE } from './rule-texts.ts'

const LIMIT = `
metric: mean(duration)
window: 5m
condition: { above: 5s }`
const BASELINE = `
metric: mean(duration)
window: 1h
condition: { above: 2x, baseline: { trailing: 1d } }`
const BURN = `
metric: error_rate
condition: { burn: { objective: 99%, levels: [{ rate: 14.4, long: 1h, short: 5m }] } }`
const BUDGET = `
metric: sum(cost)
condition: { budget: { limit: 1 USD, period: day } }`
const ALL = `
every: 1m
condition:
  all:
    - { metric: mean(duration), window: 5m, condition: { above: 5s } }
    - { source: evaluations, metric: mean(score), window: 1h, condition: { below: 0.5 } }
    - not: { metric: sum(cost), window: 2h, condition: { above: 1 USD } }`

test.each([
  ['a limit', LIMIT, ['duration'], 5 * MINUTE],
  ['a baseline, whose period before does not count', BASELINE, ['duration'], HOUR],
  ['a burn rate: the long window', BURN, [undefined], HOUR],
  ['several: the longest', ALL, ['duration', 'score', 'cost'], 2 * HOUR],
])('Series and window of %s', (_, yaml, values, windowMs) => {
  const condition = conditionOf(yaml)
  expect(seriesOf(condition).map(({ value }) => value)).toEqual(values)
  expect(windowMsOf(condition)).toBe(windowMs)
})

test('A budget may say something for as long as anything of its period is kept', () => {
  const condition = conditionOf(BUDGET)
  const [series] = seriesOf(condition)
  expect(windowMsOf(condition)).toBe(series?.retainMs)
  expect(windowMsOf(condition)).toBeGreaterThanOrEqual(DAY)
})
