import * as fc from 'fast-check'
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { describe, expect, test } from 'vitest'
import {
  encodeExportResponse,
  encodeStatus,
  retryAfterSeconds,
} from '../../services/ingest/otlp-status.ts'
import { decodeResponse, decodeStatus } from './otlp-samples.ts'

const parse = (bytes: Buffer): unknown => JSON.parse(bytes.toString())

describe('an export response', () => {
  test('of full success is zero bytes of protobuf and {} in JSON', () => {
    const success = { rejectedSpans: 0, errorMessage: '' }
    expect(encodeExportResponse(success, 'proto')).toHaveLength(0)
    expect(encodeExportResponse(success, 'json').toString()).toBe('{}')
  })

  test('of partial success writes the count as a string in JSON', () => {
    const partial = { rejectedSpans: 3, errorMessage: 'no trace id' }
    expect(encodeExportResponse(partial, 'json').toString()).toBe(
      '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no trace id"}}',
    )
  })

  test('without rejected spans but with a message is a warning', () => {
    const warning = { rejectedSpans: 0, errorMessage: 'odd' }
    expect(decodeResponse(encodeExportResponse(warning, 'proto'))).toEqual({
      partialSuccess: { errorMessage: 'odd' },
    })
  })

  test('is read by the SDK as it was meant', () => {
    const rejected = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
    fc.assert(
      fc.property(rejected, fc.string({ unit: 'binary' }), (rejectedSpans, errorMessage) => {
        const result = { rejectedSpans, errorMessage }
        const proto = ProtobufTraceSerializer.deserializeResponse(
          encodeExportResponse(result, 'proto'),
        )
        expect(Number(proto.partialSuccess?.rejectedSpans)).toBe(rejectedSpans)
        expect(proto.partialSuccess?.errorMessage ?? '').toBe(errorMessage)
        const json = JsonTraceSerializer.deserializeResponse(encodeExportResponse(result, 'json'))
        expect(json).toEqual({
          partialSuccess: { rejectedSpans: String(rejectedSpans), errorMessage },
        })
      }),
      { seed: 42 },
    )
  })
})

describe('a status', () => {
  test('carries code and message in both encodings', () => {
    const status = { code: 3, message: 'not OTLP' }
    expect(decodeStatus(encodeStatus(status, 'proto'))).toEqual(status)
    expect(parse(encodeStatus(status, 'json'))).toEqual(status)
  })

  test.each([
    { retryAfterMs: 1_500, seconds: 1, nanos: 500_000_000, text: '1.500s' },
    { retryAfterMs: 30_000, seconds: 30, nanos: 0, text: '30s' },
    { retryAfterMs: 7, seconds: 0, nanos: 7_000_000, text: '0.007s' },
    { retryAfterMs: 0, seconds: 0, nanos: 0, text: '0s' },
  ])('tells the client to come again after $text', ({ retryAfterMs, seconds, nanos, text }) => {
    const status = { code: 14, message: 'busy', retryAfterMs }
    const type = 'type.googleapis.com/google.rpc.RetryInfo'
    const retryDelay = { ...(seconds > 0 && { seconds }), ...(nanos > 0 && { nanos }) }
    expect(decodeStatus(encodeStatus(status, 'proto'))).toEqual({
      code: 14,
      message: 'busy',
      details: [{ typeUrl: type, value: { retryDelay } }],
    })
    expect(parse(encodeStatus(status, 'json'))).toEqual({
      code: 14,
      message: 'busy',
      details: [{ '@type': type, retryDelay: text }],
    })
  })
})

test.each([
  [0, 1],
  [1, 1],
  [1_000, 1],
  [1_001, 2],
  [60_000, 60],
])('Retry-After for %d ms is %d s', (delayMs, seconds) => {
  expect(retryAfterSeconds(delayMs)).toBe(seconds)
})
