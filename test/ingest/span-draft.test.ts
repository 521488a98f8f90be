import { describe, expect, test } from 'vitest'
import { type Attributes, type Value } from '../support/otlp-proto.ts'
import { transcodeAll, transcodeOne, transcoder } from '../support/spans.ts'

const transcode = transcoder()
const one = (...attributes: Attributes) => transcodeOne({ attributes }, transcode)
const LONG = 'long '.repeat(50)

describe('Current and deprecated names', () => {
  test.each<[field: string, key: string]>([
    ['provider', 'gen_ai.provider.name'],
    ['provider', 'gen_ai.system'],
    ['user', 'enduser.id'],
    ['session', 'gen_ai.conversation.id'],
    ['endpoint', 'http.target'],
    ['environment', 'deployment.environment'],
    ['cost_centre', 'cost_center'],
    ['prompt', 'gen_ai.prompt'],
    ['completion', 'gen_ai.completion'],
  ])('fill %s from %s', (field, key) => {
    const span = one([key, 'value'])
    expect(span).toMatchObject({ [field]: 'value', attributes: {} })
  })

  test.each<[field: string, key: string]>([
    ['input_tokens', 'gen_ai.usage.input_tokens'],
    ['input_tokens', 'gen_ai.usage.prompt_tokens'],
    ['output_tokens', 'gen_ai.usage.completion_tokens'],
    ['cache_read_tokens', 'gen_ai.usage.cache_read_input_tokens'],
    ['cache_write_5m_tokens', 'gen_ai.usage.cache_creation.input_tokens'],
    ['cache_write_5m_tokens', 'gen_ai.usage.cache_creation_input_tokens'],
    ['reasoning_tokens', 'gen_ai.usage.reasoning_tokens'],
  ])('fill %s from %s', (field, key) => {
    expect(one([key, 7])).toMatchObject({ [field]: 7n, attributes: {} })
  })

  test('fill the service and the tags from the resource', () => {
    const resource: Attributes = [
      ['service.name', 'shop'],
      ['tenant', 'acme'],
    ]
    expect(transcodeAll({ resource, spans: [{}] }, transcode)).toMatchObject([
      { service: 'shop', tenant: 'acme', resource_attributes: { tenant: 'acme' } },
    ])
  })
})

describe('Of several sources of a field', () => {
  const current: Attributes[number] = ['gen_ai.provider.name', 'openai']
  const deprecated: Attributes[number] = ['gen_ai.system', 'az.ai.openai']

  test.each([
    ['comes first', [current, deprecated]],
    ['comes last', [deprecated, current]],
  ])('the current name wins where it %s, and the loser stays an attribute', (_, attributes) => {
    expect(one(...attributes)).toMatchObject({
      provider: 'openai',
      attributes: { 'gen_ai.system': 'az.ai.openai' },
    })
  })

  test.each<[string, Value]>([
    ['empty', ''],
    ['without a value', null],
    ['an empty list of bytes', Buffer.alloc(0)],
  ])('one that is %s is not present', (_, value) => {
    const expected = { provider: 'azure.ai.openai' }
    expect(one(['gen_ai.provider.name', value], deprecated)).toMatchObject(expected)
    expect(one(deprecated, ['gen_ai.provider.name', value])).toMatchObject(expected)
  })

  test('one that is no number is not present, and stays an attribute', () => {
    expect(
      one(['gen_ai.usage.input_tokens', 'many'], ['gen_ai.usage.prompt_tokens', 5]),
    ).toMatchObject({ input_tokens: 5n, attributes: { 'gen_ai.usage.input_tokens': 'many' } })
  })

  test('a loser that holds content goes to the content', () => {
    expect(one(['gen_ai.prompt', 'old'], ['gen_ai.input.messages', 'new'])).toMatchObject({
      prompt: 'new',
      attributes: {},
      content: { 'gen_ai.prompt': 'old' },
    })
  })

  test("the span's own comes before its resource's", () => {
    const resource: Attributes = [['deployment.environment.name', 'prod']]
    const attributes: Attributes = [['deployment.environment', 'canary']]
    const all = transcodeAll({ resource, spans: [{ attributes }, {}] }, transcode)
    expect(all).toMatchObject([{ environment: 'canary' }, { environment: 'prod' }])
  })
})

describe('A count of tokens', () => {
  test.each<[Value, bigint | null]>([
    [0, 0n],
    [12, 12n],
    ['12', 12n],
    [' 12 ', 12n],
    [{ double: 12 }, 12n],
    [2 ** 40, 2n ** 40n],
    [Number.MAX_SAFE_INTEGER, BigInt(Number.MAX_SAFE_INTEGER)],
    [2n ** 53n, null],
    [2n ** 63n - 1n, null],
    [-1, null],
    ['-1', null],
    [{ double: Number.NaN }, null],
    [{ double: Number.POSITIVE_INFINITY }, null],
    [{ double: -0.4 }, null],
    [{ double: 1e300 }, null],
    ['', null],
    ['1_000', null],
    ['NaN', null],
    ['Infinity', null],
    [{ array: [12] }, null],
    [{ map: [['a', 1]] }, null],
    [Buffer.from('12'), null],
    [null, null],
  ])('given as %o is %s', (value, count) => {
    expect(one(['gen_ai.usage.input_tokens', value])['input_tokens']).toBe(count)
  })

  test.each<[Value, string]>([
    [-1, '-1'],
    [{ double: Number.NaN }, 'NaN'],
    [2n ** 63n - 1n, '9223372036854775807'],
    [-(2n ** 63n), '-9223372036854775808'],
  ])('that is impossible (%o) stays an attribute as it was: %s', (value, text) => {
    expect(one(['gen_ai.usage.input_tokens', value])).toMatchObject({
      attributes: { 'gen_ai.usage.input_tokens': text },
    })
  })
})

describe('Flags and settings', () => {
  test.each<[Value, boolean | null]>([
    [true, true],
    [false, false],
    [1, true],
    [0, false],
    ['true', true],
    ['false', false],
    ['yes', null],
    [2, null],
  ])('streaming given as %o is %s', (value, flag) => {
    expect(one(['gen_ai.request.stream', value])['streaming']).toBe(flag)
  })

  test.each<[Value, number | null]>([
    [1, 1],
    [{ double: 0.7 }, 0.7],
    ['0.7', 0.7],
    [{ double: -1 }, -1],
    [{ double: Number.NaN }, null],
    [{ double: Number.NEGATIVE_INFINITY }, null],
  ])('a temperature given as %o is %s', (value, temperature) => {
    expect(one(['gen_ai.request.temperature', value])['temperature']).toBe(temperature)
  })

  test.each<[string, Value, bigint]>([
    ['gen_ai.response.time_to_first_chunk', { double: 0.25 }, 250_000_000n],
    ['gen_ai.response.time_to_first_chunk', 2, 2_000_000_000n],
    ['gen_ai.response.time_to_first_chunk', '0.000000001', 1n],
    ['gen_ai.server.time_to_first_token', { double: 1.5 }, 1_500_000_000n],
  ])('the time to the first token in %s of %o seconds is %d ns', (key, value, nanos) => {
    expect(one([key, value])['time_to_first_token_nano']).toBe(nanos)
  })
})

describe('To the content go', () => {
  test('attributes that are long, mapped or not', () => {
    expect(one(['app.document', LONG], ['user.id', LONG], ['short', 'x'])).toMatchObject({
      user: '',
      attributes: { short: 'x' },
      content: { 'app.document': LONG, 'user.id': LONG },
    })
  })

  test('but not a prompt or completion, however long', () => {
    expect(one(['gen_ai.input.messages', LONG], ['gen_ai.output.messages', LONG])).toMatchObject({
      prompt: LONG,
      completion: LONG,
      content: {},
    })
  })

  test('attributes that hold what people and models said', () => {
    const content = {
      'gen_ai.tool.call.arguments': '{"q":1}',
      'gen_ai.prompt.0.content': 'hi',
      'gen_ai.completion.12.content': 'ho',
    }
    const span = one(...Object.entries(content), ['gen_ai.prompts', 'no content'])
    expect(span).toMatchObject({ content, attributes: { 'gen_ai.prompts': 'no content' } })
  })

  test('events that hold messages, numbered, and others stay events', () => {
    const span = transcodeOne(
      {
        events: [
          { name: 'gen_ai.user.message', attributes: [['content', 'a']] },
          { name: 'other', time: 5n },
          {
            name: 'gen_ai.choice',
            attributes: [
              ['index', 0],
              ['message', { map: [['role', 'x']] }],
            ],
          },
        ],
      },
      transcode,
    )
    expect(span).toMatchObject({
      events: [{ name: 'other', time_unix_nano: 5n, attributes: {} }],
      content: {
        'event.0.gen_ai.user.message': '{"content":"a"}',
        'event.1.gen_ai.choice': '{"index":0,"message":{"role":"x"}}',
      },
    })
  })
})
