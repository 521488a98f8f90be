import { describe, expect, test } from 'vitest'
import { parseDialect } from '../../services/ingest/dialect-file.ts'
import { compileDialects, loadDialects } from '../../services/ingest/dialects.ts'
import { mappableFields } from '../../services/ingest/span-fields.ts'
import type { Attributes } from '../support/otlp-proto.ts'
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

const KINDS =
  'llm embedding retrieval rerank routing tool agent workflow guardrail evaluator http other'.split(
    ' ',
  )

describe('The dialects as they stand', () => {
  const dialects = loadDialects()
  const find = (key: string) =>
    dialects.spanMeanings[dialects.spanKeys.find(Buffer.from(key), 0, Buffer.byteLength(key))]

  test.each([
    ['gen_ai.usage.input_tokens', 'input_tokens', 1],
    ['gen_ai.usage.prompt_tokens', 'input_tokens', 1],
    ['gen_ai.response.time_to_first_chunk', 'time_to_first_token_nano', 1e9],
  ])('read %s as %s times %d', (key, field, factor) => {
    const [target] = find(key)?.targets ?? []
    expect(dialects.fields[target?.field ?? -1]?.name).toBe(field)
    expect(target?.factor).toBe(factor)
  })

  test('prefer the current name to the deprecated one', () => {
    const [current, deprecated] = ['input', 'prompt'].map(
      (part) => find(`gen_ai.usage.${part}_tokens`)?.targets[0]?.rank,
    )
    expect(current).toBeLessThan(deprecated ?? -1)
  })

  test('hold as content what goes with the prompt', () => {
    expect(find('gen_ai.input.messages')?.isContent).toBe(true)
    expect(find('gen_ai.tool.definitions')).toMatchObject({ isContent: true, targets: [] })
    expect(find('gen_ai.request.model')?.isContent).toBe(false)
  })

  test('know only kinds that span.avsc tells', () => {
    const told = dialects.spanMeanings.flatMap(({ kindValues }) => kindValues?.kinds ?? [])
    for (const kind of [...told, ...dialects.presenceKinds]) expect(KINDS).toContain(kind)
    expect(told).toContain('llm')
  })
})

const users = (files: readonly string[]) =>
  compileDialects(files.map(dialect)).sources.flatMap((sources) =>
    sources.map(({ dialect: name, source }) => `${name}: ${source.attribute}`),
  )

describe('Of two dialects', () => {
  test('the one of lower precedence comes first, whatever the order of the files', () => {
    const first = '{name: a, precedence: 1, fields: {user: [a.user]}}'
    const second = '{name: b, precedence: 2, fields: {user: [b.user]}}'
    expect(users([first, second])).toEqual(['a: a.user', 'b: b.user'])
    expect(users([second, first])).toEqual(['a: a.user', 'b: b.user'])
  })

  test('both may read one attribute, for one field each', () => {
    const transcode = transcoderOf('{name: a, fields: {user: [shared], team: [shared]}}')
    const span = transcodeOne({ attributes: [['shared', 'x']] }, transcode)
    expect(span).toMatchObject({ user: 'x', team: 'x', attributes: {} })
  })
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
    ['a source of nothing', '{name: a, fields: {user: [{unit: s}]}}', 'fields.user.0'],
    ['a path into a resource', '{name: a, fields: {user: [{resource: a, path: [b]}]}}', 'are for'],
    ['an unknown kind', '{name: a, kinds: {by_presence: [{attribute: a, kind: x}]}}', 'kinds.by_'],
    [
      'a condition on nothing',
      '{name: a, accounting: [{rule: r, when: {is: [a]}}]}',
      'accounting.0',
    ],
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

const spanOf = (source: string, attributes: Attributes, field = 'tool') =>
  transcodeOne({ attributes }, transcoderOf(`{name: t, fields: {${field}: [${source}]}}`))

describe('A source', () => {
  test('of JSON fills its field, and the attribute remains', () => {
    const usage = '{"input":{"cached":7}}'
    const source = '{attribute: usage, path: [input, cached]}'
    expect(spanOf(source, [['usage', usage]], 'cache_read_tokens')).toMatchObject({
      cache_read_tokens: 7n,
      attributes: { usage },
    })
  })

  test('of a map is read as its JSON', () => {
    const source = '{attribute: usage, path: [cached]}'
    expect(
      spanOf(source, [['usage', { map: [['cached', 7]] }]], 'cache_read_tokens'),
    ).toMatchObject({ cache_read_tokens: 7n })
  })

  test('of JSON is read however long the attribute is', () => {
    const usage = JSON.stringify({ note: 'x'.repeat(500), cached: 7 })
    const source = '{attribute: usage, path: [cached]}'
    expect(spanOf(source, [['usage', usage]], 'cache_read_tokens')).toMatchObject({
      cache_read_tokens: 7n,
      content: { usage },
    })
  })

  test('with a condition fills its field only where that holds, wherever the other attribute stands', () => {
    const source = '{attribute: entity, when: {attribute: span.kind, is: [tool]}}'
    expect(
      spanOf(source, [
        ['entity', 'search'],
        ['span.kind', 'tool'],
      ]),
    ).toMatchObject({ tool: 'search' })
    expect(
      spanOf(source, [
        ['span.kind', 'tool'],
        ['entity', 'search'],
      ]),
    ).toMatchObject({ tool: 'search' })
    expect(
      spanOf(source, [
        ['entity', 'search'],
        ['span.kind', 'agent'],
      ]),
    ).toMatchObject({ tool: '' })
  })

  test('that is better gives the attribute of the worse one back', () => {
    const sources = '{attribute: usage, path: [cached]}, cached'
    expect(
      spanOf(
        sources,
        [
          ['cached', 3],
          ['usage', '{"cached":7}'],
        ],
        'cache_read_tokens',
      ),
    ).toMatchObject({ cache_read_tokens: 7n, attributes: { cached: '3' } })
  })

  test.each([
    ['in USD', '{attribute: cost, unit: usd}', '0.1', 100_000_000_000n],
    ['in USD within JSON', '{attribute: cost, unit: usd, path: [a]}', '{"a":1e-7}', 100_000n],
  ])('%s is exact', (_, source, value, pico) => {
    expect(spanOf(source, [['cost', value]], 'reported_cost_pico_usd')).toMatchObject({
      reported_cost_pico_usd: pico,
    })
  })
})

describe('The time to the first token', () => {
  const transcode = transcoderOf(
    '{name: t, fields: {time_to_first_token_nano: [{event: first}, {attribute: at, moment: iso8601}]}}',
  )
  const start = 1_700_000_000_000_000_000n
  const times = { start, end: start + 10_000_000_000n }

  test('is that of the first such event, less the start', () => {
    const events = [310n, 500n].map((ms) => ({ name: 'first', time: start + ms * 1_000_000n }))
    expect(transcodeOne({ ...times, events }, transcode)).toMatchObject({
      time_to_first_token_nano: 310_000_000n,
      flags: [],
    })
  })

  test('is that of a moment, less the start', () => {
    const attributes: Attributes = [['at', '2023-11-14T22:13:20.310Z']]
    expect(transcodeOne({ ...times, attributes }, transcode)).toMatchObject({
      time_to_first_token_nano: 310_000_000n,
    })
  })

  test('is nothing for an event before the start', () => {
    const events = [{ name: 'first', time: start - 1n }]
    expect(transcodeOne({ ...times, events }, transcode)).toMatchObject({
      time_to_first_token_nano: null,
    })
  })

  test('is flagged where it lies after the end', () => {
    const attributes: Attributes = [['at', '2023-11-14T22:13:31Z']]
    expect(transcodeOne({ ...times, attributes }, transcode)).toMatchObject({
      time_to_first_token_nano: 11_000_000_000n,
      flags: ['first_token_after_end'],
    })
  })
})

describe('An attribute without a field', () => {
  const transcode = transcoderOf('{name: t, attributes: {gen_ai.tool.call.id: [tool.id, ai.id]}}')
  const attributesOf = (...attributes: Attributes) =>
    transcodeOne({ attributes }, transcode)['attributes']

  test('takes the canonical name', () => {
    expect(attributesOf(['ai.id', '1'])).toEqual({ 'gen_ai.tool.call.id': '1' })
  })

  test('leaves it to a better one, and keeps its own', () => {
    const expected = { 'gen_ai.tool.call.id': '2', 'ai.id': '1' }
    expect(attributesOf(['ai.id', '1'], ['tool.id', '2'])).toEqual(expected)
    expect(attributesOf(['tool.id', '2'], ['ai.id', '1'])).toEqual(expected)
    expect(attributesOf(['gen_ai.tool.call.id', '2'], ['ai.id', '1'])).toEqual(expected)
  })
})

describe('The kind of step', () => {
  const transcode = transcoderOf(
    `{name: t, kinds: {by_value: [{attribute: a, kinds: {agent: [x]}}, {span: name, kinds: {other: [raw]}},
      {attribute: b, kinds: {llm: [y], tool: [z]}}], by_presence: [{attribute: c, kind: http}]}}`,
  )
  const kindOf = (name: string, ...attributes: Attributes) =>
    transcodeOne({ name, attributes }, transcode)['kind']

  test.each<[string, string, Attributes]>([
    [
      'agent',
      'n',
      [
        ['b', 'y'],
        ['a', 'x'],
      ],
    ],
    [
      'llm',
      'n',
      [
        ['b', 'y'],
        ['a', 'unknown'],
      ],
    ],
    [
      'tool',
      'n',
      [
        ['c', 1],
        ['b', 'z'],
      ],
    ],
    [
      'http',
      'n',
      [
        ['c', 1],
        ['b', 'unknown'],
      ],
    ],
    ['other', 'raw', [['b', 'y']]],
    ['agent', 'raw', [['a', 'x']]],
    ['other', 'n', []],
  ])('is %s', (kind, name, attributes) => {
    expect(kindOf(name, ...attributes)).toBe(kind)
  })
})
