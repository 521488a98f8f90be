/**
 * The protobuf of an OTLP trace request as OTLP/JSON, so that a person can read and mend it. Field
 * numbers are those of opentelemetry-proto 1.11; what has no field there is left out.
 */

/** How the value of a field reads; the name of a message for one that nests. */
type Kind = 'text' | 'hex' | 'base64' | 'int' | 'uint' | 'bool' | 'time' | 'double' | 'fixed32'

interface Field {
  readonly name: string
  readonly kind: Kind | { readonly message: string }
  readonly isList?: boolean
}

const text = (name: string): Field => ({ name, kind: 'text' })
const of = (name: string, kind: Kind): Field => ({ name, kind })
const one = (name: string, message: string): Field => ({ name, kind: { message } })
const many = (name: string, message: string): Field => ({ name, kind: { message }, isList: true })
const attributes = many('attributes', 'KeyValue')
const dropped = of('droppedAttributesCount', 'uint')

/** Fields of each message by their numbers. */
const MESSAGES: Readonly<Record<string, Readonly<Record<number, Field>>>> = {
  Request: { 1: many('resourceSpans', 'ResourceSpans') },
  ResourceSpans: {
    1: one('resource', 'Resource'),
    2: many('scopeSpans', 'ScopeSpans'),
    3: text('schemaUrl'),
  },
  Resource: { 1: attributes, 2: dropped },
  ScopeSpans: { 1: one('scope', 'Scope'), 2: many('spans', 'Span'), 3: text('schemaUrl') },
  Scope: { 1: text('name'), 2: text('version'), 3: attributes, 4: dropped },
  Span: {
    1: of('traceId', 'hex'),
    2: of('spanId', 'hex'),
    3: text('traceState'),
    4: of('parentSpanId', 'hex'),
    5: text('name'),
    6: of('kind', 'uint'),
    7: of('startTimeUnixNano', 'time'),
    8: of('endTimeUnixNano', 'time'),
    9: attributes,
    10: dropped,
    11: many('events', 'Event'),
    12: of('droppedEventsCount', 'uint'),
    13: many('links', 'Link'),
    14: of('droppedLinksCount', 'uint'),
    15: one('status', 'Status'),
    16: of('flags', 'fixed32'),
  },
  Event: { 1: of('timeUnixNano', 'time'), 2: text('name'), 3: attributes, 4: dropped },
  Link: {
    1: of('traceId', 'hex'),
    2: of('spanId', 'hex'),
    3: text('traceState'),
    4: attributes,
    5: dropped,
    6: of('flags', 'fixed32'),
  },
  Status: { 2: text('message'), 3: of('code', 'uint') },
  KeyValue: { 1: text('key'), 2: one('value', 'AnyValue') },
  AnyValue: {
    1: text('stringValue'),
    2: of('boolValue', 'bool'),
    3: of('intValue', 'int'),
    4: of('doubleValue', 'double'),
    5: one('arrayValue', 'ArrayValue'),
    6: one('kvlistValue', 'KeyValueList'),
    7: of('bytesValue', 'base64'),
  },
  ArrayValue: { 1: many('values', 'AnyValue') },
  KeyValueList: { 1: many('values', 'KeyValue') },
}

const WIRE_OF: Readonly<Record<Kind, number>> = {
  text: 2,
  hex: 2,
  base64: 2,
  int: 0,
  uint: 0,
  bool: 0,
  time: 1,
  double: 1,
  fixed32: 5,
}
const MAX_DEPTH = 100

/** The bytes are no such message. */
class NoOtlpError extends Error {
  override readonly name = 'NoOtlpError'
}

type Value = string | number | boolean | Message | (string | number | boolean | Message)[]
interface Message {
  [name: string]: Value
}

/** A trace request as OTLP/JSON; undefined for bytes that are none. */
export function otlpJson(request: Buffer): Message | undefined {
  try {
    return readMessage(new Cursor(request), 'Request', request.length, 0)
  } catch (error) {
    if (error instanceof NoOtlpError) return undefined
    throw error
  }
}

function readMessage(cursor: Cursor, name: string, end: number, depth: number): Message {
  if (depth > MAX_DEPTH) throw new NoOtlpError('it nests too deep')
  const fields = MESSAGES[name] ?? {}
  const read: Message = {}
  while (cursor.position < end) {
    const tag = cursor.varint()
    const wire = Number(tag & 7n)
    const field = fields[Number(tag >> 3n)]
    if (field === undefined || !fits(field, wire)) {
      cursor.skip(wire, end)
      continue
    }
    const value = readValue(cursor, field, end, depth)
    const before = read[field.name]
    if (field.isList !== true) read[field.name] = value
    else if (Array.isArray(before) && !Array.isArray(value)) before.push(value)
    else if (!Array.isArray(value)) read[field.name] = [value]
  }
  if (cursor.position !== end) throw new NoOtlpError('a field runs past its message')
  return read
}

function fits({ kind }: Field, wire: number): boolean {
  return wire === (typeof kind === 'object' ? 2 : WIRE_OF[kind])
}

function readValue(cursor: Cursor, { kind }: Field, end: number, depth: number): Value {
  if (kind === 'int') return String(BigInt.asIntN(64, cursor.varint()))
  if (kind === 'uint') return Number(BigInt.asUintN(32, cursor.varint()))
  if (kind === 'bool') return cursor.varint() !== 0n
  if (kind === 'time') return String(cursor.take(8, end).readBigUInt64LE())
  if (kind === 'fixed32') return cursor.take(4, end).readUInt32LE()
  if (kind === 'double') {
    const value = cursor.take(8, end).readDoubleLE()
    return Number.isFinite(value) ? value : String(value)
  }
  const length = Number(cursor.varint())
  if (typeof kind === 'object') {
    const stop = cursor.position + length
    if (stop > end) throw new NoOtlpError('a message runs past its end')
    return readMessage(cursor, kind.message, stop, depth + 1)
  }
  const bytes = cursor.take(length, end)
  return bytes.toString(kind === 'text' ? 'utf8' : kind)
}

class Cursor {
  readonly #bytes: Buffer
  position = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.position++]
      if (byte === undefined) break
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new NoOtlpError('a number does not end')
  }

  take(length: number, end: number): Buffer {
    const from = this.position
    if (from + length > end) throw new NoOtlpError('the bytes end within a field')
    this.position += length
    return this.#bytes.subarray(from, this.position)
  }

  skip(wire: number, end: number): void {
    if (wire === 0) this.varint()
    else if (wire === 1) this.take(8, end)
    else if (wire === 2) this.take(Number(this.varint()), end)
    else if (wire === 5) this.take(4, end)
    else throw new NoOtlpError('a wire type that is not known')
  }
}
