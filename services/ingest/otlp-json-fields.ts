import type { ProtoWriter } from './proto-writer.ts'

/** An object of parsed JSON, nothing known about its fields. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Why a span of a JSON request cannot be taken; few values, fit for a metric's label. */
export type RefusalReason =
  | 'invalid_trace_id'
  | 'invalid_span_id'
  | 'invalid_parent_span_id'
  | 'invalid_attributes'
  | 'invalid_time'
  | 'invalid_span'
  | 'value_too_deep'

/** Thrown where the JSON is not OTLP; its message names the path and never repeats a value. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly reason: RefusalReason

  constructor(reason: RefusalReason, message: string) {
    super(message)
    this.reason = reason
  }
}

/** One walk over a request: where the protobuf goes, and the path to the object at hand. */
export interface Walk {
  readonly out: ProtoWriter
  readonly trail: (string | number)[]
}

const MAX_PATH_UNITS = 300
const MAX_DIGITS = 20
const MAX_UINT32 = 0xffff_ffff
const MAX_UINT64 = 2n ** 64n - 1n
const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n

/** What is wrong with a field of the object at hand, or with the object itself. */
export interface Problem {
  readonly field?: string
  readonly expected: string
  readonly got: unknown
  readonly reason?: RefusalReason
}

/** Throws the Refusal for a problem; without a reason of its own the place tells it. */
export function refuse(walk: Walk, { field, expected, got, reason }: Problem): never {
  const trail = field === undefined ? walk.trail : [...walk.trail, field]
  const usual = trail.includes('attributes') ? 'invalid_attributes' : 'invalid_span'
  throw new Refusal(
    reason ?? usual,
    `${formatPath(trail)} must be ${expected}, got ${describe(got)}`,
  )
}

/** True for a JSON object, false for null, arrays and scalars. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object in a field; undefined when it is missing or null. */
export function objectAt(walk: Walk, parent: JsonObject, name: string): JsonObject | undefined {
  const value = parent[name]
  if (value === undefined || value === null) return undefined
  return isObject(value) ? value : refuse(walk, { field: name, expected: 'an object', got: value })
}

/** The array in a field; empty when it is missing or null. */
export function arrayAt(walk: Walk, parent: JsonObject, name: string): readonly unknown[] {
  const value = parent[name]
  if (value === undefined || value === null) return []
  return Array.isArray(value)
    ? value
    : refuse(walk, { field: name, expected: 'an array', got: value })
}

/** Visits the objects of an array field in order, with the trail set; null elements are skipped. */
export function eachObject<W extends Walk>(
  walk: W,
  parent: JsonObject,
  name: string,
  visit: (walk: W, item: JsonObject) => void,
): void {
  const items = arrayAt(walk, parent, name)
  walk.trail.push(name, 0)
  for (const [index, item] of items.entries()) {
    walk.trail[walk.trail.length - 1] = index
    if (item === null) continue
    if (!isObject(item)) refuse(walk, { expected: 'an object', got: item })
    visit(walk, item)
  }
  walk.trail.length -= 2
}

/** Copies a string; the empty one is protobuf's default and left out. */
export function stringField(walk: Walk, field: number, parent: JsonObject, name: string): void {
  const value = parent[name]
  if (value === undefined || value === null || value === '') return
  if (typeof value !== 'string') refuse(walk, { field: name, expected: 'a string', got: value })
  walk.out.string(field, value)
}

/** Copies an id written in hex; missing, null and empty ids are left out. */
export function hexField(
  walk: Walk,
  field: number,
  parent: JsonObject,
  { name, reason }: { readonly name: string; readonly reason: RefusalReason },
): void {
  const value = parent[name]
  if (value === undefined || value === null || value === '') return
  if (typeof value === 'string' && walk.out.hex(field, value)) return
  refuse(walk, { field: name, expected: 'a string of pairs of hex digits', got: value, reason })
}

/** Copies a count that protobuf writes as a uint32 varint. */
export function countField(walk: Walk, field: number, parent: JsonObject, name: string): void {
  const count = uint32At(walk, parent, name)
  if (count > 0) walk.out.uint(field, count)
}

/** Copies bits that protobuf writes as a fixed32. */
export function flagsField(walk: Walk, field: number, parent: JsonObject, name: string): void {
  const flags = uint32At(walk, parent, name)
  if (flags > 0) walk.out.fixed32(field, flags)
}

/** Copies nanoseconds since the epoch, which protobuf writes as a fixed64. */
export function timeField(walk: Walk, field: number, parent: JsonObject, name: string): void {
  const value = parent[name]
  if (value === undefined || value === null) return
  const time = toInteger(value)
  if (time === undefined || time < 0 || time > MAX_UINT64) {
    const expected = 'nanoseconds since the epoch, as a decimal string or a whole number'
    refuse(walk, { field: name, expected, got: value, reason: 'invalid_time' })
  }
  if (time > 0) walk.out.fixed64(field, BigInt(time))
}

/** Copies an enum: OTLP/JSON wants its number, names are tolerated. */
export function enumField(
  walk: Walk,
  field: number,
  parent: JsonObject,
  { name, numbers }: { readonly name: string; readonly numbers: ReadonlyMap<string, number> },
): void {
  const value = parent[name]
  if (value === undefined || value === null) return
  const number = typeof value === 'string' ? numbers.get(value) : value
  if (typeof number !== 'number' || (number | 0) !== number) {
    const expected = `a whole number or one of ${[...numbers.keys()].join(', ')}`
    refuse(walk, { field: name, expected, got: value })
  }
  if (number !== 0) walk.out.int64(field, number)
}

/** A whole number or a decimal string within int64; undefined for anything else. */
export function toInt64(value: unknown): number | bigint | undefined {
  const integer = toInteger(value)
  return integer === undefined || integer < MIN_INT64 || integer > MAX_INT64 ? undefined : integer
}

function toInteger(value: unknown): number | bigint | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? value : undefined
  // The length is checked first: a pattern over a string of megabytes is slow.
  if (typeof value !== 'string' || value.length > MAX_DIGITS) return undefined
  if (!/^-?\d+$/.test(value)) return undefined
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : BigInt(value)
}

function uint32At(walk: Walk, parent: JsonObject, name: string): number {
  const value = parent[name]
  if (value === undefined || value === null) return 0
  const count = toInteger(value)
  if (typeof count !== 'number' || count < 0 || count > MAX_UINT32) {
    refuse(walk, { field: name, expected: 'a whole number from 0 to 4294967295', got: value })
  }
  return count
}

/** Says what a value is without repeating it: it may hold secrets. */
function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'string') return `a string of ${value.length} characters`
  return typeof value === 'number' ? 'a number that does not fit' : `a ${typeof value}`
}

function formatPath(trail: readonly (string | number)[]): string {
  const path = trail
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i === 0 ? '' : '.'}${step}`))
    .join('')
  return path.length > MAX_PATH_UNITS ? `${path.slice(0, MAX_PATH_UNITS)}…` : path
}
