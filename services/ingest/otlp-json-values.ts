import {
  arrayAt,
  isObject,
  objectAt,
  refuse,
  stringField,
  toInt64,
  type JsonObject,
  type Walk,
} from './otlp-json-fields.ts'

/** How deep an AnyValue may nest, its outermost value counted as one. */
export const MAX_VALUE_DEPTH = 32

const MAX_DOUBLE_UNITS = 64
const DOUBLE = /^(NaN|-?Infinity|-?\d+(\.\d+)?([eE][+-]?\d+)?)$/

/** Copies `attributes`, a list of KeyValue, as the repeated field `field`. */
export function attributesField(walk: Walk, field: number, parent: JsonObject): void {
  if (isObject(parent['attributes'])) {
    const expected = 'an array of {"key": …, "value": …} objects'
    refuse(walk, { field: 'attributes', expected, got: parent['attributes'] })
  }
  keyValues(walk, { field, parent, name: 'attributes', depth: 1 })
}

interface KeyValueList {
  readonly field: number
  readonly parent: JsonObject
  readonly name: string
  readonly depth: number
}

function keyValues(walk: Walk, { field, parent, name, depth }: KeyValueList): void {
  const { out, trail } = walk
  const items = arrayAt(walk, parent, name)
  trail.push(name, 0)
  for (const [index, item] of items.entries()) {
    trail[trail.length - 1] = index
    if (item === null) continue
    if (!isObject(item)) refuse(walk, { expected: 'an object', got: item })
    const start = out.begin(field)
    stringField(walk, 1, item, 'key')
    const value = objectAt(walk, item, 'value')
    if (value !== undefined) {
      trail.push('value')
      anyValue(walk, 2, value, depth)
      trail.pop()
    }
    out.end(start)
  }
  trail.length -= 2
}

/** Writes one AnyValue. Should several of its fields be set, the first in protobuf's order counts. */
function anyValue(walk: Walk, field: number, value: JsonObject, depth: number): void {
  if (depth > MAX_VALUE_DEPTH) {
    const expected = `nested at most ${MAX_VALUE_DEPTH} levels deep`
    refuse(walk, { expected, got: value, reason: 'value_too_deep' })
  }
  const start = walk.out.begin(field)
  if (isSet(value['stringValue'])) stringValue(walk, value['stringValue'])
  else if (isSet(value['boolValue'])) boolValue(walk, value['boolValue'])
  else if (isSet(value['intValue'])) intValue(walk, value['intValue'])
  else if (isSet(value['doubleValue'])) doubleValue(walk, value['doubleValue'])
  else if (isSet(value['arrayValue'])) arrayValue(walk, value, depth)
  else if (isSet(value['kvlistValue'])) kvlistValue(walk, value, depth)
  else if (isSet(value['bytesValue'])) bytesValue(walk, value['bytesValue'])
  walk.out.end(start)
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null
}

function stringValue(walk: Walk, value: unknown): void {
  if (typeof value !== 'string')
    refuse(walk, { field: 'stringValue', expected: 'a string', got: value })
  walk.out.string(1, value)
}

function boolValue(walk: Walk, value: unknown): void {
  if (typeof value !== 'boolean') {
    refuse(walk, { field: 'boolValue', expected: 'true or false', got: value })
  }
  walk.out.bool(2, value)
}

function intValue(walk: Walk, value: unknown): void {
  const integer = toInt64(value)
  if (integer !== undefined) {
    walk.out.int64(3, integer)
  } else if (typeof value === 'number' && Number.isInteger(value)) {
    // The JavaScript SDK calls every whole number an intValue in JSON; in protobuf it writes those
    // beyond 64 bits as doubles, and both encodings must mean the same.
    walk.out.double(4, value)
  } else {
    const expected = 'a 64-bit integer, as a decimal string or a whole number'
    refuse(walk, { field: 'intValue', expected, got: value })
  }
}

function doubleValue(walk: Walk, value: unknown): void {
  const isText = typeof value === 'string' && value.length <= MAX_DOUBLE_UNITS && DOUBLE.test(value)
  const number = isText ? Number(value) : value
  if (typeof number !== 'number') {
    const expected = 'a number, or the string "NaN", "Infinity" or "-Infinity"'
    refuse(walk, { field: 'doubleValue', expected, got: value })
  }
  walk.out.double(4, number)
}

function arrayValue(walk: Walk, parent: JsonObject, depth: number): void {
  const { out, trail } = walk
  const array = objectAt(walk, parent, 'arrayValue') ?? {}
  const start = out.begin(5)
  trail.push('arrayValue')
  const items = arrayAt(walk, array, 'values')
  trail.push('values', 0)
  for (const [index, item] of items.entries()) {
    trail[trail.length - 1] = index
    // A null keeps its place, so that the elements behind it keep theirs.
    if (item !== null && !isObject(item)) refuse(walk, { expected: 'an object', got: item })
    anyValue(walk, 1, item ?? {}, depth + 1)
  }
  trail.length -= 3
  out.end(start)
}

function kvlistValue(walk: Walk, parent: JsonObject, depth: number): void {
  const list = objectAt(walk, parent, 'kvlistValue') ?? {}
  const start = walk.out.begin(6)
  walk.trail.push('kvlistValue')
  keyValues(walk, { field: 1, parent: list, name: 'values', depth: depth + 1 })
  walk.trail.pop()
  walk.out.end(start)
}

function bytesValue(walk: Walk, value: unknown): void {
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined
  if (bytes === undefined)
    refuse(walk, { field: 'bytesValue', expected: 'a base64 string', got: value })
  walk.out.bytes(7, bytes)
}

/** Decodes either base64 alphabet. Node skips foreign characters, so the length tells of them. */
function fromBase64(text: string): Buffer | undefined {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const digits = text.length - padding
  const bytes = Buffer.from(text, 'base64')
  return digits % 4 !== 1 && bytes.length === Math.floor((digits * 3) / 4) ? bytes : undefined
}
