import { expect, test } from 'vitest'
import { evaluations } from '#schemas/topics.ts'
import { createEvaluationsTransform } from '../../services/ingest/evaluations-transform.ts'
import { byContent } from '../../services/ingest/topic-receiver.ts'
import { record } from '../support/memory.ts'

const good = { trace_id: 'ab'.repeat(16), evaluator: 'judge', score: 0.5, tenant: 'mine' }
const bodyOf = (value: unknown) => Buffer.from(JSON.stringify(value))
const told: number[] = []
const transform = createEvaluationsTransform((count) => told.push(count))
const is = (value: string) => () => ({ values: [Buffer.from(value)], rejected: [] })
const decoded = (values: readonly Buffer[] = []) =>
  values.flatMap((value) => evaluations.codec.decode(value))

test('Scores of a record become batches; the bad ones are rejected with the tenant of its header', () => {
  const value = bodyOf([good, { ...good, score: 7 }])
  const { values, secondValues, rejected } = transform(
    record(0, value, { headers: { tenant: 'acme' } }),
  )
  expect(values).toEqual([])
  expect(decoded(secondValues)).toMatchObject([{ evaluator: 'judge', tenant: 'acme' }])
  expect(rejected).toMatchObject([
    { index: 1, reason: 'invalid_evaluation', format: 'evaluation_json', tenant: 'acme' },
  ])
  expect(told).toEqual([1])
})

test('Without a header a score says itself whose it is; what is no JSON is rejected whole', () => {
  expect(decoded(transform(record(0, bodyOf(good))).secondValues)).toMatchObject([
    { tenant: 'mine' },
  ])
  expect(transform(record(0, '{')).rejected).toMatchObject([{ index: -1, reason: 'malformed' }])
})

test('A record says by a header that it holds scores', () => {
  const either = byContent(is('spans'), is('scores'))
  const of = (headers: Readonly<Record<string, string>>) =>
    either(record(0, 'x', { headers })).values.join()
  expect([of({}), of({ holds: 'evaluations' }), of({ holds: 'more' })]).toEqual([
    'spans',
    'scores',
    'spans',
  ])
})
