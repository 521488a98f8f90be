import { describe, expect, test } from 'vitest'
import { translate } from '../../services/ingest/translate.ts'
import { otlpRequest, SPAN_ID, START, TRACE_ID } from '../support/otlp-proto.ts'
import { decodeBatches, RECEIVED_MS, transcoder } from '../support/spans.ts'
import { oneScope } from './otlp-samples.ts'

const transcode = transcoder()
const jsonSpan = (more: Record<string, unknown> = {}) => ({
  traceId: TRACE_ID.toString('hex'),
  spanId: SPAN_ID.toString('hex'),
  name: 'chat',
  kind: 3,
  startTimeUnixNano: String(START),
  endTimeUnixNano: String(START + 1_000n),
  ...more,
})
const json = (...spans: unknown[]) => Buffer.from(JSON.stringify(oneScope(...spans)))
const ofJson = (...spans: unknown[]) => translate(transcode, 'json', json(...spans), RECEIVED_MS)

test('Both encodings give the same spans', () => {
  const attributes = [{ key: 'user.id', value: { stringValue: 'u' } }]
  const proto = otlpRequest({ spans: [{ attributes: [['user.id', 'u']] }] })
  const fromProto = translate(transcode, 'proto', proto, RECEIVED_MS)
  expect(fromProto).toMatchObject({ type: 'translated', spans: 1, rejected: [] })
  expect(ofJson(jsonSpan({ attributes }))).toEqual(fromProto)
})

/** The number of the span that is rejected of two, the first of which is null. */
const numberOf = (span: unknown) => {
  const translation = ofJson(null, span)
  return translation.type === 'translated' ? translation.rejected[0]?.index : translation.type
}

describe('The spans of a JSON request that are rejected', () => {
  const badJson = jsonSpan({ traceId: 'not hex' })
  const badSpan = jsonSpan({ traceId: '00'.repeat(16) })

  test('keep the numbers that they have in the request, whoever refuses them', () => {
    const translation = ofJson(
      jsonSpan(),
      badJson,
      badSpan,
      badJson,
      jsonSpan({ name: 'last' }),
      badSpan,
    )
    if (translation.type !== 'translated') throw new Error(translation.message)
    const { rejected, batches, spans } = translation
    expect(rejected.map(({ index, format }) => [index, format])).toEqual([
      [1, 'otlp_json'],
      [2, 'otlp_proto'],
      [3, 'otlp_json'],
      [5, 'otlp_proto'],
    ])
    expect([spans, decodeBatches(batches).map((span) => span['name'])]).toEqual([
      2,
      ['chat', 'last'],
    ])
  })

  test('have one number behind a null, which is no span, whoever refuses them', () => {
    expect(numberOf(badSpan)).toBe(numberOf(badJson))
  })
})

const broken = () => {
  throw new RangeError('a bug')
}

describe('A request is refused as a whole', () => {
  test.each<[string, 'proto' | 'json', Buffer, string]>([
    [
      'where it is not protobuf',
      'proto',
      Buffer.from('hello'),
      'not an OTLP ExportTraceServiceRequest',
    ],
    ['where it is not JSON', 'json', Buffer.from('{'), 'not valid JSON'],
    ['where it is JSON of something else', 'json', Buffer.from('{"resourceLogs":[]}'), 'logs'],
  ])('%s', (_, encoding, body, message) => {
    const translation = translate(transcode, encoding, body, RECEIVED_MS)
    expect(translation).toMatchObject({
      type: 'malformed',
      message: expect.stringContaining(message),
    })
  })

  test('where its batches would be too large', () => {
    const spans = Array.from({ length: 20 }, () => ({}))
    const limited = transcoder({ maxOutputBytes: 1_000 })
    const translation = translate(limited, 'proto', otlpRequest({ spans }), RECEIVED_MS)
    expect(translation).toMatchObject({
      type: 'too_large',
      message: expect.stringContaining('1000'),
    })
  })

  test('but a bug is not hidden', () => {
    expect(() => translate(broken, 'proto', Buffer.alloc(0), RECEIVED_MS)).toThrow(RangeError)
  })
})
