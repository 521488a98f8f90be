import { describe, expect, test } from 'vitest'
import { readLowQualityEvent, readResultEvent } from '../../services/enrich/evaluation-events.ts'

const NAME = 'gen_ai.evaluation.name'
const VALUE = 'gen_ai.evaluation.score.value'
const LABEL = 'gen_ai.evaluation.score.label'
const of = (attributes: Readonly<Record<string, string>>) => new Map(Object.entries(attributes))

describe('gen_ai.evaluation.result', () => {
  test('says who judged, what, how and why', () => {
    const event = of({
      [NAME]: 'Relevance',
      [VALUE]: '0.75',
      [LABEL]: 'relevant',
      'gen_ai.evaluation.explanation': 'It answers the question.',
      'gen_ai.response.id': 'chatcmpl-1',
      evaluator_version: '2',
      dimension: 'relevance',
      use_case: 'critical',
    })
    expect(readResultEvent(event)).toEqual({
      evaluator: 'Relevance',
      evaluator_version: '2',
      dimension: 'relevance',
      score: 0.75,
      label: 'relevant',
      explanation: 'It answers the question.',
      response_id: 'chatcmpl-1',
      use_case: 'critical',
    })
  })

  test('judges what the evaluator is named after where no dimension is told', () => {
    expect(readResultEvent(of({ [NAME]: 'Relevance' }))).toMatchObject({ dimension: 'Relevance' })
  })

  test.each<[string, string, string, number | null, string]>([
    ['the worst score', '0', '', 0, ''],
    ['the best score', '1', '', 1, ''],
    ['a score with an exponent', '1e-3', 'bad', 0.001, 'bad'],
    ['no score', '', 'pass', null, 'pass'],
    ['a score above 1', '4', '', null, 'out_of_range'],
    ['a score above 1 with a label', '4', 'good', null, 'good'],
    ['a score below 0', '-0.1', '', null, 'out_of_range'],
    ['not a number', 'NaN', '', null, 'out_of_range'],
    ['infinity', 'Infinity', '', null, 'out_of_range'],
    ['a word', 'high', '', null, 'out_of_range'],
  ])('with %s', (_, value, label, score, becomes) => {
    const event = of({ [NAME]: 'e', [VALUE]: value, [LABEL]: label })
    expect(readResultEvent(event)).toMatchObject({ score, label: becomes })
  })

  test.each<[string, Readonly<Record<string, string>>, string]>([
    ['alone is an error', { 'error.type': 'timeout' }, 'error'],
    ['with a label keeps it', { 'error.type': 'timeout', [LABEL]: 'skipped' }, 'skipped'],
    ['with a score is none', { 'error.type': 'timeout', [VALUE]: '1' }, ''],
  ])('with an error.type %s', (_, attributes, label) => {
    expect(readResultEvent(of(attributes))).toMatchObject({ label })
  })

  test('has an explanation of bounded length', () => {
    const event = of({ 'gen_ai.evaluation.explanation': 'x'.repeat(20_000) })
    expect(readResultEvent(event).explanation).toBe('x'.repeat(16_384))
  })
})

describe('low_quality_output', () => {
  test('is a verdict in itself', () => {
    expect(readLowQualityEvent(of({}))).toEqual({
      evaluator: 'low_quality_output',
      evaluator_version: '',
      dimension: 'low_quality_output',
      score: null,
      label: 'low_quality',
      explanation: '',
      response_id: '',
      use_case: '',
    })
  })

  test.each<[string, Readonly<Record<string, string>>, object]>([
    ['score', { score: '0.2' }, { score: 0.2 }],
    ['quality_score', { quality_score: '0.3' }, { score: 0.3 }],
    ['score rather than quality_score', { score: '0.2', quality_score: '0.3' }, { score: 0.2 }],
    ['a score that is none', { score: '7' }, { score: null, label: 'low_quality' }],
    ['reason', { reason: 'It made that up.' }, { explanation: 'It made that up.' }],
    ['dimension', { dimension: 'factuality' }, { dimension: 'factuality' }],
    ['the name of who judged', { [NAME]: 'relevance' }, { dimension: 'relevance' }],
  ])('may have %s', (_, attributes, expected) => {
    expect(readLowQualityEvent(of(attributes))).toMatchObject(expected)
  })
})
