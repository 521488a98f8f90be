import { SpanKind, SpanStatusCode, type Attributes, type SpanContext } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { otlpJsonToProto, type RejectedSpan } from '../../services/ingest/otlp-json.ts'

/** The ids of sample spans. */
export const TRACE_ID = '5b8efff798038103d269b633813fc60c'
export const SPAN_ID = 'eee19b7ec3c1b174'
const PARENT_ID = 'eee19b7ec3c1b173'

const RESOURCE = resourceFromAttributes({ 'service.name': 'shop', 'host.cores': 8 })

// The protobuf exporter groups spans by the scope object itself.
const SCOPE = {
  name: 'my.library',
  version: '1.0.0',
  schemaUrl: 'https://opentelemetry.io/schemas/1.41.1',
}

const context = (spanId: string): SpanContext => ({ traceId: TRACE_ID, spanId, traceFlags: 1 })

/** A span with every field set, as the SDK hands it to an exporter. */
export function sampleSpan(attributes: Attributes): ReadableSpan {
  return {
    name: 'chat gpt-4o – ünïcode',
    kind: SpanKind.CLIENT,
    spanContext: () => context(SPAN_ID),
    parentSpanContext: { ...context(PARENT_ID), isRemote: true },
    startTime: [1_544_712_660, 123_456_789],
    endTime: [1_544_712_661, 1],
    status: { code: SpanStatusCode.ERROR, message: 'rate limited' },
    attributes,
    links: [
      { context: context(PARENT_ID), attributes: { why: 'retry' }, droppedAttributesCount: 1 },
    ],
    events: [
      { name: 'exception', time: [1_544_712_660, 5], attributes, droppedAttributesCount: 300 },
      { name: '', time: [1_544_712_660, 6] },
    ],
    duration: [0, 876_543_212],
    ended: true,
    resource: RESOURCE,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 2,
    droppedEventsCount: 3,
    droppedLinksCount: 4,
  }
}

/** A JSON request with these spans in one scope of one resource. */
export const oneScope = (...spans: unknown[]) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] })

/** A JSON request of one span with the sample ids and these fields. */
export const withSpan = (span: Record<string, unknown>) =>
  oneScope({ traceId: TRACE_ID, spanId: SPAN_ID, ...span })

/** Converts a JSON request that must not be malformed. */
export function convertJson(body: unknown): { proto: Buffer; rejected: readonly RejectedSpan[] } {
  const conversion = otlpJsonToProto(Buffer.from(JSON.stringify(body)))
  if (conversion.type === 'malformed') throw new Error(conversion.message)
  return conversion
}

type Kind = 'string' | 'hex' | 'number' | 'int64' | 'bool' | 'double' | 'fixed32' | 'fixed64'
interface Field {
  readonly name: string
  readonly type: Kind | Message
  readonly isRepeated?: boolean
  /** Fields of a oneof are there even with their default value. */
  readonly isOneof?: boolean
}
type Message = () => ReadonlyMap<number, Field>
type Decoded = Record<string, unknown>

const fields = (table: Record<number, Field>): ReadonlyMap<number, Field> =>
  new Map(Object.entries(table).map(([number, field]) => [Number(number), field]))
const list = (name: string, type: Message): Field => ({ name, type, isRepeated: true })
const oneof = (name: string, type: Kind | Message): Field => ({ name, type, isOneof: true })
const plain = (name: string, type: Kind | Message): Field => ({ name, type })

const request: Message = () => fields({ 1: list('resourceSpans', resourceSpans) })
const resourceSpans: Message = () =>
  fields({
    1: plain('resource', () => fields({ 1: list('attributes', keyValue) })),
    2: list('scopeSpans', scopeSpans),
    3: plain('schemaUrl', 'string'),
  })
const scopeSpans: Message = () =>
  fields({
    1: plain('scope', () =>
      fields({
        1: plain('name', 'string'),
        2: plain('version', 'string'),
        3: list('attributes', keyValue),
      }),
    ),
    2: list('spans', span),
    3: plain('schemaUrl', 'string'),
  })
const keyValue: Message = () => fields({ 1: plain('key', 'string'), 2: plain('value', anyValue) })
const anyValue: Message = () =>
  fields({
    1: oneof('stringValue', 'string'),
    2: oneof('boolValue', 'bool'),
    3: oneof('intValue', 'int64'),
    4: oneof('doubleValue', 'double'),
    5: oneof('arrayValue', () => fields({ 1: list('values', anyValue) })),
    6: oneof('kvlistValue', () => fields({ 1: list('values', keyValue) })),
    7: oneof('bytesValue', 'hex'),
  })
const span: Message = () =>
  fields({
    1: plain('traceId', 'hex'),
    2: plain('spanId', 'hex'),
    3: plain('traceState', 'string'),
    4: plain('parentSpanId', 'hex'),
    5: plain('name', 'string'),
    6: plain('kind', 'number'),
    7: plain('startTimeUnixNano', 'fixed64'),
    8: plain('endTimeUnixNano', 'fixed64'),
    9: list('attributes', keyValue),
    10: plain('droppedAttributesCount', 'number'),
    11: list('events', event),
    12: plain('droppedEventsCount', 'number'),
    13: list('links', link),
    14: plain('droppedLinksCount', 'number'),
    15: plain('status', () =>
      fields({ 2: plain('message', 'string'), 3: plain('code', 'number') }),
    ),
    16: plain('flags', 'fixed32'),
  })
const event: Message = () =>
  fields({
    1: plain('timeUnixNano', 'fixed64'),
    2: plain('name', 'string'),
    3: list('attributes', keyValue),
    4: plain('droppedAttributesCount', 'number'),
  })
const link: Message = () =>
  fields({
    1: plain('traceId', 'hex'),
    2: plain('spanId', 'hex'),
    3: plain('traceState', 'string'),
    4: list('attributes', keyValue),
    5: plain('droppedAttributesCount', 'number'),
    6: plain('flags', 'fixed32'),
  })
const retryInfo: Message = () =>
  fields({
    1: plain('retryDelay', () =>
      fields({ 1: plain('seconds', 'number'), 2: plain('nanos', 'number') }),
    ),
  })
const status: Message = () =>
  fields({
    1: plain('code', 'number'),
    2: plain('message', 'string'),
    3: list('details', () =>
      fields({ 1: plain('typeUrl', 'string'), 2: plain('value', retryInfo) }),
    ),
  })
const exportResponse: Message = () =>
  fields({
    1: plain('partialSuccess', () =>
      fields({ 1: plain('rejectedSpans', 'number'), 2: plain('errorMessage', 'string') }),
    ),
  })

/** Decodes an ExportTraceServiceRequest; fields with default values are left out. */
export const decodeRequest = (bytes: Uint8Array): Decoded => decode(bytes, request)
/** Decodes a google.rpc.Status whose details are RetryInfo. */
export const decodeStatus = (bytes: Uint8Array): Decoded => decode(bytes, status)
/** Decodes an ExportTraceServiceResponse. */
export const decodeResponse = (bytes: Uint8Array): Decoded => decode(bytes, exportResponse)

function decode(input: Uint8Array, message: Message): Decoded {
  const bytes = Buffer.from(input)
  const known = message()
  const result: Decoded = {}
  let position = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(position++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  while (position < bytes.length) {
    const tag = Number(varint())
    const wireType = tag & 7
    const sizes = new Map([
      [1, 8],
      [5, 4],
    ])
    let raw: bigint | Buffer
    if (wireType === 0) raw = varint()
    else {
      const length = wireType === 2 ? Number(varint()) : sizes.get(wireType)
      if (length === undefined || position + length > bytes.length) throw new Error('bad protobuf')
      raw = bytes.subarray(position, position + length)
      position += length
    }
    const field = known.get(tag >>> 3)
    if (field !== undefined) put(result, field, interpret(raw, field.type))
  }
  return result
}

function put(result: Decoded, field: Field, value: unknown): void {
  const isDefault = value === 0 || value === 0n || value === ''
  if (field.isRepeated) {
    const before = result[field.name]
    result[field.name] = Array.isArray(before) ? [...before, value] : [value]
  } else if (field.isOneof || !isDefault) result[field.name] = value
}

function interpret(raw: bigint | Buffer, type: Kind | Message): unknown {
  if (typeof raw === 'bigint') {
    if (type === 'bool') return raw !== 0n
    return type === 'int64' ? BigInt.asIntN(64, raw) : Number(BigInt.asIntN(64, raw))
  }
  if (typeof type === 'function') return decode(raw, type)
  if (type === 'string') return raw.toString('utf8')
  if (type === 'double') return raw.readDoubleLE()
  if (type === 'fixed32') return raw.readUInt32LE()
  return type === 'fixed64' ? raw.readBigUInt64LE() : raw.toString('hex')
}
