import {
  type AnyValue,
  anyValueText,
  ARRAY,
  BYTES,
  EMPTY,
  type KeyValueRanges,
  readAnyValue,
  readKeyValue,
  STRING,
} from './any-value.ts'
import type { Dialects, FieldType } from './dialects.ts'
import { hashBytes } from './key-table.ts'
import type { ProtoReader } from './otlp-reader.ts'

/** What becomes of an attribute that was read. */
export const REMAINS = 0
export const FILLS_FIELD = 1
export const IS_CONTENT = 2
const IS_REPEAT = 3

/** Where the value of a field stands. */
export const ABSENT = 0
export const IN_BYTES = 1
export const IN_NUMBER = 2
export const IN_TEXT = 3

/** Limits on what one span may hold. */
export interface SpanLimits {
  /** More attributes than this, and the span is refused. */
  readonly maxAttributes: number
  /** Longer values than this are content: they are stored with the prompt, and dropped with it. */
  readonly maxAttributeBytes: number
}

/**
 * The attributes of one span while it is read: which fields they fill, which are content, which
 * remain. Values stay where they are in the request; one draft serves all spans of a request.
 * The caller reads a resource first (`readResourceAttribute`, then `keepResource`), then each span
 * (`startSpan`, then `readAttribute` for every attribute).
 */
export class SpanDraft {
  readonly dialects: Dialects
  readonly #limits: SpanLimits
  readonly #types: readonly FieldType[]

  /** Of each field: where its value stands (ABSENT …), its range, number or text, and its source's rank. */
  readonly place: Uint8Array
  readonly fieldStart: Uint32Array
  readonly fieldEnd: Uint32Array
  readonly number: Float64Array
  readonly text: string[]
  readonly #rank: Uint8Array
  readonly #filledBy: Int32Array
  #resource: {
    place: Uint8Array
    start: Uint32Array
    end: Uint32Array
    text: string[] | undefined
    rank: Uint8Array
  }

  /** Of each attribute: what becomes of it, and the ranges of its key and value. */
  readonly fate: Uint8Array
  readonly keyStart: Uint32Array
  readonly keyEnd: Uint32Array
  readonly valueStart: Uint32Array
  readonly valueEnd: Uint32Array
  readonly #keyHash: Uint32Array
  /** One bit for each key hash of the span, modulo 256: a bit that is not set means a new key. */
  readonly #keyBits = new Int32Array(8)
  attributes = 0
  /** Lowest kindRank among the attributes, or -1. */
  kindRank = -1

  readonly #value: AnyValue = { type: EMPTY, start: 0, end: 0, number: 0 }
  readonly #entry: KeyValueRanges = { keyStart: 0, keyEnd: 0, valueStart: 0, valueEnd: 0 }

  constructor(dialects: Dialects, limits: SpanLimits) {
    this.dialects = dialects
    this.#limits = limits
    this.#types = dialects.fields.map((field) => field.type)
    const fields = dialects.fields.length
    this.place = new Uint8Array(fields)
    this.fieldStart = new Uint32Array(fields)
    this.fieldEnd = new Uint32Array(fields)
    this.number = new Float64Array(fields)
    this.text = dialects.fields.map(() => '')
    this.#rank = new Uint8Array(fields)
    this.#filledBy = new Int32Array(fields)
    this.#resource = this.#snapshot()
    this.fate = new Uint8Array(limits.maxAttributes)
    this.keyStart = new Uint32Array(limits.maxAttributes)
    this.keyEnd = new Uint32Array(limits.maxAttributes)
    this.valueStart = new Uint32Array(limits.maxAttributes)
    this.valueEnd = new Uint32Array(limits.maxAttributes)
    this.#keyHash = new Uint32Array(limits.maxAttributes)
  }

  /** Forgets the resource before. */
  startResource(): void {
    this.place.fill(ABSENT)
  }

  /** Lets an attribute of the resource fill a field. */
  readResourceAttribute(reader: ProtoReader, start: number, end: number): void {
    const entry = readKeyValue(reader, start, end, this.#entry)
    const key = this.dialects.resourceKeys.find(reader.buffer, entry.keyStart, entry.keyEnd)
    const meaning = this.dialects.resourceMeanings[key]
    if (meaning === undefined) return
    this.#fill(
      reader,
      meaning.field,
      meaning.rank,
      meaning.factor,
      entry.valueStart,
      entry.valueEnd,
      -1,
    )
  }

  /** Makes the fields filled so far the start of every span of this resource. */
  keepResource(): void {
    this.#resource = this.#snapshot()
  }

  /** Forgets the span before; the resource's fields stand. */
  startSpan(): void {
    this.place.set(this.#resource.place)
    this.fieldStart.set(this.#resource.start)
    this.fieldEnd.set(this.#resource.end)
    this.#rank.set(this.#resource.rank)
    const { text } = this.#resource
    if (text !== undefined) for (const [field, value] of text.entries()) this.text[field] = value
    this.#filledBy.fill(-1)
    this.#keyBits.fill(0)
    this.attributes = 0
    this.kindRank = -1
  }

  /** Takes one attribute in; false when the span has too many. The first of two with one key counts. */
  readAttribute(reader: ProtoReader, start: number, end: number): boolean {
    const index = this.attributes
    if (index >= this.#limits.maxAttributes) return false
    const { keyStart, keyEnd, valueStart, valueEnd } = readKeyValue(reader, start, end, this.#entry)
    this.attributes++
    this.keyStart[index] = keyStart
    this.keyEnd[index] = keyEnd
    this.valueStart[index] = valueStart
    this.valueEnd[index] = valueEnd
    const hash = hashBytes(reader.buffer, keyStart, keyEnd)
    this.#keyHash[index] = hash
    this.fate[index] = this.#repeatsKey(reader.buffer, index, hash)
      ? IS_REPEAT
      : this.#classify(reader, index, hash)
    return true
  }

  #classify(reader: ProtoReader, index: number, hash: number): number {
    const { dialects } = this
    const { keyStart, keyEnd, valueStart, valueEnd } = this.#entry
    const long = valueEnd - valueStart > this.#limits.maxAttributeBytes
    const key = dialects.spanKeys.findHashed(hash, reader.buffer, keyStart, keyEnd)
    const meaning = key < 0 ? undefined : dialects.spanMeanings[key]
    if (meaning === undefined) {
      return long || this.#hasContentPrefix(reader.buffer, keyStart, keyEnd) ? IS_CONTENT : REMAINS
    }
    const { kindRank, field } = meaning
    if (kindRank >= 0 && (this.kindRank < 0 || kindRank < this.kindRank)) this.kindRank = kindRank
    if (
      field >= 0 &&
      (!long || meaning.isContent) &&
      this.#fill(reader, field, meaning.rank, meaning.factor, valueStart, valueEnd, index)
    ) {
      return FILLS_FIELD
    }
    return long || meaning.isContent ? IS_CONTENT : REMAINS
  }

  #repeatsKey(buffer: Buffer, index: number, hash: number): boolean {
    const word = (hash >>> 5) & 7
    const bit = 1 << (hash & 31)
    const bits = this.#keyBits[word] ?? 0
    if ((bits & bit) === 0) {
      this.#keyBits[word] = bits | bit
      return false
    }
    for (let i = 0; i < index; i++) {
      if (this.#keyHash[i] === hash && this.#sameKey(buffer, i, index)) return true
    }
    return false
  }

  #sameKey(buffer: Buffer, a: number, b: number): boolean {
    const start = this.keyStart[b] ?? 0
    const end = this.keyEnd[b] ?? 0
    return buffer.compare(buffer, start, end, this.keyStart[a] ?? 0, this.keyEnd[a] ?? 0) === 0
  }

  #hasContentPrefix(buffer: Buffer, start: number, end: number): boolean {
    for (const prefix of this.dialects.contentPrefixes) {
      if (end - start <= prefix.length || buffer[start] !== prefix[0]) continue
      if (buffer.compare(prefix, 0, prefix.length, start, start + prefix.length) === 0) return true
    }
    return false
  }

  /** Fills a field unless a better source has; a source that was better so far gives its place up. */
  #fill(
    reader: ProtoReader,
    field: number,
    rank: number,
    factor: number,
    start: number,
    end: number,
    attribute: number,
  ): boolean {
    if (this.place[field] !== ABSENT && (this.#rank[field] ?? 0) <= rank) return false
    const value = this.#value
    readAnyValue(reader, start, end, value)
    if (!this.#store(reader, field, factor, value)) return false
    const before = this.#filledBy[field] ?? -1
    if (before >= 0) this.fate[before] = this.#fateOfLoser(reader, before)
    this.#filledBy[field] = attribute
    this.#rank[field] = rank
    return true
  }

  #fateOfLoser(reader: ProtoReader, index: number): number {
    const { dialects } = this
    const key = dialects.spanKeys.find(
      reader.buffer,
      this.keyStart[index] ?? 0,
      this.keyEnd[index] ?? 0,
    )
    return dialects.spanMeanings[key]?.isContent === true ? IS_CONTENT : REMAINS
  }

  #store(reader: ProtoReader, field: number, factor: number, value: AnyValue): boolean {
    const type = this.#types[field]
    if (value.type === EMPTY) return false
    if (type === 'string') {
      if (value.type === STRING) {
        if (value.start === value.end) return false
        this.place[field] = IN_BYTES
        this.fieldStart[field] = value.start
        this.fieldEnd[field] = value.end
        return true
      }
      const text = anyValueText(reader, value)
      if (text === '') return false
      this.setText(field, text)
      return true
    }
    if (value.type >= ARRAY && value.type <= BYTES) return false
    const number = toNumber(reader, value, type) * factor
    if (!isValid(number, type)) return false
    this.place[field] = IN_NUMBER
    this.number[field] = type === 'long' ? Math.round(number) : number
    return true
  }

  /** Fills a field with text of our own. */
  setText(field: number, text: string): void {
    this.place[field] = IN_TEXT
    this.text[field] = text
  }

  #snapshot() {
    return {
      place: this.place.slice(),
      start: this.fieldStart.slice(),
      end: this.fieldEnd.slice(),
      rank: this.#rank.slice(),
      text: this.place.includes(IN_TEXT) ? [...this.text] : undefined,
    }
  }
}

/** A number from a number, a flag, or text that holds one; else NaN. */
function toNumber(reader: ProtoReader, value: AnyValue, type: FieldType | undefined): number {
  if (value.type !== STRING) return Number(value.number)
  const text = anyValueText(reader, value).trim()
  if (type === 'boolean') return text === 'true' ? 1 : text === 'false' ? 0 : Number.NaN
  return text === '' ? Number.NaN : Number(text)
}

/** Counts and times are never negative; flags are 0 or 1. */
function isValid(number: number, type: FieldType | undefined): boolean {
  if (type === 'double') return Number.isFinite(number)
  if (type === 'boolean') return number === 0 || number === 1
  return number >= 0 && Number.isSafeInteger(Math.round(number))
}
