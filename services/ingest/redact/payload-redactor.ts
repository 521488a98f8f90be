import { isUtf8 } from 'node:buffer'
import {
  int64,
  ProtoError,
  ProtoReader,
  WIRE_BYTES,
  WIRE_FIXED64,
  WIRE_VARINT,
} from '../otlp-reader.ts'
import { findAll, type RedactionScope } from './text-redactor.ts'

/**
 * Masks what is found in the bytes of a request that was refused, and changes neither their number nor their form: the
 * bytes can be mended and sent again.
 */

/** Messages of OTLP by the numbers of their fields; any other field of bytes is a text. */
interface Message {
  readonly [field: number]: Message
}

const value: Message = {}
const keyValue: Message = { 2: value }
// An AnyValue holds a list of values (5), or of keys with values (6).
Object.assign(value, { 5: { 1: value }, 6: { 1: keyValue } })
const span: Message = { 9: keyValue, 11: { 3: keyValue }, 13: { 4: keyValue }, 15: {} }
const scopeSpans: Message = { 1: { 3: keyValue }, 2: span }
const request: Message = { 1: { 1: { 1: keyValue }, 2: scopeSpans } }

const INT = 3
const DOUBLE = 4
const MAX_DEPTH = 200
const STAR = '*'
/** Stands for a digit where nothing but digits was found: the number may be one of JSON, without quotes. */
const NINE = '9'

/** The payload masked; undefined where it is no OTLP, so that nobody can say what it holds. */
export function maskProto(scope: RedactionScope, payload: Buffer): Buffer | undefined {
  const masked = Buffer.from(payload)
  try {
    maskMessage(scope, new ProtoReader(masked), { message: request, end: masked.length, depth: 0 })
  } catch (error) {
    if (error instanceof ProtoError) return undefined
    throw error
  }
  return masked
}

/** JSON, or what was meant to be JSON, masked. */
export function maskText(scope: RedactionScope, payload: Buffer): Buffer {
  const masked = Buffer.from(payload)
  maskRange(scope, masked, 0, masked.length)
  return masked
}

interface Part {
  readonly message: Message
  readonly end: number
  readonly depth: number
}

function maskMessage(scope: RedactionScope, reader: ProtoReader, { message, end, depth }: Part) {
  if (depth > MAX_DEPTH) throw new ProtoError('the message nests too deep')
  while (reader.tag(end)) {
    const { field, wire, position } = reader
    if (wire !== WIRE_BYTES) {
      reader.skip(end)
      if (message === value) maskNumber(scope, reader, position)
      continue
    }
    reader.bytes(end)
    const inner = message[field]
    const { start, end: stop } = reader
    if (inner === undefined) maskRange(scope, reader.buffer, start, stop)
    else {
      reader.position = start
      maskMessage(scope, reader, { message: inner, end: stop, depth: depth + 1 })
    }
  }
}

/** A number of an attribute is text once it is stored; one that would be found becomes zero. */
function maskNumber(scope: RedactionScope, reader: ProtoReader, start: number): void {
  const { buffer, field, wire, position: end } = reader
  const text =
    field === INT && wire === WIRE_VARINT
      ? String(int64(reader.low, reader.high))
      : field === DOUBLE && wire === WIRE_FIXED64
        ? String(buffer.readDoubleLE(start))
        : ''
  if (text === '' || findAll(scope, text, scope.policy.features).length === 0) return
  // A varint keeps its length: all of its bytes but the last say that there is more.
  for (let i = start; i < end; i++) buffer[i] = wire === WIRE_VARINT && i < end - 1 ? 0x80 : 0
}

function maskRange(scope: RedactionScope, bytes: Buffer, start: number, end: number): void {
  const features = scope.policy.scan(bytes, start, end)
  if (features === 0) return
  const part = bytes.subarray(start, end)
  const encoding = isUtf8(part) ? 'utf8' : 'latin1'
  const text = part.toString(encoding)
  let seen = 0
  let at = start
  for (const finding of findAll(scope, text, features)) {
    const found = text.slice(finding.start, finding.end)
    const from = at + Buffer.byteLength(text.slice(seen, finding.start), encoding)
    at = from + Buffer.byteLength(found, encoding)
    seen = finding.end
    bytes.fill(/^\d+$/.test(found) ? NINE : STAR, from, at)
  }
}
