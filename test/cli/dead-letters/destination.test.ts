import { describe, expect, test } from 'vitest'
import { destinationOf } from '../../../services/cli/dead-letters/destination.ts'
import type { Letter } from '../../../services/cli/dead-letters/letters.ts'
import { otlpJson } from '../../../services/cli/dead-letters/otlp-text.ts'
import { otlpRequest } from '../../support/otlp-proto.ts'

const letterOf = (fields: Partial<Letter>): Letter => ({
  id: 'abc',
  time: '2026-01-02T03:04:05.000Z',
  worker: 'ingest',
  source: 'otlp_http',
  partition: -1,
  offset: '-1',
  index: -1,
  reason: 'malformed',
  detail: '',
  format: 'otlp_proto',
  tenant: '',
  bytes: 3,
  payload: Buffer.from('abc'),
  ...fields,
})
const PROTO = 'application/x-protobuf'
const JSON_TYPE = 'application/json'

function typeOf(fixed: Buffer): unknown {
  const to = destinationOf(letterOf({ format: 'otlp_span_proto' }), fixed)
  return 'problem' in to ? to : [to.headers['content-type'], to.payload]
}

describe('A letter goes', () => {
  test.each<[string, Partial<Letter>, object]>([
    ['protobuf', {}, { topic: 'otlp_spans', headers: { 'content-type': PROTO } }],
    [
      'JSON of a tenant',
      { format: 'otlp_json', tenant: 'acme' },
      { topic: 'otlp_spans', headers: { 'content-type': JSON_TYPE, tenant: 'acme' } },
    ],
    [
      'a score',
      { format: 'evaluation_json', tenant: 'acme' },
      { topic: 'otlp_spans', headers: { holds: 'evaluations', tenant: 'acme' } },
    ],
    ['a batch', { format: 'avro', source: 'spans' }, { topic: 'spans', headers: {} }],
  ])('of %s to its topic, with its bytes', (_, fields, to) => {
    expect(destinationOf(letterOf(fields))).toEqual({ ...to, payload: Buffer.from('abc') })
  })

  test('in a file as what the file is', () => {
    const json = Buffer.from(' \n{"resourceSpans":[]}')
    const proto = otlpRequest({ spans: [{ name: 'a' }] })
    expect(typeOf(json)).toEqual([JSON_TYPE, json])
    expect(typeOf(proto)).toEqual([PROTO, proto])
  })

  test('of a span alone, as earlier versions kept it, as a request', () => {
    const json = destinationOf(
      letterOf({ format: 'otlp_span_json', payload: Buffer.from('{"name":"a"}') }),
    )
    expect('problem' in json ? json : JSON.parse(json.payload.toString())).toEqual({
      resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'a' }] }] }],
    })
    const name = 'n'.repeat(300)
    const span = Buffer.concat([Buffer.from([0x2a, 0xac, 0x02]), Buffer.from(name)])
    const proto = destinationOf(letterOf({ format: 'otlp_span_proto', payload: span }))
    expect('problem' in proto ? proto : otlpJson(proto.payload)).toEqual({
      resourceSpans: [{ scopeSpans: [{ spans: [{ name }] }] }],
    })
  })
})

test.each<[string, Partial<Letter>, RegExp]>([
  ['no bytes', { payload: Buffer.alloc(0) }, /no bytes any more/],
  [
    'a span that landed',
    { format: 'avro', reason: 'too_many_evaluations', source: 'spans' },
    /count twice/,
  ],
  ['a batch from nowhere', { format: 'avro', source: 'nowhere' }, /no topic/],
  ['a piece of state', { format: 'avro', source: 'alert.state' }, /no topic/],
])('A letter of %s is not sent', (_, fields, problem) => {
  expect(destinationOf(letterOf(fields))).toEqual({ problem: expect.stringMatching(problem) })
})
