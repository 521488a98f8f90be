import { ProtoWriter } from '../../services/ingest/proto-writer.ts'

/** A double, where a plain number would be written as an int64. */
export interface Double {
  readonly double: number
}

/** An AnyValue: text, integers, doubles, flags, bytes, arrays, maps (as lists of pairs), or none. */
export type Value =
  | string
  | number
  | bigint
  | boolean
  | null
  | Buffer
  | Double
  | { readonly array: readonly Value[] }
  | { readonly map: Attributes }

/** Attributes in order; keys may repeat, and need not be UTF-8. */
export type Attributes = readonly (readonly [key: string | Buffer, value: Value])[]

export interface EventInput {
  readonly name: string
  readonly time?: bigint
  readonly attributes?: Attributes
}

/** A span of a request; what is left out has the default below, and undefined leaves a field out. */
export interface SpanInput {
  readonly traceId?: Buffer | undefined
  readonly spanId?: Buffer | undefined
  readonly parentSpanId?: Buffer
  readonly name?: string
  readonly kind?: number
  readonly start?: bigint | undefined
  readonly end?: bigint | undefined
  readonly status?: { readonly code?: number; readonly message?: string }
  readonly traceState?: string
  readonly attributes?: Attributes
  readonly events?: readonly EventInput[]
  readonly links?: readonly { traceId: Buffer; spanId: Buffer; attributes?: Attributes }[]
}

export const TRACE_ID = Buffer.from('5b8efff798038103d269b633813fc60c', 'hex')
export const SPAN_ID = Buffer.from('eee19b7ec3c1b174', 'hex')
/** 2026-01-02T03:04:05.123456789Z. */
export const START = 1_767_323_045_123_456_789n

export interface RequestInput {
  readonly resource?: Attributes
  readonly scope?: { readonly name: string; readonly version: string }
  readonly spans: readonly SpanInput[]
}

/** An ExportTraceServiceRequest in protobuf with these spans in one scope of one resource. */
export function otlpRequest({ resource = [], scope, spans }: RequestInput): Buffer {
  const out = new ProtoWriter(1_024)
  const resourceSpans = out.begin(1)
  message(out, 1, () => writeAttributes(out, 1, resource))
  message(out, 2, () => {
    if (scope !== undefined) {
      message(out, 1, () => {
        out.string(1, scope.name)
        out.string(2, scope.version)
      })
    }
    for (const span of spans) message(out, 2, () => writeSpan(out, span))
  })
  out.end(resourceSpans)
  return Buffer.from(out.finish())
}

function message(out: ProtoWriter, field: number, fill: () => void): void {
  const start = out.begin(field)
  fill()
  out.end(start)
}

function writeSpan(out: ProtoWriter, span: SpanInput): void {
  const { traceId, spanId, start, end } = {
    traceId: TRACE_ID,
    spanId: SPAN_ID,
    start: START,
    end: START + 1_000n,
    ...span,
  }
  if (traceId !== undefined) out.bytes(1, traceId)
  if (spanId !== undefined) out.bytes(2, spanId)
  if (span.traceState !== undefined) out.string(3, span.traceState)
  if (span.parentSpanId !== undefined) out.bytes(4, span.parentSpanId)
  out.string(5, span.name ?? 'chat')
  out.int64(6, span.kind ?? 3)
  if (start !== undefined) out.fixed64(7, start)
  if (end !== undefined) out.fixed64(8, end)
  writeAttributes(out, 9, span.attributes ?? [])
  for (const event of span.events ?? []) message(out, 11, () => writeEvent(out, event))
  for (const link of span.links ?? []) {
    message(out, 13, () => {
      out.bytes(1, link.traceId)
      out.bytes(2, link.spanId)
      writeAttributes(out, 4, link.attributes ?? [])
    })
  }
  const { status } = span
  if (status === undefined) return
  message(out, 15, () => {
    if (status.message !== undefined) out.string(2, status.message)
    if (status.code !== undefined) out.int64(3, status.code)
  })
}

function writeEvent(out: ProtoWriter, { name, time, attributes }: EventInput): void {
  if (time !== undefined) out.fixed64(1, time)
  out.string(2, name)
  writeAttributes(out, 3, attributes ?? [])
}

function writeAttributes(out: ProtoWriter, field: number, attributes: Attributes): void {
  for (const [key, value] of attributes) {
    message(out, field, () => {
      out.bytes(1, Buffer.from(key))
      message(out, 2, () => writeValue(out, value))
    })
  }
}

function writeValue(out: ProtoWriter, value: Value): void {
  if (value === null) return
  if (typeof value === 'string') out.string(1, value)
  else if (typeof value === 'boolean') out.bool(2, value)
  else if (typeof value === 'number' || typeof value === 'bigint') out.int64(3, value)
  else if (Buffer.isBuffer(value)) out.bytes(7, value)
  else if ('double' in value) out.double(4, value.double)
  else if ('array' in value) {
    message(out, 5, () => {
      for (const item of value.array) message(out, 1, () => writeValue(out, item))
    })
  } else message(out, 6, () => writeAttributes(out, 1, value.map))
}
