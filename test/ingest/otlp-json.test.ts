import { existsSync, readFileSync } from 'node:fs'
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  MAX_CONTAINERS,
  MAX_REJECTED_SPANS,
  otlpJsonToProto,
} from '../../services/ingest/otlp-json.ts'
import {
  convertJson,
  decodeRequest,
  oneScope,
  sampleSpan,
  SPAN_ID,
  TRACE_ID,
  withSpan,
} from './otlp-samples.ts'

const FIXTURES = new URL('../../../shared/fixtures/otlp-proto/', import.meta.url)

const badSpans = (count: number) => oneScope(...Array.from({ length: count }, () => 0))

describe('the JSON of the JavaScript SDK', () => {
  test('means the same as its protobuf', () => {
    const { json, proto } = exportBoth([
      sampleSpan({ temperature: 1, cost: 0.25, stop: ['a', 'b'], stream: true, none: [] }),
      sampleSpan({ prompt: 'long '.repeat(1_000), negative: -1, big: 2 ** 60, huge: 1e300 }),
    ])
    expect(decodeRequest(convertJson(json).proto)).toEqual(decodeRequest(proto))
  })

  test('means the same as its protobuf for random attributes', () => {
    const text = fc.string({ unit: 'binary' })
    const number = fc.oneof(fc.integer(), finiteNumber)
    const value = fc.oneof(text, fc.boolean(), number, fc.array(text), fc.array(number))
    fc.assert(
      fc.property(fc.dictionary(text, value), (attributes) => {
        const { json, proto } = exportBoth([sampleSpan(attributes)])
        expect(decodeRequest(convertJson(json).proto)).toEqual(decodeRequest(proto))
      }),
      { seed: 7 },
    )
  })
})

const finiteNumber = fc.double({ noNaN: true, noDefaultInfinity: true })

/** The same spans in both encodings, as the SDK sends them. */
function exportBoth(spans: Parameters<typeof JsonTraceSerializer.serializeRequest>[0]) {
  const json = JsonTraceSerializer.serializeRequest(spans)
  const proto = ProtobufTraceSerializer.serializeRequest(spans)
  if (json === undefined || proto === undefined) throw new Error('The SDK made no bytes')
  return { json: JSON.parse(Buffer.from(json).toString()), proto }
}

describe.skipIf(!existsSync(FIXTURES))(
  'the example of the OTLP repository (skipped if absent)',
  () => {
    test('becomes the protobuf that was derived from it', () => {
      const conversion = otlpJsonToProto(readFileSync(new URL('trace.json', FIXTURES)))
      if (conversion.type === 'malformed') throw new Error(conversion.message)
      const derived = readFileSync(new URL('derived-trace.pb', FIXTURES))
      expect(decodeRequest(conversion.proto)).toEqual(decodeRequest(derived))
    })

    test.each(['logs.json', 'metrics.json'])('of another signal (%s) is malformed', (file) => {
      const conversion = otlpJsonToProto(readFileSync(new URL(file, FIXTURES)))
      expect(conversion).toMatchObject({ type: 'malformed' })
    })
  },
)

describe('a span', () => {
  test.each([
    [{ traceId: TRACE_ID.toUpperCase() }, {}],
    [{ parentSpanId: '' }, {}],
    [{ parentSpanId: null, name: null, kind: null, status: null, events: null, flags: null }, {}],
    [{ kind: 3 }, { kind: 3 }],
    [{ kind: 'SPAN_KIND_CLIENT' }, { kind: 3 }],
    [
      { status: { code: 'STATUS_CODE_ERROR', message: 'x' } },
      { status: { code: 2, message: 'x' } },
    ],
    [{ startTimeUnixNano: '1544712660000000001' }, { startTimeUnixNano: 1544712660000000001n }],
    [{ startTimeUnixNano: 1544712660000000000 }, { startTimeUnixNano: 1544712660000000000n }],
    [{ endTimeUnixNano: '18446744073709551615' }, { endTimeUnixNano: 2n ** 64n - 1n }],
    [{ droppedAttributesCount: '7' }, { droppedAttributesCount: 7 }],
    [{ flags: 4294967295 }, { flags: 4294967295 }],
    [{ attributes: [{ key: 'k' }, null] }, { attributes: [{ key: 'k' }] }],
    [{ surprise: { deep: [1] }, trace_state: 'x' }, {}],
    [
      { links: [{ spanId: SPAN_ID }], events: [{ name: 'e' }] },
      { links: [{ spanId: SPAN_ID }], events: [{ name: 'e' }] },
    ],
  ])('with %j is taken', (given, meaning) => {
    const { proto, rejected } = convertJson(withSpan(given))
    expect(rejected).toEqual([])
    expect(decodeRequest(proto)).toEqual(withSpan(meaning))
  })

  test.each([
    [{ traceId: 5 }, 'invalid_trace_id', 'traceId'],
    [{ traceId: 'abc' }, 'invalid_trace_id', 'traceId'],
    [{ traceId: `${TRACE_ID.slice(0, 30)}zz` }, 'invalid_trace_id', 'traceId'],
    [{ traceId: { type: 'Buffer', data: [1] } }, 'invalid_trace_id', 'traceId'],
    [{ spanId: 'x' }, 'invalid_span_id', 'spanId'],
    [{ parentSpanId: [] }, 'invalid_parent_span_id', 'parentSpanId'],
    [{ attributes: { a: 1 } }, 'invalid_attributes', 'attributes'],
    [{ attributes: 'a' }, 'invalid_attributes', 'attributes'],
    [{ attributes: ['a'] }, 'invalid_attributes', 'attributes[0]'],
    [{ attributes: [{ key: 1 }] }, 'invalid_attributes', 'attributes[0].key'],
    [{ attributes: [{ key: 'a', value: 'b' }] }, 'invalid_attributes', 'attributes[0].value'],
    [
      { attributes: [{ value: { intValue: '1.5' } }] },
      'invalid_attributes',
      'attributes[0].value.intValue',
    ],
    [
      { attributes: [{ value: { intValue: '9223372036854775808' } }] },
      'invalid_attributes',
      'intValue',
    ],
    [
      { attributes: [{ value: { intValue: { low: 1, high: 0 } } }] },
      'invalid_attributes',
      'intValue',
    ],
    [{ attributes: [{ value: { boolValue: 'true' } }] }, 'invalid_attributes', 'boolValue'],
    [{ attributes: [{ value: { doubleValue: 'x' } }] }, 'invalid_attributes', 'doubleValue'],
    [{ attributes: [{ value: { bytesValue: '!!!!' } }] }, 'invalid_attributes', 'bytesValue'],
    [
      { attributes: [{ value: { arrayValue: { values: [1] } } }] },
      'invalid_attributes',
      'values[0]',
    ],
    [{ events: [{ attributes: {} }] }, 'invalid_attributes', 'events[0].attributes'],
    [{ startTimeUnixNano: '2024-01-01T00:00:00Z' }, 'invalid_time', 'startTimeUnixNano'],
    [{ endTimeUnixNano: -1 }, 'invalid_time', 'endTimeUnixNano'],
    [{ endTimeUnixNano: '18446744073709551616' }, 'invalid_time', 'endTimeUnixNano'],
    [{ events: [{ timeUnixNano: {} }] }, 'invalid_time', 'events[0].timeUnixNano'],
    [{ name: 5 }, 'invalid_span', 'name'],
    [{ kind: 'CLIENT' }, 'invalid_span', 'kind'],
    [{ kind: 1.5 }, 'invalid_span', 'kind'],
    [{ status: 2 }, 'invalid_span', 'status'],
    [{ status: { code: true } }, 'invalid_span', 'status.code'],
    [{ events: {} }, 'invalid_span', 'events'],
    [{ links: ['x'] }, 'invalid_span', 'links[0]'],
    [{ links: [{ traceId: 'x' }] }, 'invalid_span', 'links[0].traceId'],
    [{ droppedEventsCount: -1 }, 'invalid_span', 'droppedEventsCount'],
    [{ flags: 4294967296 }, 'invalid_span', 'flags'],
  ])('with %j is rejected', (given, reason, path) => {
    const bad = { traceId: TRACE_ID, spanId: SPAN_ID, ...given }
    const { proto, rejected } = convertJson(oneScope({ name: 'before' }, bad, { name: 'after' }))
    expect(rejected).toMatchObject([{ index: 1, reason }])
    expect(rejected[0]?.detail).toContain(`resourceSpans[0].scopeSpans[0].spans[1].`)
    expect(rejected[0]?.detail).toContain(`${path} must be `)
    expect(JSON.parse(rejected[0]?.payload.toString() ?? '')).toEqual(oneScope(bad))
    expect(decodeRequest(proto)).toEqual(oneScope({ name: 'before' }, { name: 'after' }))
  })

  test('that is no object is rejected; a null is no span at all and has no number', () => {
    const { rejected } = convertJson(oneScope('x', null, [1]))
    expect(rejected).toMatchObject([
      { index: 0, reason: 'invalid_span', payload: Buffer.from(JSON.stringify(oneScope('x'))) },
      { index: 1, reason: 'invalid_span', payload: Buffer.from(JSON.stringify(oneScope([1]))) },
    ])
    expect(rejected[0]?.detail).toBe(
      'resourceSpans[0].scopeSpans[0].spans[0] must be an object, got a string of 1 characters',
    )
  })

  test('is counted over all scopes and resources', () => {
    const bad = { traceId: 1 }
    const scopes = { scopeSpans: [{ spans: [{}, bad] }, { spans: [bad] }] }
    const { rejected } = convertJson({ resourceSpans: [scopes, scopes] })
    expect(rejected.map(({ index }) => index)).toEqual([1, 2, 4, 5])
  })

  test('never shows its values in the reason of its rejection', () => {
    const secret = 'sk-secret'
    const { rejected } = convertJson(withSpan({ traceId: secret }))
    expect(rejected[0]?.detail).not.toContain(secret)
  })
})

describe('a request', () => {
  test.each([
    ['', 'not valid JSON'],
    ['{"resourceSpans":[', 'not valid JSON'],
    ['[]', 'must be a JSON object'],
    ['null', 'must be a JSON object'],
    ['{"resourceLogs":[]}', 'these are logs'],
    ['{"resourceMetrics":[]}', 'these are metrics'],
    ['{"resource_spans":[]}', 'lowerCamelCase'],
    ['{"spans":[]}', 'has no "resourceSpans"'],
    ['{"resourceSpans":{}}', 'resourceSpans must be an array, got an object'],
    ['{"resourceSpans":[7]}', 'resourceSpans[0] must be an object, got a number'],
    ['{"resourceSpans":[{"scopeSpans":{}}]}', 'resourceSpans[0].scopeSpans must be an array'],
    ['{"resourceSpans":[{"scopeSpans":[{"spans":{}}]}]}', 'scopeSpans[0].spans must be an array'],
    ['{"resourceSpans":[{"scopeSpans":[{"scope":[]}]}]}', 'scopeSpans[0].scope must be an object'],
    ['{"resourceSpans":[{"schemaUrl":1}]}', 'resourceSpans[0].schemaUrl must be a string'],
    [
      '{"resourceSpans":[{"resource":{"attributes":{"a":1}}}]}',
      'resourceSpans[0].resource.attributes must be an array of {"key"',
    ],
  ])('%s is malformed', (body, message) => {
    const conversion = otlpJsonToProto(Buffer.from(body))
    expect(conversion).toEqual({ type: 'malformed', message: expect.stringContaining(message) })
  })

  test.each([
    '{}',
    '{"resourceSpans":null}',
    '{"resourceSpans":[]}',
    '{"resourceSpans":[null]}',
    '{"resourceSpans":[],"extra":1}',
  ])('%s is empty', (body) => {
    const conversion = otlpJsonToProto(Buffer.from(body))
    expect(conversion).toEqual({ type: 'converted', proto: Buffer.alloc(0), rejected: [] })
  })

  test('keeps resource, scope and schema urls', () => {
    const attributes = [{ key: 'a', value: { stringValue: 'b' } }]
    const body = {
      resourceSpans: [
        {
          resource: { attributes },
          scopeSpans: [{ scope: { name: 'n', version: 'v', attributes }, schemaUrl: 'inner' }],
          schemaUrl: 'outer',
        },
      ],
    }
    expect(decodeRequest(convertJson(body).proto)).toEqual(body)
  })

  test('with too many bad spans is malformed as a whole', () => {
    expect(convertJson(badSpans(MAX_REJECTED_SPANS)).rejected).toHaveLength(MAX_REJECTED_SPANS)
    const conversion = otlpJsonToProto(
      Buffer.from(JSON.stringify(badSpans(MAX_REJECTED_SPANS + 1))),
    )
    expect(conversion).toMatchObject({ type: 'malformed' })
  })

  test('with too many objects is malformed, whatever its strings hold', () => {
    const text = `{[\\"`.repeat(MAX_CONTAINERS)
    expect(convertJson(withSpan({ name: text })).rejected).toEqual([])
    const dense = `{"resourceSpans":[${'{},'.repeat(MAX_CONTAINERS)}{}]}`
    expect(otlpJsonToProto(Buffer.from(dense))).toEqual({
      type: 'malformed',
      message: expect.stringContaining('send smaller batches'),
    })
  })

  test('of any bytes or any JSON never throws', () => {
    const garbage = fc.uint8Array().map((bytes) => Buffer.from(bytes))
    const anyJson = fc.json({ maxDepth: 6 }).map((text) => Buffer.from(text))
    fc.assert(
      fc.property(fc.oneof(garbage, anyJson), (body) => {
        expect(otlpJsonToProto(body).type).toMatch(/^(converted|malformed)$/)
      }),
      { seed: 3, numRuns: 500 },
    )
  })

  test('with a random field of random JSON yields readable protobuf', () => {
    const names = ['traceId', 'name', 'kind', 'attributes', 'events', 'links', 'status', 'flags']
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 4 }), (name, value) => {
        const { proto, rejected } = convertJson(oneScope({ name: 'ok' }, { [name]: value }))
        const { resourceSpans } = decodeRequest(proto)
        const spans: unknown[] = Object(resourceSpans)[0].scopeSpans[0].spans
        expect(spans.length + rejected.length).toBe(2)
        expect(spans[0]).toEqual({ name: 'ok' })
      }),
      { seed: 5, numRuns: 500 },
    )
  })
})
