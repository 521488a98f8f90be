import { describe, expect, test } from 'vitest'
import { loadConventions } from '../../services/ingest/conventions.ts'
import { explainRequest } from '../../services/ingest/explain.ts'
import { type Attributes, otlpRequest, START } from '../support/otlp-proto.ts'
import { LIMITS } from '../support/spans.ts'

const conventions = loadConventions()

function explain(attributes: Attributes) {
  const span = { name: 'chat', start: START, end: START + 10_000_000_000n, attributes }
  const explained = explainRequest(conventions, LIMITS, 'proto', otlpRequest({ spans: [span] }))
  if (explained.type !== 'explained') throw new Error(explained.message)
  const [only] = explained.spans
  if (only === undefined) throw new Error('no span came out')
  return only
}

const fieldOf = (name: string, attributes: Attributes) =>
  explain(attributes).fields.find(({ field }) => field === name)

describe('A field', () => {
  test.each<[string, string, string, Attributes]>([
    [
      'input_tokens',
      '7',
      'opentelemetry: gen_ai.usage.prompt_tokens',
      [['gen_ai.usage.prompt_tokens', 7]],
    ],
    [
      'time_to_first_token_nano',
      '250000000',
      'opentelemetry: gen_ai.response.time_to_first_chunk in s',
      [['gen_ai.response.time_to_first_chunk', { double: 0.25 }]],
    ],
    [
      'kind',
      'llm',
      'opentelemetry: value of gen_ai.operation.name',
      [['gen_ai.operation.name', 'chat']],
    ],
    ['kind', 'other', 'worked out', [['x', 1]]],
    ['name', 'chat', 'OTLP', []],
    [
      'provider',
      'azure.ai.openai',
      'opentelemetry: gen_ai.system',
      [['gen_ai.system', 'az.ai.openai']],
    ],
    [
      'provider',
      'openai',
      'worked out',
      [
        ['gen_ai.operation.name', 'chat'],
        ['gen_ai.request.model', 'openai/gpt-4o'],
      ],
    ],
  ])('%s is %s from %s', (field, value, from, attributes) => {
    expect(fieldOf(field, attributes)).toEqual({ field, value, from })
  })

  test('that is empty is not told', () => {
    expect(fieldOf('output_tokens', [])).toBeUndefined()
  })
})

test('Attributes are told as they came, and as they remain', () => {
  const { before, attributes } = explain([
    ['gen_ai.usage.input_tokens', 7],
    ['app.plan', 'pro'],
  ])
  expect(before).toEqual({ 'gen_ai.usage.input_tokens': '7', 'app.plan': 'pro' })
  expect(attributes).toEqual({ 'app.plan': 'pro' })
})

test('Flags are told', () => {
  const { flags } = explain([
    ['gen_ai.usage.input_tokens', 7],
    ['gen_ai.usage.cache_read.input_tokens', 9],
  ])
  expect(flags).toEqual(['cache_exceeds_input'])
})

test('A refused span is told with its number and the reason', () => {
  const spans = [{ name: 'a' }, { name: 'b', traceId: Buffer.alloc(16) }]
  expect(explainRequest(conventions, LIMITS, 'proto', otlpRequest({ spans }))).toMatchObject({
    type: 'explained',
    spans: [{ name: 'a' }],
    rejected: [{ index: 1, detail: 'trace_id must be 16 bytes, not all of them zero' }],
  })
})

test('What is no request is malformed', () => {
  expect(explainRequest(conventions, LIMITS, 'json', Buffer.from('{'))).toMatchObject({
    type: 'malformed',
  })
})
