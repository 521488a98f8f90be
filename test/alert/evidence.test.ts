import { describe, expect, test } from 'vitest'
import { findEvidence } from '../../services/alert/evidence.ts'
import { Histories } from '../../services/alert/histories.ts'
import type { Condition, Measure, Read, Rule } from '../../services/alert/rule.ts'
import {
  joinGroup,
  OTHER_GROUP,
  type SeriesSpec,
  type ValueField,
} from '../../services/alert/series.ts'
import { HOUR, MINUTE, NOON, ruleOf, verdictOf } from './alert-samples.ts'
import { seriesOf } from './condition-samples.ts'
import { deltaOf } from './delta-samples.ts'

const BY = ['tenant', 'feature']

/** A rule by tenant and feature, whose contributors are models. */
function ruleBy(read: Read, value?: ValueField, condition?: (measure: Measure) => Condition) {
  const series = seriesOf(value, { by: BY, keyLength: 2 })
  const measure = { series, read, unit: '' }
  const contributors: SeriesSpec = { ...series, id: 'models', by: [...BY, 'model'] }
  const rule = ruleOf({
    by: BY,
    condition: condition?.(measure) ?? {
      type: 'threshold',
      measure,
      windowMs: HOUR,
      direction: 'above',
      limit: 1,
      resolveLimit: 1,
    },
    contributors,
  })
  return { rule, series, contributors }
}

const GROUP = ['acme', 'search']
const verdict = verdictOf('bad', NOON, { windowStartMs: NOON - HOUR, windowEndMs: NOON })

/** Models and what each has; others are of another feature, or outside of the window. */
function contributorsOf(
  { rule, series, contributors }: ReturnType<typeof ruleBy>,
  models: Readonly<Record<string, Parameters<typeof deltaOf>[3]>>,
) {
  const histories = new Histories()
  histories.configure([series, contributors])
  for (const [model, more] of Object.entries(models)) {
    histories.add(deltaOf(contributors, [...GROUP, model], NOON - MINUTE, more))
    histories.add(deltaOf(contributors, [...GROUP, 'too early'], NOON - HOUR - 1, more))
    histories.add(deltaOf(contributors, [...GROUP, 'too late'], NOON, more))
    histories.add(deltaOf(contributors, ['acme', 'chat', 'elsewhere'], NOON - MINUTE, more))
  }
  return findEvidence(rule, joinGroup(GROUP), verdict, histories).contributors.map(
    ({ dimension, name, value }) => [dimension, name, value],
  )
}

describe('Contributors', () => {
  test('of a sum are those with the largest sums, in the unit that people read', () => {
    const models = {
      a: { count: 9, sum: 1_500_000_000_000n },
      b: { count: 1, sum: 2_000_000_000_000n },
    }
    expect(contributorsOf(ruleBy({ type: 'sum' }, 'cost'), models)).toEqual([
      ['model', 'b', 2],
      ['model', 'a', 1.5],
    ])
  })

  test('of a rate are those with the most bad records', () => {
    const models = { a: { count: 100, bad: 2 }, b: { count: 3, bad: 3 }, c: { count: 50 } }
    expect(contributorsOf(ruleBy({ type: 'rate' }), models)).toEqual([
      ['model', 'b', 3],
      ['model', 'a', 2],
    ])
  })

  test.each<[string, Read, ValueField | undefined]>([
    ['a count', { type: 'count' }, undefined],
    ['a mean', { type: 'mean' }, 'duration'],
    ['a percentile', { type: 'quantile', q: 0.95 }, 'duration'],
  ])('of %s are those with the most records', (_, read, field) => {
    const models = { a: { count: 2, sum: 9n }, b: { count: 3, sum: 1n } }
    expect(contributorsOf(ruleBy(read, field), models)).toEqual([
      ['model', 'b', 3],
      ['model', 'a', 2],
    ])
  })

  test('are five at most, and in the order of their names where they have the same', () => {
    const models = Object.fromEntries(['g', 'c', 'f', 'b', 'e', 'd'].map((name) => [name, {}]))
    const named = contributorsOf(ruleBy({ type: 'count' }), { ...models, a: { count: 2 } })
    expect(named.map(([, name]) => name)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('may be all those that had no room', () => {
    const models = Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`m${i}`, {}]))
    const [first] = contributorsOf(ruleBy({ type: 'count' }), models)
    expect(first?.slice(0, 2)).toEqual(['model', OTHER_GROUP])
  })

  test.each<[string, (measure: Measure) => Condition]>([
    [
      'several',
      (measure) => ({
        type: 'all',
        conditions: [thresholdOf(measure), thresholdOf({ ...measure, read: { type: 'count' } })],
      }),
    ],
    ['a negation', (measure) => ({ type: 'not', condition: thresholdOf(measure) })],
  ])('of %s are those of the first measure', (_, condition) => {
    const models = { a: { count: 1, sum: 3_000_000_000_000n }, b: { count: 2, sum: 1n } }
    const [first] = contributorsOf(ruleBy({ type: 'sum' }, 'cost', condition), models)
    expect(first).toEqual(['model', 'a', 3])
  })
})

const thresholdOf = (measure: Measure): Condition => ({
  type: 'threshold',
  measure,
  windowMs: HOUR,
  direction: 'above',
  limit: 1,
  resolveLimit: 1,
})

describe('Traces', () => {
  const { rule, series, contributors } = ruleBy({ type: 'count' })
  const tracesOf = (own: Rule, ...traces: readonly (readonly [string, number, number])[]) => {
    const histories = new Histories()
    histories.configure([series, contributors])
    for (const [traceId, traceValue, atMs] of traces) {
      histories.add(deltaOf(series, GROUP, atMs, { traceId, traceValue }))
    }
    return findEvidence(own, joinGroup(GROUP), verdict, histories).traceIds
  }

  test('are the worst of the window, five at most', () => {
    const minutes = [1, 2, 3, 4, 5, 6].map(
      (minute) => [`t${minute}`, minute, NOON - minute * MINUTE] as const,
    )
    const before = ['before', 99, NOON - HOUR - MINUTE] as const
    const after = ['after', 99, NOON] as const
    expect(tracesOf(rule, ...minutes, before, after)).toEqual(['t6', 't5', 't4', 't3', 't2'])
  })

  test('are none where no record of the window had one', () => {
    expect(tracesOf(rule, ['', 0, NOON - MINUTE])).toEqual([])
    expect(tracesOf(rule)).toEqual([])
  })
})

test('A rule without contributors names none', () => {
  const { rule, series } = ruleBy({ type: 'count' })
  const { contributors: _contributors, ...plain } = rule
  const histories = new Histories()
  histories.configure([series])
  expect(findEvidence(plain, joinGroup(GROUP), verdict, histories)).toEqual({
    contributors: [],
    traceIds: [],
  })
})
