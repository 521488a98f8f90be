import {
  type AnyValue,
  anyValueText,
  EMPTY,
  type KeyValueRanges,
  readAnyValue,
  readKeyValue,
  STRING,
} from './any-value.ts'
import { CanonicalNames, NO_CANONICAL } from './canonical-names.ts'
import { type Dialects, fieldIndex } from './dialects.ts'
import type { KeyMeaning, KindValues, LateTarget } from './key-meanings.ts'
import { FieldSlots, NO_ATTRIBUTE, NOT_FILLED } from './field-slots.ts'
import { hashBytes } from './key-table.ts'
import type { ProtoReader } from './otlp-reader.ts'
import { StepKind } from './step-kind.ts'

/** What becomes of an attribute that was read. */
export const REMAINS = 0
export const FILLS_FIELD = 1
export const IS_CONTENT = 2
const IS_REPEAT = 3

/** Limits on what one span may hold. */
export interface SpanLimits {
  /** More attributes than this, and the span is refused. */
  readonly maxAttributes: number
  /** Longer values than this are content: they are stored with the prompt, and dropped with it. */
  readonly maxAttributeBytes: number
}

/** A time at which something happened, in halves of nanoseconds since the epoch. */
interface Moment {
  readonly field: number
  readonly rank: number
  readonly low: number
  readonly high: number
}

/**
 * The attributes of one span while it is read: which fields they fill, which are content, which
 * remain. Values stay where they are in the request; one draft serves all spans of a request.
 * The caller reads a resource first (`readResourceAttribute`, then `keepResource`), then each span
 * (`startSpan`, then `readAttribute` for every attribute and `readEvent` for every event), and then
 * has the fields that hang on several attributes filled (complete-span.ts).
 */
export class SpanDraft {
  readonly dialects: Dialects
  readonly slots: FieldSlots
  readonly kind: StepKind
  readonly names: CanonicalNames
  readonly #limits: SpanLimits
  readonly #resource: FieldSlots
  /** Fields of span.avsc come first; what fills only the others remains an attribute. */
  readonly #realFields: number
  readonly #tenantField: number
  /** The tenant of all spans to come, whatever attributes say; undefined: that of the attributes. */
  tenant: string | undefined

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
  /** Pairs of start and end of the resource's attributes. */
  resourceRanges: readonly number[] = []
  scopeName = ''
  scopeVersion = ''
  #scopeRuleBits = 0
  /** One bit for each conditional accounting rule that an attribute of the span, or its scope, asks for. */
  ruleBits = 0
  /** Whether a count was told that cannot be one. */
  hasInvalidCount = false
  /** Fields that wait for all attributes: pairs of an attribute and what it may fill. */
  readonly late: { attribute: number; target: LateTarget }[] = []
  readonly moments: Moment[] = []

  readonly #value: AnyValue = { type: EMPTY, start: 0, end: 0, number: 0 }
  readonly #entry: KeyValueRanges = { keyStart: 0, keyEnd: 0, valueStart: 0, valueEnd: 0 }

  constructor(dialects: Dialects, limits: SpanLimits) {
    this.dialects = dialects
    this.#limits = limits
    this.kind = new StepKind(dialects)
    const types = dialects.fields.map((field) => field.type)
    this.slots = new FieldSlots(types)
    this.#resource = new FieldSlots(types)
    this.#realFields = dialects.realFields
    this.#tenantField = fieldIndex(dialects, 'tenant')
    this.fate = new Uint8Array(limits.maxAttributes)
    this.keyStart = new Uint32Array(limits.maxAttributes)
    this.keyEnd = new Uint32Array(limits.maxAttributes)
    this.valueStart = new Uint32Array(limits.maxAttributes)
    this.valueEnd = new Uint32Array(limits.maxAttributes)
    this.names = new CanonicalNames(dialects.canonicalNames.length, limits.maxAttributes)
    this.#keyHash = new Uint32Array(limits.maxAttributes)
  }

  /** Forgets the resource before, and takes the attributes of the next one. */
  readResource(reader: ProtoReader, ranges: readonly number[]): void {
    this.#resource.clear()
    this.resourceRanges = ranges
    for (let i = 0; i < ranges.length; i += 2) {
      const entry = readKeyValue(reader, ranges[i] ?? 0, ranges[i + 1] ?? 0, this.#entry)
      const key = this.dialects.resourceKeys.find(reader.buffer, entry.keyStart, entry.keyEnd)
      const { valueStart, valueEnd } = entry
      for (const { field, rank, factor } of this.dialects.resourceMeanings[key]?.targets ?? []) {
        this.#resource.fill(reader, field, rank, factor, valueStart, valueEnd, NO_ATTRIBUTE)
      }
    }
    if (this.tenant !== undefined) this.#resource.fix(this.#tenantField, this.tenant)
    this.#resource.settleFilled()
  }

  /** Takes the scope of the next spans. */
  startScope(name: string, version: string): void {
    this.scopeName = name
    this.scopeVersion = version
    this.#scopeRuleBits = 0
    for (const { scope, bit } of this.dialects.scopeRules) {
      if (name.startsWith(scope)) this.#scopeRuleBits |= bit
    }
  }

  /** Forgets the span before; the resource's fields stand. */
  startSpan(): void {
    this.slots.copy(this.#resource)
    this.#keyBits.fill(0)
    this.attributes = 0
    this.kind.clear()
    this.names.clear()
    this.hasInvalidCount = false
    this.ruleBits = this.#scopeRuleBits
    this.late.length = this.moments.length = 0
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
    this.names.taken[index] = NO_CANONICAL
    const hash = hashBytes(reader.buffer, keyStart, keyEnd)
    this.#keyHash[index] = hash
    this.fate[index] = this.#repeatsKey(reader.buffer, index, hash)
      ? IS_REPEAT
      : this.#classify(reader, index, hash)
    return true
  }

  /** Takes note of an event's name; true where the event holds content. */
  readEvent(
    buffer: Buffer,
    nameStart: number,
    nameEnd: number,
    time: { readonly low: number; readonly high: number },
  ): boolean {
    const key = this.dialects.eventKeys.find(buffer, nameStart, nameEnd)
    const meaning = this.dialects.eventMeanings[key]
    if (meaning === undefined) return false
    for (const { field, rank } of meaning.targets) {
      if (this.moments.some((moment) => moment.field === field && moment.rank === rank)) continue
      this.moments.push({ field, rank, low: time.low, high: time.high })
    }
    return meaning.isContent
  }

  #classify(reader: ProtoReader, index: number, hash: number): number {
    const { dialects } = this
    const { keyStart, keyEnd, valueStart, valueEnd } = this.#entry
    const long = valueEnd - valueStart > this.#limits.maxAttributeBytes
    const key = dialects.spanKeys.findHashed(hash, reader.buffer, keyStart, keyEnd)
    const only = key < 0 ? -1 : (dialects.onlyField[key] ?? -1)
    if (only >= 0 && !long) {
      const rank = dialects.onlyRank[key] ?? 0
      const isUsed = this.#fillField(reader, only, rank, dialects.onlyFactor[key] ?? 1, index)
      return isUsed ? FILLS_FIELD : REMAINS
    }
    const meaning = key < 0 ? undefined : dialects.spanMeanings[key]
    if (meaning === undefined) {
      return long || dialects.contentPrefixes.match(reader.buffer, keyStart, keyEnd)
        ? IS_CONTENT
        : REMAINS
    }
    if (!meaning.isPlain) this.#readMore(reader, meaning, index)
    if ((!long || meaning.isContent) && this.#fillFields(reader, meaning, index)) return FILLS_FIELD
    return long || meaning.isContent ? IS_CONTENT : REMAINS
  }

  /** Takes what an attribute says beside its fields. */
  #readMore(reader: ProtoReader, meaning: KeyMeaning, index: number): void {
    this.kind.notePresence(meaning.presenceRank)
    if (meaning.kindValues !== undefined) this.#readKind(reader, meaning.kindValues, index)
    const { canonical, canonicalRank } = meaning
    if (canonical >= 0) this.names.take(index, canonical, canonicalRank)
    this.ruleBits |= meaning.ruleBits
    for (const target of meaning.late) this.late.push({ attribute: index, target })
  }

  #fillFields(reader: ProtoReader, { targets }: KeyMeaning, index: number): boolean {
    let isUsed = false
    for (const { field, rank, factor } of targets) {
      if (this.#fillField(reader, field, rank, factor, index)) isUsed = true
    }
    return isUsed
  }

  /** Fills a field from an attribute; true where the attribute is used up by it. */
  #fillField(
    reader: ProtoReader,
    field: number,
    rank: number,
    factor: number,
    index: number,
  ): boolean {
    if (!this.slots.isOpen(field, rank)) return false
    const start = this.valueStart[index] ?? 0
    const end = this.valueEnd[index] ?? 0
    const before = this.slots.fill(reader, field, rank, factor, start, end, index)
    if (before === NOT_FILLED) {
      this.#doubtCount(reader, field, start, end)
      return false
    }
    if (before >= 0) this.giveUp(reader, before)
    return field < this.#realFields
  }

  /** A value that was told, and that is no count, is worth a flag; one that says nothing is not. */
  #doubtCount(reader: ProtoReader, field: number, start: number, end: number): void {
    if (this.dialects.counts[field] !== 1) return
    readAnyValue(reader, start, end, this.#value)
    const text = anyValueText(reader, this.#value).trim()
    if (text !== '' && text !== 'NaN' && text !== 'null') this.hasInvalidCount = true
  }

  #readKind(reader: ProtoReader, values: KindValues, index: number): void {
    const value = this.#value
    readAnyValue(reader, this.valueStart[index] ?? 0, this.valueEnd[index] ?? 0, value)
    if (value.type !== STRING) return
    this.kind.noteValue(values, reader.buffer, value.start, value.end)
  }

  /** Index of the attribute with this key, or -1. */
  find(buffer: Buffer, key: Buffer): number {
    const hash = hashBytes(key, 0, key.length)
    for (let i = 0; i < this.attributes; i++) {
      if (this.#keyHash[i] !== hash) continue
      if (key.compare(buffer, this.keyStart[i] ?? 0, this.keyEnd[i] ?? 0) === 0) return i
    }
    return NO_ATTRIBUTE
  }

  /** The value of an attribute as text. */
  textOf(reader: ProtoReader, index: number): string {
    readAnyValue(reader, this.valueStart[index] ?? 0, this.valueEnd[index] ?? 0, this.#value)
    return anyValueText(reader, this.#value)
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

  /** Lets an attribute that filled a field, until a better source came, be an attribute again. */
  giveUp(reader: ProtoReader, index: number): void {
    if (index < 0) return
    const key = this.dialects.spanKeys.find(
      reader.buffer,
      this.keyStart[index] ?? 0,
      this.keyEnd[index] ?? 0,
    )
    const isContent = this.dialects.spanMeanings[key]?.isContent === true
    this.fate[index] = isContent ? IS_CONTENT : REMAINS
  }
}
