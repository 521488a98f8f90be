import { describe, expect, test } from 'vitest'
import { otlpJson } from '../../../services/cli/dead-letters/otlp-text.ts'
import { convertJson } from '../../ingest/otlp-samples.ts'
import { otlpRequest } from '../../support/otlp-proto.ts'

describe('The text of a request', () => {
  test('goes back to the bytes that it came from, whatever a request holds', () => {
    const values = [
      { stringValue: 'é' },
      { boolValue: true },
      { intValue: '-9223372036854775808' },
      { doubleValue: 1e300 },
      { doubleValue: 'NaN' },
      { bytesValue: 'AAH/' },
      { arrayValue: { values: [{ intValue: '1' }, {}] } },
      { kvlistValue: { values: [{ key: 'a', value: { stringValue: 'b' } }] } },
    ]
    const attributes = values.map((value, i) => ({ key: `key ${i}`, value }))
    const span = {
      traceId: 'ab'.repeat(16),
      spanId: 'cd'.repeat(8),
      parentSpanId: 'ef'.repeat(8),
      traceState: 'a=b',
      name: 'chat',
      kind: 3,
      startTimeUnixNano: '1767323045000000001',
      endTimeUnixNano: '1767323046000000002',
      attributes,
      droppedAttributesCount: 1,
      events: [{ timeUnixNano: '1', name: 'event', attributes, droppedAttributesCount: 2 }],
      droppedEventsCount: 3,
      links: [{ traceId: '12'.repeat(16), spanId: '34'.repeat(8), traceState: 'x', attributes }],
      droppedLinksCount: 4,
      status: { message: 'bad', code: 2 },
      flags: 257,
    }
    const { proto } = convertJson({
      resourceSpans: [
        {
          resource: { attributes },
          scopeSpans: [
            {
              scope: { name: 'lib', version: '1', attributes },
              spans: [span, span],
              schemaUrl: 'https://example.com/scope',
            },
          ],
          schemaUrl: 'https://example.com/resource',
        },
      ],
    })
    const text = otlpJson(proto)
    expect(text).toMatchObject({ resourceSpans: [{ scopeSpans: [{ spans: [span, span] }] }] })
    expect(convertJson(text).proto.equals(proto)).toBe(true)
  })

  test('has ids in digits, times as text, and every attribute', () => {
    const proto = otlpRequest({
      resource: [['service.name', 'shop']],
      spans: [
        {
          traceId: Buffer.alloc(16, 0xab),
          spanId: Buffer.alloc(3, 0xcd),
          name: 'é',
          start: 2n ** 63n,
          end: 1n,
          attributes: [
            ['text', 'x'],
            ['number', 7],
          ],
        },
      ],
    })
    expect(otlpJson(proto)).toMatchObject({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
          scopeSpans: [
            {
              spans: [
                {
                  traceId: 'ab'.repeat(16),
                  spanId: 'cdcdcd',
                  name: 'é',
                  startTimeUnixNano: String(2n ** 63n),
                  endTimeUnixNano: '1',
                  attributes: [
                    { key: 'text', value: { stringValue: 'x' } },
                    { key: 'number', value: { intValue: '7' } },
                  ],
                },
              ],
            },
          ],
        },
      ],
    })
  })

  test.each([
    ['text', Buffer.from('not protobuf')],
    ['a message that ends early', otlpRequest({ spans: [{ name: 'a' }] }).subarray(0, -2)],
    ['a number without an end', Buffer.alloc(12, 0xff)],
  ])('of %s is none', (_, bytes) => {
    expect(otlpJson(bytes)).toBeUndefined()
  })
})
