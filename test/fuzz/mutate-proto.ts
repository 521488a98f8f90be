import type { Random } from '../alert/random.ts'
import { mutateBytes } from './mutate-bytes.ts'

/** One field of a message: its tag, and its value with the length in front where it has one. */
interface Field {
  readonly tag: number
  readonly value: Buffer
  /** The value without its length, of fields that have one. */
  readonly payload: Buffer | undefined
}

const MAX_DEPTH = 12
const DESCENDS = 0.8
/** Mostly the lengths around a change are made right again, so that the change itself is read. */
const KEEPS_LENGTH = 0.1

/** Changes one place of a protobuf message, of which no schema is known: what parses as one is one. */
export function mutateProto(input: Buffer, random: Random, depth = 0): Buffer {
  const fields = depth > MAX_DEPTH ? undefined : split(input)
  if (fields === undefined || fields.length === 0) return mutateBytes(input, random)
  const at = random.whole(0, fields.length - 1)
  const field = fields[at]
  if (field === undefined) return input
  const changed = changeField(field, random, depth)
  const other = fields[random.whole(0, fields.length - 1)] ?? field
  const kind = random.whole(0, 9)
  if (kind === 0) return join(fields.toSpliced(at, 1))
  if (kind === 1) return join(fields.toSpliced(at, 0, field))
  if (kind === 2) return join(fields.toSpliced(at, 1, other))
  if (kind === 3) return join(fields.toSpliced(at, 0, ...Array.from({ length: 40 }, () => changed)))
  return join(fields.toSpliced(at, 1, changed))
}

function changeField(field: Field, random: Random, depth: number): Field {
  const { tag, payload, value } = field
  if (payload !== undefined && random.next() < DESCENDS) {
    const inner = mutateProto(payload, random, depth + 1)
    if (random.next() < KEEPS_LENGTH)
      return { ...field, value: Buffer.concat([lengthOf(value, payload), inner]) }
    return withPayload(tag, inner)
  }
  const kind = random.whole(0, 3)
  if (kind === 0) return { ...field, tag: (tag & ~7) | random.whole(0, 7) }
  if (kind === 1) return { ...field, tag: (random.whole(0, 20) << 3) | (tag & 7) }
  // A value within itself, again and again.
  if (kind === 2 && payload !== undefined) return nested(field, payload, random.whole(1, 60))
  return { tag, value: mutateBytes(value, random), payload: undefined }
}

function nested(field: Field, payload: Buffer, times: number): Field {
  let inner = payload
  for (let i = 0; i < times; i++) inner = Buffer.concat([join([withPayload(field.tag, inner)])])
  return withPayload(field.tag, inner)
}

function lengthOf(value: Buffer, payload: Buffer): Buffer {
  return value.subarray(0, value.length - payload.length)
}

function withPayload(tag: number, payload: Buffer): Field {
  return { tag, payload, value: Buffer.concat([varint(payload.length), payload]) }
}

const join = (fields: readonly Field[]): Buffer =>
  Buffer.concat(fields.flatMap(({ tag, value }) => [varint(tag), value]))

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value >>> 0
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}

/** The fields of a message, or undefined for what is none. */
function split(input: Buffer): readonly Field[] | undefined {
  const fields: Field[] = []
  let at = 0
  while (at < input.length) {
    const tag = readVarint(input, at)
    if (tag === undefined || tag.value >>> 3 === 0) return undefined
    const end = endOf(input, tag.end, tag.value & 7)
    if (end === undefined || end.end > input.length) return undefined
    const payload = end.start === undefined ? undefined : input.subarray(end.start, end.end)
    fields.push({ tag: tag.value, value: input.subarray(tag.end, end.end), payload })
    at = end.end
  }
  return fields
}

function endOf(
  input: Buffer,
  at: number,
  wire: number,
): { readonly start?: number; readonly end: number } | undefined {
  if (wire === 1) return { end: at + 8 }
  if (wire === 5) return { end: at + 4 }
  const number = readVarint(input, at)
  if (number === undefined) return undefined
  if (wire === 0) return { end: number.end }
  return wire === 2 ? { start: number.end, end: number.end + number.value } : undefined
}

function readVarint(input: Buffer, from: number): { value: number; end: number } | undefined {
  let value = 0
  for (let i = 0; i < 10; i++) {
    const byte = input[from + i]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return { value, end: from + i + 1 }
  }
  return undefined
}
