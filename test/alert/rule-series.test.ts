import { describe, expect, test } from 'vitest'
import type { Rule } from '../../services/alert/rule.ts'
import { HOUR, MINUTE, readRules } from './rule-texts.ts'

const seriesOf = ({ condition }: Rule) =>
  'measure' in condition ? condition.measure.series : undefined

const partText = (window: string) => `{ metric: count, window: ${window}, condition: { above: 5 } }`

/** A rule with a limit in the unit of its metric, which is the count if none is given. */
function ruleText(name: string, given: string): string {
  const metric = given.includes('metric') ? [] : ['metric: count']
  const unit = given.includes('cost') ? ' USD' : given.includes('error_rate') ? '%' : ''
  const lines = [...metric, 'window: 1m', `condition: { above: 5${unit} }`, ...given.split('\n')]
  return [`  - name: ${name}`, ...lines.map((line) => `    ${line}`)].join('\n')
}

describe('Rules that count the same', () => {
  const { rules, series } = readRules(
    `
rules:
  - name: p95
    metric: p95(duration)
    where: { kind: llm, environment: [a, b] }
    by: [model]
    contributors: tenant
    window: 1m
    condition: { above: 5s }
  - name: mean
    metric: mean(duration)
    where: { environment: [b, a, b], kind: [llm] }
    by: [model]
    max_groups: 20000
    window: 2h
    condition: { above: 5s }`,
    `
rules:
  - name: longer
    metric: p50(duration)
    where: { kind: llm, environment: [a, b] }
    by: [model]
    max_groups: 100
    window: 1h
    condition: { above: 5s }`,
  )

  test('share one series, kept as the most demanding asks', () => {
    const [shared, contributors, ...others] = series
    expect(others).toEqual([])
    expect(shared).toMatchObject({
      by: ['model'],
      hasBins: true,
      retainMs: 2 * HOUR,
      maxGroups: 20_000,
      bucketMs: MINUTE,
    })
    for (const rule of rules) expect(seriesOf(rule)).toBe(shared)
    expect(rules[0]?.contributors).toBe(contributors)
    expect(contributors).toMatchObject({ by: ['model', 'tenant'], retainMs: MINUTE })
  })

  test.each([
    ['source', 'source: dead_letters\nby: [worker]'],
    ['where', 'where: { kind: tool }'],
    ['not where', 'where: { kind: { not: llm } }'],
    ['by', 'by: [model, tenant]'],
    ['order of by', 'by: [tenant, model]'],
    ['bad', 'metric: error_rate'],
    ['value', 'metric: sum(cost)'],
    ['bucket', 'every: 30s'],
  ])('do not if their %s differs', (_, lines) => {
    const plain = lines.startsWith('by') ? '' : 'by: [model]'
    const both = `rules:\n${ruleText('one', 'by: [model]')}\n${ruleText('two', lines.includes('by') ? lines : `${plain}\n${lines}`)}`
    expect(readRules(both).series).toHaveLength(2)
  })

  test('by one dimension more than a rule are not those that another rule is by', () => {
    const { series: both } = readRules(`
rules:
  - { name: one, metric: count, window: 1m, by: [model], contributors: tenant, condition: { above: 5 } }
  - { name: two, metric: count, window: 1m, by: [model, tenant], condition: { above: 5 } }
`)
    expect(both.map(({ by, keyLength }) => [by.join(), keyLength])).toEqual([
      ['model', 1],
      ['model,tenant', 1],
      ['model,tenant', 2],
    ])
    expect(new Set(both.map(({ id }) => id)).size).toBe(3)
  })

  test('in several parts of one rule share too', () => {
    const {
      rules: [rule],
      series: one,
    } = readRules(
      `rules: [{ name: one, every: 1m, condition: { all: [${partText('5m')}, { not: ${partText('1h')} }] } }]`,
    )
    expect(one).toHaveLength(1)
    expect(one[0]?.retainMs).toBe(HOUR)
    const conditions = rule?.condition.type === 'all' ? rule.condition.conditions : []
    expect(conditions).toMatchObject([
      { type: 'threshold', measure: { series: one[0] } },
      { type: 'not', condition: { measure: { series: one[0] } } },
    ])
  })
})
