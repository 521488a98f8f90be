import {
  int64,
  ProtoError,
  type ProtoReader,
  WIRE_BYTES,
  WIRE_FIXED64,
  WIRE_VARINT,
} from './otlp-reader.ts'

/** Field numbers of opentelemetry.proto.common.v1.AnyValue; 0 stands for a value without any. */
export const EMPTY = 0
export const STRING = 1
export const BOOL = 2
export const INT = 3
export const DOUBLE = 4
export const ARRAY = 5
export const KVLIST = 6
export const BYTES = 7

/** Tag of a string in an AnyValue, and of a key in a KeyValue; where the length after it fits one byte. */
const SHORT_STRING = 0x0a
/** Tag of the value in a KeyValue. */
const VALUE = 0x12

/** An AnyValue nests deeper than allowed. */
export class DepthError extends Error {
  override readonly name = 'DepthError'
}

const MAX_DEPTH = 32

/** The AnyValue that was read last: one object, written over for each value. */
export interface AnyValue {
  type: number
  /** Of STRING, ARRAY, KVLIST, BYTES: the range of its bytes. */
  start: number
  end: number
  /** Of BOOL (0 or 1), DOUBLE and INT; an INT beyond 2^53 is text instead. */
  number: number | string
}

/** Reads the AnyValue at start…end into `into`. Of several values the last one counts. */
export function readAnyValue(
  reader: ProtoReader,
  start: number,
  end: number,
  into: AnyValue,
): void {
  const { buffer } = reader
  const bytes = buffer[start + 1] ?? 0x80
  if (buffer[start] === SHORT_STRING && bytes < 0x80 && start + 2 + bytes === end) {
    into.type = STRING
    into.start = start + 2
    into.end = end
    return
  }
  into.type = EMPTY
  reader.position = start
  while (reader.tag(end)) {
    const { field } = reader
    if (field === 0 || field > BYTES) {
      reader.skip(end)
      continue
    }
    into.type = field
    if (field === BOOL || field === INT) {
      reader.expect(WIRE_VARINT)
      reader.varint64()
      into.number = field === INT ? int64(reader.low, reader.high) : reader.low === 0 ? 0 : 1
    } else if (field === DOUBLE) {
      reader.expect(WIRE_FIXED64)
      reader.fixed64()
      into.number = reader.buffer.readDoubleLE(reader.position - 8)
    } else {
      reader.expect(WIRE_BYTES)
      reader.bytes(end)
      into.start = reader.start
      into.end = reader.end
    }
  }
}

/** The value as text: strings as they are, numbers in decimal, bytes in base64, arrays and maps as JSON. */
export function anyValueText(reader: ProtoReader, value: AnyValue): string {
  if (value.type === STRING) return reader.buffer.toString('utf8', value.start, value.end)
  if (value.type === BYTES) return reader.buffer.toString('base64', value.start, value.end)
  if (value.type === BOOL) return value.number === 0 ? 'false' : 'true'
  if (value.type === INT || value.type === DOUBLE) return String(value.number)
  return value.type === EMPTY ? '' : toJson(reader, value, 1)
}

/** A list of KeyValue messages as a JSON object; `ranges` are pairs of start and end. */
export function attributesJson(reader: ProtoReader, ranges: readonly number[]): string {
  const members: string[] = []
  for (let i = 0; i < ranges.length; i += 2) {
    members.push(keyValueJson(reader, ranges[i] ?? 0, ranges[i + 1] ?? 0, 1))
  }
  return `{${members.join(',')}}`
}

function toJson(reader: ProtoReader, value: AnyValue, depth: number): string {
  if (depth > MAX_DEPTH) throw new DepthError(`a value nests deeper than ${MAX_DEPTH} levels`)
  if (value.type === EMPTY) return 'null'
  if (value.type === BOOL) return value.number === 0 ? 'false' : 'true'
  if (value.type === INT) return String(value.number)
  if (value.type === DOUBLE) {
    return Number.isFinite(value.number) ? String(value.number) : `"${value.number}"`
  }
  if (value.type === STRING || value.type === BYTES)
    return JSON.stringify(anyValueText(reader, value))
  const isMap = value.type === KVLIST
  const members: string[] = []
  const { end } = value
  reader.position = value.start
  while (reader.tag(end)) {
    if (reader.field !== 1) {
      reader.skip(end)
      continue
    }
    reader.bytes(end)
    const next = reader.position
    members.push(
      isMap
        ? keyValueJson(reader, reader.start, reader.end, depth + 1)
        : nestedJson(reader, reader.start, reader.end, depth + 1),
    )
    reader.position = next
  }
  return isMap ? `{${members.join(',')}}` : `[${members.join(',')}]`
}

function nestedJson(reader: ProtoReader, start: number, end: number, depth: number): string {
  const value: AnyValue = { type: EMPTY, start: 0, end: 0, number: 0 }
  readAnyValue(reader, start, end, value)
  return toJson(reader, value, depth)
}

function keyValueJson(reader: ProtoReader, start: number, end: number, depth: number): string {
  const entry = readKeyValue(reader, start, end, {
    keyStart: 0,
    keyEnd: 0,
    valueStart: 0,
    valueEnd: 0,
  })
  const key = JSON.stringify(reader.buffer.toString('utf8', entry.keyStart, entry.keyEnd))
  return `${key}:${nestedJson(reader, entry.valueStart, entry.valueEnd, depth)}`
}

/** The ranges of a KeyValue's key and of its AnyValue. */
export interface KeyValueRanges {
  keyStart: number
  keyEnd: number
  valueStart: number
  valueEnd: number
}

/** Reads the KeyValue at start…end into `into`, and gives it back. */
export function readKeyValue(
  reader: ProtoReader,
  start: number,
  end: number,
  into: KeyValueRanges,
): KeyValueRanges {
  if (readShortKeyValue(reader.buffer, start, end, into)) return into
  into.keyStart = into.keyEnd = into.valueStart = into.valueEnd = end
  reader.position = start
  while (reader.tag(end)) {
    if (reader.field > 2) {
      reader.skip(end)
      continue
    }
    reader.bytes(end)
    if (reader.field === 1) {
      into.keyStart = reader.start
      into.keyEnd = reader.end
    } else {
      into.valueStart = reader.start
      into.valueEnd = reader.end
    }
  }
  if (reader.position !== end) throw new ProtoError('an attribute runs past its end')
  return into
}

/** The usual case: key, then value, each shorter than 128 bytes, and nothing else. */
function readShortKeyValue(
  buffer: Buffer,
  start: number,
  end: number,
  into: KeyValueRanges,
): boolean {
  const keyBytes = buffer[start + 1] ?? 0x80
  const keyEnd = start + 2 + keyBytes
  const valueBytes = buffer[keyEnd + 1] ?? 0x80
  const isShort =
    buffer[start] === SHORT_STRING &&
    keyBytes < 0x80 &&
    buffer[keyEnd] === VALUE &&
    valueBytes < 0x80 &&
    keyEnd + 2 + valueBytes === end
  if (!isShort) return false
  into.keyStart = start + 2
  into.keyEnd = keyEnd
  into.valueStart = keyEnd + 2
  into.valueEnd = end
  return true
}
