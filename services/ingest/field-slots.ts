import {
  type AnyValue,
  anyValueText,
  ARRAY,
  BYTES,
  EMPTY,
  readAnyValue,
  STRING,
} from './any-value.ts'
import type { FieldType } from './span-fields.ts'
import type { ProtoReader } from './otlp-reader.ts'

/** Where the value of a field stands. */
export const ABSENT = 0
export const IN_BYTES = 1
export const IN_NUMBER = 2
export const IN_TEXT = 3

/** What `fill` gives where the field was not filled. */
export const NOT_FILLED = -2
/** Stands for an attribute where something else filled a field. */
export const NO_ATTRIBUTE = -1

/** Rank of a value that no source told. */
export const WORKED_OUT = 255

/**
 * The values of one span's fields while it is read. A value from the request stays where it is, as a
 * range of bytes; numbers are read. A field remembers the rank of its source, the lowest of which wins.
 */
export class FieldSlots {
  readonly types: readonly FieldType[]
  readonly place: Uint8Array
  readonly start: Uint32Array
  readonly end: Uint32Array
  readonly number: Float64Array
  readonly text: string[]
  readonly rank: Uint8Array
  /** Index of the attribute that filled it, or NO_ATTRIBUTE. */
  readonly filledBy: Int32Array
  #filled: readonly number[] = []
  readonly #value: AnyValue = { type: EMPTY, start: 0, end: 0, number: 0 }

  constructor(types: readonly FieldType[]) {
    this.types = types
    this.place = new Uint8Array(types.length)
    this.start = new Uint32Array(types.length)
    this.end = new Uint32Array(types.length)
    this.number = new Float64Array(types.length)
    this.text = types.map(() => '')
    this.rank = new Uint8Array(types.length)
    this.filledBy = new Int32Array(types.length)
  }

  clear(): void {
    this.place.fill(ABSENT)
  }

  /** Takes the values of other slots over, as those of no attribute. */
  copy(other: FieldSlots): void {
    this.place.fill(ABSENT)
    const { filled } = other
    for (let i = 0; i < filled.length; i++) {
      const field = filled[i] ?? 0
      this.place[field] = other.place[field] ?? ABSENT
      this.start[field] = other.start[field] ?? 0
      this.end[field] = other.end[field] ?? 0
      this.number[field] = other.number[field] ?? 0
      this.text[field] = other.text[field] ?? ''
      this.rank[field] = other.rank[field] ?? 0
      this.filledBy[field] = NO_ATTRIBUTE
    }
  }

  /** The fields that hold something. */
  get filled(): readonly number[] {
    return this.#filled
  }

  /** Takes note of the fields that hold something, for those who copy them. */
  settleFilled(): void {
    this.#filled = [...this.place.keys()].filter((field) => this.place[field] !== ABSENT)
  }

  /** Whether a source of this rank would fill the field. */
  isOpen(field: number, rank: number): boolean {
    return this.place[field] === ABSENT || (this.rank[field] ?? 0) > rank
  }

  /**
   * Fills a field from the AnyValue at start…end unless a better source has. Gives the attribute that
   * has lost its place by it, NO_ATTRIBUTE for none, or NOT_FILLED.
   */
  fill(
    reader: ProtoReader,
    field: number,
    rank: number,
    factor: number,
    start: number,
    end: number,
    attribute: number,
  ): number {
    if (!this.isOpen(field, rank)) return NOT_FILLED
    const before = this.#filler(field)
    const value = this.#value
    readAnyValue(reader, start, end, value)
    if (!this.#store(reader, field, factor, value)) return NOT_FILLED
    return this.#settle(field, rank, attribute, before)
  }

  /** Fills a field from text unless a better source has; as `fill`. */
  fillText(field: number, rank: number, factor: number, text: string): number {
    if (!this.isOpen(field, rank)) return NOT_FILLED
    const before = this.#filler(field)
    const type = this.types[field]
    if (type === 'string') {
      if (text === '') return NOT_FILLED
      this.setText(field, text)
    } else if (!this.#storeNumber(field, numberOf(text, type) * factor)) return NOT_FILLED
    return this.#settle(field, rank, NO_ATTRIBUTE, before)
  }

  /** Fills a field with a number unless a better source has; as `fill`. */
  fillNumber(field: number, rank: number, number: number): number {
    if (!this.isOpen(field, rank)) return NOT_FILLED
    const before = this.#filler(field)
    if (!this.#storeNumber(field, number)) return NOT_FILLED
    return this.#settle(field, rank, NO_ATTRIBUTE, before)
  }

  /** Fills a field with text of our own. */
  setText(field: number, text: string): void {
    this.place[field] = IN_TEXT
    this.text[field] = text
  }

  /** Fills a field with text that no source may replace. */
  fix(field: number, text: string): void {
    this.setText(field, text)
    this.#settle(field, 0, NO_ATTRIBUTE, NO_ATTRIBUTE)
  }

  /** Fills a field with a number of our own. */
  setNumber(field: number, number: number): void {
    this.place[field] = IN_NUMBER
    this.number[field] = number
  }

  /** The number in a field, or null. */
  numberOf(field: number): number | null {
    return this.place[field] === IN_NUMBER ? (this.number[field] ?? null) : null
  }

  /** The text in a field, or the empty text. */
  textOf(field: number, reader: ProtoReader): string {
    if (this.place[field] === IN_TEXT) return this.text[field] ?? ''
    if (this.place[field] !== IN_BYTES) return ''
    return reader.buffer.toString('utf8', this.start[field], this.end[field])
  }

  /** The attribute that holds a field, as long as nothing else does. */
  #filler(field: number): number {
    return this.place[field] === ABSENT ? NO_ATTRIBUTE : (this.filledBy[field] ?? NO_ATTRIBUTE)
  }

  #settle(field: number, rank: number, attribute: number, before: number): number {
    this.filledBy[field] = attribute
    this.rank[field] = rank
    return before
  }

  #store(reader: ProtoReader, field: number, factor: number, value: AnyValue): boolean {
    const type = this.types[field]
    if (value.type === EMPTY) return false
    if (type === 'string') {
      if (value.type === STRING) {
        if (value.start === value.end) return false
        this.place[field] = IN_BYTES
        this.start[field] = value.start
        this.end[field] = value.end
        return true
      }
      const text = anyValueText(reader, value)
      if (text === '') return false
      this.setText(field, text)
      return true
    }
    if (value.type >= ARRAY && value.type <= BYTES) return false
    const number =
      value.type === STRING ? numberOf(anyValueText(reader, value), type) : Number(value.number)
    return this.#storeNumber(field, number * factor)
  }

  #storeNumber(field: number, number: number): boolean {
    const type = this.types[field]
    if (!isValid(number, type)) return false
    this.place[field] = IN_NUMBER
    this.number[field] = type === 'long' ? Math.round(number) : number
    return true
  }
}

/** A number, or a flag, that text holds; else NaN. */
function numberOf(padded: string, type: FieldType | undefined): number {
  const text = padded.trim()
  if (type === 'boolean') return text === 'true' ? 1 : text === 'false' ? 0 : Number.NaN
  return text === '' ? Number.NaN : Number(text)
}

/** Counts and times are never negative; flags are 0 or 1. */
function isValid(number: number, type: FieldType | undefined): boolean {
  if (type === 'double') return Number.isFinite(number)
  if (type === 'boolean') return number === 0 || number === 1
  return number >= 0 && Number.isSafeInteger(Math.round(number))
}
