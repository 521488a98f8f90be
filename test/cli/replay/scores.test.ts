import { describe, expect, it } from 'vitest'
import { features } from '../../../services/cli/replay/features.ts'
import { isWithin, qualityDip } from '../../../services/cli/replay/incidents.ts'
import { scoreEvents } from '../../../services/cli/replay/scores.ts'
import { models } from '../../../services/cli/replay/workload.ts'
import { sampleCalls } from './sample-calls.ts'

const calls = sampleCalls()
const scores = calls.flatMap(({ span, facts, minute }) =>
  span.events
    .filter(({ name }) => name === 'gen_ai.evaluation.result')
    .map(({ attributes }) => ({
      feature: facts.feature,
      model: facts.model,
      isDip: facts.feature === qualityDip.feature && isWithin(minute, qualityDip),
      evaluator: String(attributes['gen_ai.evaluation.name']),
      value: Number(attributes['gen_ai.evaluation.score.value']),
    })),
)
type SampleScore = (typeof scores)[number]
const mean = (of: readonly SampleScore[]) =>
  of.reduce((sum, { value }) => sum + value, 0) / of.length
const usual = scores.filter(({ isDip }) => !isDip)
const usualOf = (model: string) => usual.filter((score) => score.model === model)

describe('The scores of the sample', () => {
  it('are given to a fifth of the calls that went well', () => {
    const well = calls.filter(({ facts }) => facts.errorType === undefined)
    const scored = calls.filter(({ facts }) => facts.evaluators.length > 0)
    expect(scored.every(({ facts }) => facts.errorType === undefined)).toBe(true)
    expect(Math.abs(scored.length / well.length - 0.2)).toBeLessThan(0.01)
  })

  it.each(
    features.flatMap(({ name, evaluators }) =>
      evaluators.map((evaluator) => [name, evaluator.name, evaluator.mean] as const),
    ),
  )('of %s by %s are about %d on average', (feature, evaluator, expected) => {
    const own = usual.filter((score) => score.feature === feature && score.evaluator === evaluator)
    expect(own.length).toBeGreaterThan(300)
    expect(Math.abs(mean(own) - expected)).toBeLessThan(0.02)
  })

  it('differ by model as documented', () => {
    const offset = models.find(({ model }) => model === 'gpt-4o')?.scoreOffset ?? 0
    for (const { model, scoreOffset } of models) {
      const own = usualOf(model)
      // Three times the standard error of few scores, and what cutting off at 1 takes away.
      const tolerance = 0.02 + (3 * 0.12) / Math.sqrt(own.length)
      const actual = mean(own) - mean(usualOf('gpt-4o'))
      expect(Math.abs(actual - (scoreOffset - offset))).toBeLessThan(tolerance)
    }
  })

  it('are hundredths from 0 to 1', () => {
    for (const { value } of scores) {
      expect(value >= 0 && value <= 1).toBe(true)
      expect(Math.round(value * 100) / 100).toBe(value)
    }
  })

  it('of one feature are worse for a while, and of that one alone', () => {
    const dip = scores.filter(({ isDip }) => isDip)
    expect(dip.length).toBeGreaterThan(200)
    expect(mean(dip)).toBeLessThan(0.55)
    expect(mean(usual.filter(({ feature }) => feature === qualityDip.feature))).toBeGreaterThan(0.8)
  })

  it('say by an event where quality is low', () => {
    for (const { span } of calls) {
      const low = span.events.filter(
        ({ attributes }) => Number(attributes['gen_ai.evaluation.score.value']) < 0.5,
      )
      const told = span.events.filter(({ name }) => name === 'low_quality_output')
      const nameOf = (events: typeof low) =>
        events.map(({ attributes }) => attributes['gen_ai.evaluation.name'])
      expect(nameOf(told)).toEqual(nameOf(low))
    }
  })
})

describe('scoreEvents', () => {
  it('labels a score, and explains one that fails', () => {
    expect(scoreEvents([{ evaluator: 'relevance', value: 0.7 }])).toEqual([
      {
        name: 'gen_ai.evaluation.result',
        attributes: {
          'gen_ai.evaluation.name': 'relevance',
          'gen_ai.evaluation.score.value': 0.7,
          'gen_ai.evaluation.score.label': 'pass',
        },
      },
    ])
    expect(scoreEvents([{ evaluator: 'factuality', value: 0.69 }])).toMatchObject([
      {
        attributes: {
          'gen_ai.evaluation.score.label': 'fail',
          'gen_ai.evaluation.explanation': 'The sources do not support a claim.',
        },
      },
    ])
  })

  it('tells of low quality once for each low score', () => {
    const events = scoreEvents([
      { evaluator: 'relevance', value: 0.5 },
      { evaluator: 'factuality', value: 0.49 },
    ])
    expect(events.filter(({ name }) => name === 'low_quality_output')).toEqual([
      { name: 'low_quality_output', attributes: { 'gen_ai.evaluation.name': 'factuality' } },
    ])
  })
})
