import type { AvroWriter } from '#schemas/wire.ts'
import {
  type AnyValue,
  anyValueText,
  EMPTY,
  type KeyValueRanges,
  readAnyValue,
  readKeyValue,
  STRING,
} from './any-value.ts'
import { type ProtoReader, WIRE_FIXED64 } from './otlp-reader.ts'
import type { Range } from './otlp-span.ts'

const HEX = Buffer.from('0123456789abcdef')

/** An id as hexadecimal text. */
export function writeHex(out: AvroWriter, buffer: Buffer, id: Range): void {
  const bytes = id.end - id.start
  out.long(bytes * 2)
  out.reserve(bytes * 2)
  let at = out.length
  for (let from = id.start; from < id.end; from++) {
    const byte = buffer[from] ?? 0
    out.buffer[at++] = HEX[byte >> 4] ?? 0
    out.buffer[at++] = HEX[byte & 15] ?? 0
  }
  out.length = at
}

const entry: () => KeyValueRanges = () => ({ keyStart: 0, keyEnd: 0, valueStart: 0, valueEnd: 0 })
export const emptyValue = (): AnyValue => ({ type: EMPTY, start: 0, end: 0, number: 0 })

/** An AnyValue as an Avro string; `value` is written over. */
export function writeAnyValue(
  out: AvroWriter,
  reader: ProtoReader,
  start: number,
  end: number,
  value: AnyValue,
) {
  readAnyValue(reader, start, end, value)
  if (value.type === STRING) out.stringFrom(reader.buffer, value.start, value.end)
  else out.string(anyValueText(reader, value))
}

/** KeyValue messages as an Avro map of strings; `ranges` are pairs of start and end. */
export function writeAttributeMap(
  out: AvroWriter,
  reader: ProtoReader,
  ranges: readonly number[],
): void {
  const value = emptyValue()
  const key = entry()
  const first = firstOfEachKey(reader, ranges)
  if (first.length > 0) out.long(first.length / 2)
  for (let i = 0; i < first.length; i += 2) {
    readKeyValue(reader, first[i] ?? 0, first[i + 1] ?? 0, key)
    out.stringFrom(reader.buffer, key.keyStart, key.keyEnd)
    writeAnyValue(out, reader, key.valueStart, key.valueEnd, value)
  }
  out.long(0)
}

/** Of several values for one key the first counts. */
function firstOfEachKey(reader: ProtoReader, ranges: readonly number[]): readonly number[] {
  if (ranges.length <= 2) return ranges
  const key = entry()
  const seen = new Set<string>()
  const first: number[] = []
  for (let i = 0; i < ranges.length; i += 2) {
    const start = ranges[i] ?? 0
    const end = ranges[i + 1] ?? 0
    readKeyValue(reader, start, end, key)
    const name = reader.buffer.toString('latin1', key.keyStart, key.keyEnd)
    if (seen.has(name)) continue
    seen.add(name)
    first.push(start, end)
  }
  return first
}

interface Parts {
  readonly low: number
  readonly high: number
  readonly first: Range
  readonly second: Range
  readonly attributes: number[]
}

/** An Event or a Link: field 1 (a time or bytes), field 2 (bytes), and its attributes' ranges. */
export function readParts(
  reader: ProtoReader,
  start: number,
  end: number,
  attributesField: number,
): Parts {
  const first = { start: 0, end: 0 }
  const second = { start: 0, end: 0 }
  const attributes: number[] = []
  let low = 0
  let high = 0
  reader.position = start
  while (reader.tag(end)) {
    const { field } = reader
    if (field === 1 && reader.wire === WIRE_FIXED64) {
      reader.fixed64()
      ;({ low, high } = reader)
    } else if (field === 1 || field === 2 || field === attributesField) {
      reader.bytes(end)
      if (field === attributesField) attributes.push(reader.start, reader.end)
      else Object.assign(field === 1 ? first : second, { start: reader.start, end: reader.end })
    } else reader.skip(end)
  }
  return { low, high, first, second, attributes }
}

/** Event: time 1, name 2, attributes 3. */
export function writeEvents(out: AvroWriter, reader: ProtoReader, events: readonly number[]): void {
  if (events.length > 0) out.long(events.length / 2)
  for (let i = 0; i < events.length; i += 2) {
    const event = readParts(reader, events[i] ?? 0, events[i + 1] ?? 0, 3)
    out.long64(event.low, event.high & 0x7fff_ffff)
    out.stringFrom(reader.buffer, event.second.start, event.second.end)
    writeAttributeMap(out, reader, event.attributes)
  }
  out.long(0)
}

/** Link: trace id 1, span id 2, trace state 3, attributes 4. */
export function writeLinks(out: AvroWriter, reader: ProtoReader, links: readonly number[]): void {
  if (links.length > 0) out.long(links.length / 2)
  for (let i = 0; i < links.length; i += 2) {
    const link = readParts(reader, links[i] ?? 0, links[i + 1] ?? 0, 4)
    writeHex(out, reader.buffer, link.first)
    writeHex(out, reader.buffer, link.second)
    writeAttributeMap(out, reader, link.attributes)
  }
  out.long(0)
}

/** What exception events tell, in their order. */
export interface Exceptions {
  readonly types: readonly string[]
  readonly messages: readonly string[]
}

/** The exception.type and exception.message of events; `events` are pairs of start and end. */
export function readExceptions(reader: ProtoReader, events: readonly number[]): Exceptions {
  const types: string[] = []
  const messages: string[] = []
  const key = entry()
  const value = emptyValue()
  for (let i = 0; i < events.length; i += 2) {
    const { attributes } = readParts(reader, events[i] ?? 0, events[i + 1] ?? 0, 3)
    for (let j = 0; j < attributes.length; j += 2) {
      readKeyValue(reader, attributes[j] ?? 0, attributes[j + 1] ?? 0, key)
      const name = reader.buffer.toString('latin1', key.keyStart, key.keyEnd)
      if (name !== 'exception.type' && name !== 'exception.message') continue
      readAnyValue(reader, key.valueStart, key.valueEnd, value)
      const text = anyValueText(reader, value)
      if (text !== '') (name === 'exception.type' ? types : messages).push(text)
    }
  }
  return { types, messages }
}
