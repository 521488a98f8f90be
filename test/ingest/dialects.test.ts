import { describe, expect, test } from 'vitest'
import {
  compileDialects,
  loadDialects,
  mappableFields,
  parseDialect,
} from '../../services/ingest/dialects.ts'
import { transcodeOne, transcoderOf } from '../support/spans.ts'

const dialect = (text: string) => parseDialect(text, 'test.yaml')

test('Every field that OTLP itself does not fill can be mapped, and no other', () => {
  const names = mappableFields().map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(['tenant', 'input_tokens', 'prompt', 'streaming']))
  for (const name of [
    'trace_id',
    'kind',
    'start_time_unix_nano',
    'attributes',
    'content',
    'name',
  ]) {
    expect(names).not.toContain(name)
  }
})

describe('The dialects as they stand', () => {
  const dialects = loadDialects()
  const find = (key: string) =>
    dialects.spanMeanings[dialects.spanKeys.find(Buffer.from(key), 0, Buffer.byteLength(key))]

  test.each([
    ['gen_ai.usage.input_tokens', 'input_tokens', 1, 1],
    ['gen_ai.usage.prompt_tokens', 'input_tokens', 2, 1],
    ['gen_ai.response.time_to_first_chunk', 'time_to_first_token_nano', 1, 1e9],
  ])('read %s as %s, source number %d, times %d', (key, field, rank, factor) => {
    const meaning = find(key)
    expect(dialects.fields[meaning?.field ?? -1]?.name).toBe(field)
    expect(meaning).toMatchObject({ rank, factor, isContent: false })
  })

  test('hold as content what goes with the prompt', () => {
    expect(find('gen_ai.input.messages')?.isContent).toBe(true)
    expect(find('gen_ai.tool.definitions')).toMatchObject({ isContent: true, field: -1 })
    expect(find('gen_ai.request.model')?.isContent).toBe(false)
  })

  test('know only kinds that span.avsc tells', () => {
    const told =
      'llm, embedding, retrieval, rerank, tool, agent, workflow, guardrail, evaluator, http, other'
    const kinds = new Set([...dialects.operationKinds, ...dialects.attributeKinds])
    for (const kind of kinds) expect(told.split(', ')).toContain(kind)
  })

  test('name no operation twice', () => {
    const { operations, operationKinds } = dialects
    const chat = operations.find(Buffer.from('chat'), 0, 4)
    expect(operationKinds[chat]).toBe('llm')
  })
})

test('Of two dialects the first file comes first, and a key keeps its first meaning', () => {
  const first = dialect('{name: a, fields: {user: [a.user], team: [shared]}}')
  const second = dialect('{name: b, fields: {user: [b.user], feature: [shared]}}')
  const { fields, spanKeys, spanMeanings } = compileDialects([first, second])
  const meaning = (key: string) => {
    const found = spanMeanings[spanKeys.find(Buffer.from(key), 0, key.length)]
    return [fields[found?.field ?? -1]?.name, found?.rank]
  }
  expect(meaning('a.user')).toEqual(['user', 1])
  expect(meaning('b.user')).toEqual(['user', 2])
  expect(meaning('shared')).toEqual(['team', 1])
})

test.each([
  ['ns', 5n],
  ['us', 5_000n],
  ['ms', 5_000_000n],
  ['s', 5_000_000_000n],
])('A source in %s is brought to nanoseconds', (unit, nanos) => {
  const transcode = transcoderOf(
    `{name: t, fields: {time_to_first_token_nano: [{attribute: ttft, unit: ${unit}}]}}`,
  )
  expect(transcodeOne({ attributes: [['ttft', 5]] }, transcode)).toMatchObject({
    time_to_first_token_nano: nanos,
  })
})

describe('A file that is wrong is named with the place', () => {
  test.each([
    ['a field without a list', '{name: a, fields: {user: a.user}}', 'fields.user'],
    ['an unknown unit', '{name: a, fields: {user: [{attribute: a, unit: min}]}}', 'fields.user.0'],
    ['an unknown setting', '{name: a, fields: {}, contents: []}', 'contents'],
    ['no name', '{fields: {}}', 'name'],
    ['a list', '[]', 'expected object'],
    ['nothing', '', 'test.yaml'],
  ])('%s', (_, text, place) => {
    expect(() => dialect(text)).toThrow('test.yaml is not a dialect file')
    expect(() => dialect(text)).toThrow(place)
  })

  test.each(['trace_id', 'no_such_field'])('a field that cannot be mapped: %s', (name) => {
    expect(() => compileDialects([dialect(`{name: mine, fields: {${name}: [a]}}`)])).toThrow(
      `dialect mine: no field of a span is called ${name}`,
    )
  })
})
