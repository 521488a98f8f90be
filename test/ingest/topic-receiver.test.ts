import { describe, expect, test } from 'vitest'
import { createTopicTransform } from '../../services/ingest/topic-receiver.ts'
import { otlpRequest } from '../support/otlp-proto.ts'
import { record } from '../support/memory.ts'
import { decodeBatches, transcoder } from '../support/spans.ts'
import { withSpan } from './otlp-samples.ts'

const counted: [string, number][] = []
const transform = createTopicTransform(transcoder(), (via, spans) => counted.push([via, spans]))
const proto = otlpRequest({ spans: [{ name: 'a' }] })
const json = Buffer.from(
  JSON.stringify(withSpan({ name: 'a', startTimeUnixNano: '1', endTimeUnixNano: '2' })),
)

describe('A record of otlp_spans', () => {
  test.each([
    ['protobuf', proto, {}],
    ['JSON, by its first byte', json, {}],
    [
      'JSON, by its header',
      Buffer.concat([Buffer.from(' '), json]),
      { 'Content-Type': 'application/json; charset=utf-8' },
    ],
    ['protobuf, by its header', proto, { 'content-type': 'application/x-protobuf' }],
  ])('of %s becomes batches of spans', (_, value, headers) => {
    counted.length = 0
    const { values, rejected } = transform(record(0, value, { headers }))
    expect(rejected).toEqual([])
    expect(decodeBatches(values)).toMatchObject([{ name: 'a' }])
    expect(counted).toEqual([['otlp_spans', 1]])
  })

  test('is of the tenant that its header names, whatever attributes say', () => {
    const value = otlpRequest({ spans: [{ attributes: [['tenant.id', 'other']] }] })
    const { values } = transform(record(0, value, { headers: { tenant: 'acme' } }))
    expect(decodeBatches(values)).toMatchObject([{ tenant: 'acme' }])
  })

  test("is received at the record's own time", () => {
    const { values } = transform(record(0, proto, { timeMs: 1_700_000_000_123 }))
    expect(decodeBatches(values)).toMatchObject([
      { received_time_unix_nano: 1_700_000_000_123_000_000n },
    ])
  })

  test.each([
    ['protobuf', Buffer.from('\n\u0005abc'), 'otlp_proto'],
    ['JSON', Buffer.from('{"resourceSpans":'), 'otlp_json'],
  ])('that is damaged %s is rejected whole', (_, value, format) => {
    counted.length = 0
    expect(transform(record(0, value))).toEqual({
      values: [],
      rejected: [
        {
          index: -1,
          reason: 'malformed',
          detail: expect.stringMatching(/./),
          format,
          payload: value,
          tenant: '',
        },
      ],
    })
    expect(counted).toEqual([])
  })

  test('whose spans are in part bad gives the good ones and rejects the others', () => {
    const value = otlpRequest({ spans: [{ spanId: Buffer.alloc(8) }, { name: 'good' }] })
    const { values, rejected } = transform(record(0, value))
    expect(decodeBatches(values)).toMatchObject([{ name: 'good' }])
    expect(rejected).toMatchObject([{ index: 0, reason: 'invalid_span_id' }])
  })
})
