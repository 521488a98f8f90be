import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DepthError } from '../../services/ingest/any-value.ts'
import { ProtoError } from '../../services/ingest/otlp-reader.ts'
import { TooLargeError, type Transcode } from '../../services/ingest/transcode.ts'
import {
  type Attributes,
  otlpRequest,
  SPAN_ID,
  type SpanInput,
  START,
  TRACE_ID,
  type Value,
} from '../support/otlp-proto.ts'
import {
  decodeBatches,
  RECEIVED_MS,
  transcodeAll,
  transcodeOne,
  transcoder,
} from '../support/spans.ts'
import { decodeRequest, sampleSpan } from './otlp-samples.ts'

const transcode = transcoder()
const one = (...attributes: Attributes) => transcodeOne({ attributes }, transcode)
const LONG = 'long '.repeat(50)

describe('A span with every field', () => {
  const resource: Attributes = [
    ['service.name', 'shop'],
    ['deployment.environment.name', 'prod'],
    ['cost_centre', 'cc-1'],
    ['host.cores', 8],
  ]
  const attributes: Attributes = [
    ['tenant.id', 'acme'],
    ['team', 'search'],
    ['feature', 'answers'],
    ['user.tier', 'free'],
    ['user.id', 'u-1'],
    ['session.id', 's-1'],
    ['request.id', 'r-1'],
    ['gen_ai.response.id', 'chatcmpl-1'],
    ['http.route', '/answers/:id'],
    ['domain', 'legal'],
    ['gen_ai.prompt.name', 'answer'],
    ['gen_ai.prompt.version', '7'],
    ['experiment', 'e-1'],
    ['variant', 'b'],
    ['error.type', 'timeout'],
    ['gen_ai.operation.name', 'chat'],
    ['gen_ai.provider.name', 'openai'],
    ['gen_ai.request.model', 'gpt-4o'],
    ['gen_ai.response.model', 'gpt-4o-2024-08-06'],
    ['gen_ai.request.stream', true],
    ['gen_ai.request.temperature', { double: 0.25 }],
    ['gen_ai.request.top_p', 1],
    ['gen_ai.request.max_tokens', 4_096],
    ['gen_ai.response.time_to_first_chunk', { double: 0.75 }],
    ['gen_ai.usage.input_tokens', 1_000],
    ['gen_ai.usage.output_tokens', 200],
    ['gen_ai.usage.cache_read.input_tokens', 300],
    ['gen_ai.usage.cache_write.input_tokens', 40],
    ['gen_ai.usage.reasoning.output_tokens', 50],
    ['gen_ai.usage.audio.input_tokens', 6],
    ['gen_ai.usage.audio.output_tokens', 7],
    ['gen_ai.usage.image.input_tokens', 8],
    ['gen_ai.usage.image.output_tokens', 9],
    ['gen_ai.usage.cost', { double: 0.001_23 }],
    ['openai.response.service_tier', 'flex'],
    ['gen_ai.agent.name', 'helper'],
    ['gen_ai.tool.name', 'search'],
    ['gen_ai.input.messages', '[{"role":"user"}]'],
    ['gen_ai.output.messages', '[{"role":"assistant"}]'],
    ['gen_ai.system_instructions', 'Be brief.'],
    ['app.flag', true],
    ['app.ratio', { double: 0.5 }],
    ['app.list', { array: ['a', 1, null] }],
  ]
  const [span] = transcodeAll(
    {
      resource,
      scope: { name: 'my.library', version: '1.2.3' },
      spans: [
        {
          parentSpanId: Buffer.from('eee19b7ec3c1b173', 'hex'),
          name: 'chat gpt-4o – ünïcode',
          end: START + 1_500_000_000n,
          status: { code: 2, message: 'rate limited' },
          traceState: 'a=b',
          attributes,
          events: [
            { name: 'retry', time: START + 5n, attributes: [['attempt', 2]] },
            { name: 'gen_ai.user.message', time: START, attributes: [['content', 'hi']] },
          ],
          links: [{ traceId: TRACE_ID, spanId: SPAN_ID, attributes: [['why', 'retry']] }],
        },
      ],
    },
    transcode,
  )

  test('fills every field of span.avsc', () => {
    expect(span).toEqual({
      tenant: 'acme',
      team: 'search',
      feature: 'answers',
      environment: 'prod',
      cost_centre: 'cc-1',
      user_tier: 'free',
      kind: 'llm',
      start_time_unix_nano: START,
      duration_nano: 1_500_000_000n,
      service: 'shop',
      provider: 'openai',
      request_model: 'gpt-4o',
      response_model: 'gpt-4o-2024-08-06',
      operation: 'chat',
      endpoint: '/answers/:id',
      status: 'error',
      error_type: 'timeout',
      input_tokens: 1_000n,
      output_tokens: 200n,
      cache_read_tokens: 300n,
      cache_write_5m_tokens: 40n,
      cache_write_1h_tokens: null,
      reasoning_tokens: 50n,
      input_audio_tokens: 6n,
      output_audio_tokens: 7n,
      input_image_tokens: 8n,
      output_image_tokens: 9n,
      web_searches: null,
      service_tier: 'flex',
      reported_cost_pico_usd: 1_230_000_000n,
      time_to_first_token_nano: 750_000_000n,
      usage_rule: '',
      flags: [],
      trace_id: '5b8efff798038103d269b633813fc60c',
      span_id: 'eee19b7ec3c1b174',
      parent_span_id: 'eee19b7ec3c1b173',
      user: 'u-1',
      session: 's-1',
      request_id: 'r-1',
      response_id: 'chatcmpl-1',
      prompt_id: 'answer',
      prompt_version: '7',
      experiment: 'e-1',
      variant: 'b',
      domain: 'legal',
      agent: 'helper',
      tool: 'search',
      name: 'chat gpt-4o – ünïcode',
      span_kind: 'client',
      streaming: true,
      temperature: 0.25,
      top_p: 1,
      max_tokens: 4_096n,
      status_message: 'rate limited',
      scope_name: 'my.library',
      scope_version: '1.2.3',
      trace_state: 'a=b',
      received_time_unix_nano: BigInt(RECEIVED_MS) * 1_000_000n,
      events: [{ time_unix_nano: START + 5n, name: 'retry', attributes: { attempt: '2' } }],
      links: [
        {
          trace_id: '5b8efff798038103d269b633813fc60c',
          span_id: 'eee19b7ec3c1b174',
          attributes: { why: 'retry' },
        },
      ],
      attributes: {
        'app.flag': 'true',
        'app.ratio': '0.5',
        'app.list': '["a",1,null]',
        'error.type': 'timeout',
        'gen_ai.usage.cost': '0.00123',
      },
      resource_attributes: {
        'service.name': 'shop',
        'deployment.environment.name': 'prod',
        cost_centre: 'cc-1',
        'host.cores': '8',
      },
      prompt: '[{"role":"user"}]',
      completion: '[{"role":"assistant"}]',
      content: {
        'gen_ai.system_instructions': 'Be brief.',
        'event.0.gen_ai.user.message': '{"content":"hi"}',
      },
    })
  })
})

test('What an SDK exports becomes a span', () => {
  const bytes = ProtobufTraceSerializer.serializeRequest([
    sampleSpan({ 'gen_ai.request.model': 'gpt-4o', 'gen_ai.usage.input_tokens': 12, list: [1, 2] }),
  ])
  const { batches, spans, rejected } = transcode(Buffer.from(bytes ?? []), RECEIVED_MS)
  expect([spans, rejected]).toEqual([1, []])
  expect(decodeBatches(batches)).toMatchObject([
    {
      service: 'shop',
      request_model: 'gpt-4o',
      input_tokens: 12n,
      attributes: { list: '[1,2]' },
      status: 'error',
      duration_nano: 876_543_212n,
      scope_name: 'my.library',
      links: [{ span_id: 'eee19b7ec3c1b173', attributes: { why: 'retry' } }],
    },
  ])
})

const rejection = (span: SpanInput, with_: Transcode = transcode) =>
  with_(otlpRequest({ spans: [span] }), RECEIVED_MS)

describe('A span is rejected', () => {
  const deep = (levels: number): Value =>
    levels === 0
      ? 'deep'
      : { array: [levels % 2 === 0 ? deep(levels - 1) : { map: [['k', deep(levels - 1)]] }] }

  test.each<[reason: string, why: string, SpanInput]>([
    ['invalid_trace_id', 'a trace id that is missing', { traceId: undefined }],
    ['invalid_trace_id', 'a trace id of 15 bytes', { traceId: TRACE_ID.subarray(1) }],
    [
      'invalid_trace_id',
      'a trace id of 32 hexadecimal digits',
      { traceId: Buffer.from('ab'.repeat(16)) },
    ],
    ['invalid_trace_id', 'a trace id of zeros', { traceId: Buffer.alloc(16) }],
    ['invalid_span_id', 'a span id that is missing', { spanId: undefined }],
    ['invalid_span_id', 'a span id of 16 bytes', { spanId: TRACE_ID }],
    ['invalid_span_id', 'a span id of zeros', { spanId: Buffer.alloc(8) }],
    ['invalid_parent_span_id', 'a parent of 7 bytes', { parentSpanId: SPAN_ID.subarray(1) }],
    ['invalid_time', 'no start', { start: undefined }],
    ['invalid_time', 'a start of zero', { start: 0n }],
    ['invalid_time', 'no end', { end: undefined }],
    ['invalid_time', 'an end before the start', { end: START - 1n }],
    ['invalid_time', 'a start beyond int64', { start: 2n ** 63n, end: 2n ** 63n }],
    ['invalid_time', 'an end beyond int64', { end: 2n ** 63n }],
    ['invalid_time', 'a duration of more than 2^53 ns', { start: 1n, end: 2n ** 53n + 1n }],
    [
      'too_many_attributes',
      'more attributes than the limit',
      { attributes: Array.from({ length: 101 }, (_, i) => [`key ${i}`, i] as const) },
    ],
    ['value_too_deep', 'an attribute that nests too deep', { attributes: [['k', deep(40)]] }],
    [
      'value_too_deep',
      'a mapped attribute that nests too deep',
      { attributes: [['user.id', deep(40)]] },
    ],
    [
      'value_too_deep',
      'an event whose attribute nests too deep',
      { events: [{ name: 'e', attributes: [['k', deep(40)]] }] },
    ],
  ])('as %s for %s', (reason, _, span) => {
    const { batches, spans, rejected } = rejection(span)
    expect([batches, spans]).toEqual([[], 0])
    expect(rejected).toMatchObject([{ index: 0, reason, format: 'otlp_proto' }])
    expect(rejected[0]?.detail).not.toBe('')
  })

  test.each<[why: string, SpanInput]>([
    ['zero duration', { end: START }],
    ['the longest duration', { start: 1n, end: 2n ** 53n }],
    ['the last time of int64', { start: 2n ** 63n - 2n, end: 2n ** 63n - 1n }],
    [
      'as many attributes as the limit',
      { attributes: Array.from({ length: 100 }, (_, i) => [`${i}`, i] as const) },
    ],
    ['values that nest 30 deep', { attributes: [['k', deep(15)]] }],
  ])('not for %s', (_, span) => {
    expect(rejection(span)).toMatchObject({ spans: 1, rejected: [] })
  })

  test('alone, with its own bytes, which are a span again', () => {
    const bad: SpanInput = { name: 'bad', spanId: Buffer.alloc(3), attributes: [['a', 'b']] }
    const request = otlpRequest({
      resource: [['service.name', 'shop']],
      spans: [{ name: 'one' }, bad, { name: 'two' }, bad],
    })
    const { batches, spans, rejected } = transcode(request, RECEIVED_MS)
    expect(spans).toBe(2)
    expect(decodeBatches(batches).map((span) => [span['name'], span['attributes']])).toEqual([
      ['one', {}],
      ['two', {}],
    ])
    expect(rejected.map(({ index }) => index)).toEqual([1, 3])
    expect(decodeRequest(rejected[0]?.payload ?? Buffer.alloc(0))).toMatchObject({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
          scopeSpans: [
            { spans: [{ name: 'bad', attributes: [{ key: 'a', value: { stringValue: 'b' } }] }] },
          ],
        },
      ],
    })
  })

  test('after half of it was written, and the next one is whole', () => {
    const events = [{ name: 'e', attributes: [['k', deep(40)] as const] }]
    const request = otlpRequest({
      spans: [{ name: 'one' }, { name: 'bad', events }, { name: 'two' }],
    })
    const { batches, rejected } = transcode(request, RECEIVED_MS)
    expect(rejected.map(({ index }) => index)).toEqual([1])
    expect(decodeBatches(batches).map((span) => span['name'])).toEqual(['one', 'two'])
  })
})

test.each([
  ['missing', {}],
  ['empty', { parentSpanId: Buffer.alloc(0) }],
  ['zeros', { parentSpanId: Buffer.alloc(8) }],
])('A parent that is %s makes a root', (_, span) => {
  expect(transcodeOne(span, transcode)['parent_span_id']).toBe('')
})

describe('Attributes', () => {
  test('that repeat a key: the first counts', () => {
    const span = one(['a', '1'], ['a', '2'], ['user.id', 'u1'], ['user.id', 'u2'])
    expect(span).toMatchObject({ attributes: { a: '1' }, user: 'u1' })
  })

  test('of a resource that repeat a key: the first counts, in the field and in the map', () => {
    const resource: Attributes = [
      ['service.name', 'first'],
      ['service.name', 'second'],
    ]
    expect(transcodeAll({ resource, spans: [{}] }, transcode)).toMatchObject([
      { service: 'first', resource_attributes: { 'service.name': 'first' } },
    ])
  })

  test.each<[Value, string]>([
    ['text', 'text'],
    [true, 'true'],
    [-5, '-5'],
    [2n ** 63n - 1n, '9223372036854775807'],
    [{ double: 0.1 }, '0.1'],
    [{ double: 1e21 }, '1e+21'],
    [{ double: Number.NEGATIVE_INFINITY }, '-Infinity'],
    [Buffer.from([0, 255]), 'AP8='],
    [{ array: [] }, '[]'],
    [
      { array: ['a"b', 1, { double: Number.NaN }, null, true, { map: [['k', 'v']] }] },
      '["a\\"b",1,"NaN",null,true,{"k":"v"}]',
    ],
    [{ map: [] }, '{}'],
    [null, ''],
  ])('of value %o become the text %s', (value, text) => {
    expect(one(['key', value])['attributes']).toEqual({ key: text })
  })

  test('that are not UTF-8 get U+FFFD', () => {
    expect(one([Buffer.from([0x6b, 0xff]), 'v'])['attributes']).toEqual({ 'k\ufffd': 'v' })
  })
})

const exception = (...attributes: Attributes) => [{ name: 'exception', attributes }]

describe('The type of an error', () => {
  test.each<[string, SpanInput, string]>([
    [
      'is told by error.type',
      { status: { code: 2 }, attributes: [['error.type', 'RateLimitError']] },
      'rate_limit',
    ],
    [
      'is told where the status is not an error',
      { attributes: [['error.type', '401']] },
      'authentication',
    ],
    [
      'is told by the status of HTTP',
      { status: { code: 2 }, attributes: [['http.response.status_code', 503]] },
      'provider_error',
    ],
    [
      'is told by an exception',
      { status: { code: 2 }, events: exception(['exception.type', 'httpx.ReadTimeout']) },
      'timeout',
    ],
    [
      "is told by an exception's message",
      {
        status: { code: 2 },
        attributes: [['error.type', '400']],
        events: exception(['exception.message', "This model's maximum context length is 8192"]),
      },
      'context_overflow',
    ],
    [
      "is told by the status's message",
      { status: { code: 2, message: 'prompt is too long: 210000 tokens > 200000 maximum' } },
      'context_overflow',
    ],
    [
      'is told by why the model stopped',
      {
        status: { code: 2 },
        attributes: [['gen_ai.response.finish_reasons', { array: ['content_filter'] }]],
      },
      'safety_filter',
    ],
    ['is else other', { status: { code: 2 } }, 'other'],
    [
      'is other for an exception that tells nothing',
      { status: { code: 2 }, events: exception(['a', 'b'], ['exception.type', '']) },
      'other',
    ],
    [
      'is empty without an error',
      { status: { code: 1 }, events: exception(['exception.type', 'E']) },
      '',
    ],
    ['is empty without a status', {}, ''],
  ])('%s', (_, span, type) => {
    expect(transcodeOne(span, transcode)['error_type']).toBe(type)
  })

  test('leaves what was told among the attributes', () => {
    const attributes: Attributes = [
      ['error.type', 'RateLimitError'],
      ['http.response.status_code', 429],
    ]
    expect(transcodeOne({ attributes }, transcode)).toMatchObject({
      error_type: 'rate_limit',
      attributes: { 'error.type': 'RateLimitError', 'http.response.status_code': '429' },
    })
  })
})

describe('The kind of step', () => {
  test.each([
    ['chat', 'llm'],
    ['generate_content', 'llm'],
    ['embeddings', 'embedding'],
    ['retrieval', 'retrieval'],
    ['rerank', 'rerank'],
    ['execute_tool', 'tool'],
    ['invoke_agent', 'agent'],
    ['invoke_workflow', 'workflow'],
    ['guardrail', 'guardrail'],
    ['evaluation', 'evaluator'],
    ['something else', 'other'],
  ])('of the operation %s is %s', (operation, kind) => {
    expect(one(['gen_ai.operation.name', operation])['kind']).toBe(kind)
  })

  test.each<[string, Attributes, string]>([
    ['a tool, by its name', [['gen_ai.tool.name', 'search']], 'tool'],
    ['a model call, by its model', [['gen_ai.request.model', 'gpt-4o']], 'llm'],
    ['an HTTP call, by its method', [['http.request.method', 'GET']], 'http'],
    [
      'the first of the list',
      [
        ['http.method', 'GET'],
        ['gen_ai.request.model', 'm'],
        ['gen_ai.tool.name', 't'],
      ],
      'tool',
    ],
    [
      'the operation first',
      [
        ['gen_ai.tool.name', 't'],
        ['gen_ai.operation.name', 'chat'],
      ],
      'llm',
    ],
    [
      'an attribute where the operation is unknown',
      [
        ['gen_ai.operation.name', '?'],
        ['http.method', 'GET'],
      ],
      'http',
    ],
    ['other', [['app', 'x']], 'other'],
  ])('is %s', (_, attributes, kind) => {
    expect(one(...attributes)['kind']).toBe(kind)
  })
})

test.each([
  [0, 'unspecified'],
  [1, 'internal'],
  [2, 'server'],
  [3, 'client'],
  [4, 'producer'],
  [5, 'consumer'],
  [6, 'unspecified'],
])('The span kind %d is %s', (kind, name) => {
  expect(transcodeOne({ kind }, transcode)['span_kind']).toBe(name)
})

test.each([
  [0, 'unset'],
  [1, 'ok'],
  [2, 'error'],
  [3, 'unset'],
])('The status code %d is %s', (code, status) => {
  expect(transcodeOne({ status: { code } }, transcode)['status']).toBe(status)
})

describe('A request', () => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['an empty resource', Buffer.from('0a00', 'hex')],
    ['an empty scope', Buffer.from('0a021200', 'hex')],
    ['a field that is not known', Buffer.from('120161', 'hex')],
  ])('of %s holds no spans', (_, bytes) => {
    expect(transcode(bytes, RECEIVED_MS)).toEqual({ batches: [], spans: 0, rejected: [] })
  })

  test('may hold a resource behind its spans, and several resources', () => {
    const first = otlpRequest({
      resource: [
        ['service.name', 'a'],
        ['tenant', 't'],
      ],
      spans: [{}],
    })
    const second = otlpRequest({
      resource: [['service.name', 'b']],
      spans: [{ attributes: [['tenant', 'x']] }, {}],
    })
    const { batches } = transcode(Buffer.concat([first, second, first]), RECEIVED_MS)
    expect(decodeBatches(batches).map((span) => [span['service'], span['tenant']])).toEqual([
      ['a', 't'],
      ['b', 'x'],
      ['b', ''],
      ['a', 't'],
    ])
  })

  test('gives the same after any other request', () => {
    const golden = otlpRequest({ spans: [{ attributes: [['user.id', 'u']] }] })
    const expected = transcoder()(golden, RECEIVED_MS)
    const used = transcoder()
    used(
      otlpRequest({ resource: [['tenant', 't']], spans: [{ name: LONG, status: { code: 2 } }] }),
      RECEIVED_MS,
    )
    expect(() => used(golden.subarray(0, -3), RECEIVED_MS)).toThrow(ProtoError)
    expect(used(golden, RECEIVED_MS)).toEqual(expected)
  })

  test('becomes several batches where one would be too large', () => {
    const spans = Array.from({ length: 50 }, (_, i) => ({ name: `span ${i}` }))
    const cut = transcoder({ maxBatchBytes: 1_000 })
    const { batches, spans: count } = cut(otlpRequest({ spans }), RECEIVED_MS)
    const decoded = decodeBatches(batches)
    expect(batches.length).toBeGreaterThan(5)
    expect(count).toBe(50)
    expect(decoded.map((span) => span['name'])).toEqual(spans.map(({ name }) => name))
    for (const batch of batches.slice(0, -1)) {
      expect(batch.length).toBeGreaterThanOrEqual(1_000)
      expect(batch.length).toBeLessThan(1_500)
    }
  })

  test('is refused where a resource repeats until the batches are too large', () => {
    const resource: Attributes = [['blob', 'x'.repeat(10_000)]]
    const spans = Array.from({ length: 100 }, () => ({}))
    const limited = transcoder({ maxOutputBytes: 500_000 })
    expect(() => limited(otlpRequest({ resource, spans }), RECEIVED_MS)).toThrow(TooLargeError)
    expect(limited(otlpRequest({ resource, spans: spans.slice(0, 40) }), RECEIVED_MS).spans).toBe(
      40,
    )
  })

  test('is refused where its resource nests too deep', () => {
    let value: Value = 'deep'
    for (let i = 0; i < 40; i++) value = { array: [value] }
    const request = otlpRequest({ resource: [['k', value]], spans: [{}] })
    expect(() => transcode(request, RECEIVED_MS)).toThrow(DepthError)
  })
})

/** The spans, or undefined where the request is refused in one of the three ways there are. */
function transcodeDamaged(bytes: Buffer): number | undefined {
  try {
    const { batches, spans, rejected } = transcode(bytes, RECEIVED_MS)
    expect(decodeBatches(batches)).toHaveLength(spans)
    for (const { reason, payload } of rejected) expect([reason, payload.length]).not.toContain('')
    return spans
  } catch (error) {
    if (
      !(error instanceof ProtoError) &&
      !(error instanceof DepthError) &&
      !(error instanceof TooLargeError)
    ) {
      throw error
    }
    return undefined
  }
}

describe('Bytes that are damaged', () => {
  const request = Buffer.concat([
    otlpRequest({
      resource: [
        ['service.name', 'shop'],
        ['list', { array: [1, 'two', { map: [['k', true]] }] }],
      ],
      scope: { name: 'lib', version: '1' },
      spans: [
        {
          attributes: [
            ['gen_ai.usage.input_tokens', 2 ** 40],
            ['user.id', LONG],
            ['d', { double: 0.5 }],
          ],
          events: [
            { name: 'gen_ai.choice', time: START, attributes: [['a', { map: [['b', 'c']] }]] },
          ],
          links: [{ traceId: TRACE_ID, spanId: SPAN_ID, attributes: [['why', 'x']] }],
          status: { code: 2, message: 'no' },
        },
        { name: 'two', attributes: [['gen_ai.input.messages', { array: ['x'] }]] },
      ],
    }),
    otlpRequest({ spans: [{ name: 'three' }] }),
  ])

  test('by a cut anywhere are refused, or whole up to the cut', () => {
    const whole = new Map<number, number>()
    for (let cut = 0; cut < request.length; cut++) {
      const spans = transcodeDamaged(request.subarray(0, cut))
      if (spans !== undefined) whole.set(cut, spans)
    }
    const secondStarts = request.length - otlpRequest({ spans: [{ name: 'three' }] }).length
    expect([...whole]).toEqual([
      [0, 0],
      [secondStarts, 2],
    ])
  })

  test('at random are refused, or become spans that the codec reads', () => {
    const damage = fc.array(
      fc.record({
        at: fc.nat(request.length - 1),
        byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 0x7f, 0x80, 0xff)),
        drop: fc.nat(3),
        insert: fc.constantFrom(0, 0, 0, 0, 1, 2),
      }),
      { minLength: 1, maxLength: 5 },
    )
    let refused = 0
    let taken = 0
    fc.assert(
      fc.property(damage, (changes) => {
        let bytes = Buffer.from(request)
        for (const { at, byte, drop, insert } of changes) {
          const place = Math.min(at, bytes.length)
          const added = Buffer.alloc(insert, byte)
          if (insert === 0 && place < bytes.length) bytes[place] = byte
          else
            bytes = Buffer.concat([bytes.subarray(0, place), added, bytes.subarray(place + drop)])
        }
        if (transcodeDamaged(bytes) === undefined) refused++
        else taken++
      }),
      { seed: 20_260_102, numRuns: 6_000 },
    )
    expect(refused).toBeGreaterThan(1_000)
    expect(taken).toBeGreaterThan(500)
  })

  test('of every kind do not spoil the next request', () => {
    expect(transcodeDamaged(request)).toBe(3)
  })
})
