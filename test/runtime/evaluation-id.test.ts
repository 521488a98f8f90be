import { expect, test } from 'vitest'
import { evaluationIdOf, type Judgement } from '../../services/runtime/evaluation-id.ts'

const judgement: Judgement = {
  trace_id: 'a',
  span_id: 'b',
  request_id: 'c',
  response_id: 'd',
  evaluator: 'e',
  evaluator_version: 'f',
  dimension: 'g',
  score: 0.5,
  label: 'h',
  explanation: 'i',
  time: 1n,
}

test('The id of an evaluation hangs on every part of the judgement', () => {
  const others: readonly Partial<Judgement>[] = [
    { trace_id: 'x' },
    { span_id: 'x' },
    { request_id: 'x' },
    { response_id: 'x' },
    { evaluator: 'x' },
    { evaluator_version: 'x' },
    { dimension: 'x' },
    { score: 0.25 },
    { score: null },
    { label: 'x' },
    { explanation: 'x' },
    { time: 2n },
    { time: undefined },
    { trace_id: 'a","b', span_id: '' },
  ]
  const ids = [{}, ...others].map((other) => evaluationIdOf({ ...judgement, ...other }))
  expect(new Set(ids).size).toBe(others.length + 1)
})

test('The id of an evaluation hangs on nothing else, and never changes', () => {
  const more = { ...judgement, tenant: 'acme', origin: 'api' }
  expect(evaluationIdOf(more)).toBe(evaluationIdOf(judgement))
  expect(evaluationIdOf(judgement)).toBe('780eadf36e8497bbd53dd39989b10f1e')
})
