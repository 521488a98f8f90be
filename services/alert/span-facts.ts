import { createLayout } from '#schemas/layout.ts'
import { batchBody, newestBatch } from '#schemas/codec.ts'
import { readBlock } from '#schemas/batch.ts'
import { enrichedSpans, schemas } from '#schemas/topics.ts'
import { AvroReader, MAX_LONG_BYTES, WireError } from '#schemas/wire.ts'
import { type Facts, VALUE_FIELDS } from './facts.ts'
import { Amount } from './fold-amount.ts'
import { EMPTY_TEXT, type TextTable } from './fold-texts.ts'

const layout = createLayout(schemas.enrichedSpan)

const START = layout.names.indexOf('start_time_unix_nano')
const DURATION = layout.names.indexOf('duration_nano')
const RECEIVED = layout.names.indexOf('received_time_unix_nano')
const INPUT = layout.names.indexOf('input_tokens')
const OUTPUT = layout.names.indexOf('output_tokens')
const FIRST_TOKEN = layout.names.indexOf('time_to_first_token_nano')
const COST = layout.names.indexOf('cost_pico_usd')
const PRICE_STATUS = layout.names.indexOf('price_status')
const REQUEST_MODEL = layout.names.indexOf('request_model')
const RESPONSE_MODEL = layout.names.indexOf('response_model')
const TRACE_ID = layout.names.indexOf('trace_id')

const LONGS = [START, DURATION, RECEIVED]
const NULLABLE_LONGS = [INPUT, OUTPUT, FIRST_TOKEN, COST]
const NANOS_PER_MS = 1_000_000
const NULL = 0
/** Branch 1 of a union, as Avro writes it. */
const IS_LONG = 2

/** Dimensions that are a key of a map: what stands in front of the key, and the map. */
const MAPS = [
  ['attributes.', layout.names.indexOf('attributes')],
  ['resource.', layout.names.indexOf('resource_attributes')],
] as const

/** Where a dimension stands: a field, a second one where the first is empty, or a key of a map. */
interface Place {
  readonly field: number
  readonly orElse?: number
  readonly key?: Buffer
}

/** Facts of the spans of a batch, read from their bytes. */
export class SpanFacts implements Facts {
  eventMs = 0
  readonly #reader = new AvroReader(Buffer.alloc(0))
  readonly #texts: TextTable
  readonly #places: readonly Place[]
  /** Maps that dimensions are keys of. */
  readonly #maps: readonly number[]
  /** price_status of spans whose tokens are counted elsewhere, or not at all, as in the rollups. */
  readonly #uncounted: readonly number[]
  /** Where the fields of each span of the batch start; kept from batch to batch. */
  readonly #located: Uint32Array<ArrayBuffer>[] = []
  #starts = new Uint32Array(0)
  readonly #duration = new Amount()
  readonly #received = new Amount()
  readonly #end = new Amount()
  readonly #output = new Amount()

  constructor(dimensions: readonly string[], texts: TextTable) {
    this.#texts = texts
    this.#places = dimensions.map(placeOf)
    this.#maps = this.#places.flatMap(({ field, key }) => (key === undefined ? [] : [field]))
    this.#uncounted = ['nested', 'not_applicable'].map((status) => texts.ofText(status))
  }

  /** Takes a batch and gives the number of its spans. Throws BatchError or WireError. */
  open(batch: Buffer): number {
    const body = batchBody(newestBatch(enrichedSpans.codec, batch))
    const { count, start, end } = readBlock(body)
    const reader = this.#reader
    reader.buffer = body
    reader.position = start
    for (let i = 0; i < count; i++) {
      const starts = (this.#located[i] ??= new Uint32Array(layout.names.length))
      layout.locate(reader, starts)
      requireLongs(body, starts)
      if (this.#maps.length > 0) this.#requireMaps(starts)
    }
    if (reader.position !== end) throw new WireError('the batch is not as long as its spans')
    return count
  }

  /** Turns to a span of the batch. */
  select(index: number): void {
    const starts = this.#located[index]
    if (starts === undefined) throw new RangeError(`there is no span ${index}`)
    this.#starts = starts
    const { buffer } = this.#reader
    this.#duration.read(buffer, starts[DURATION] ?? 0)
    this.#received.read(buffer, starts[RECEIVED] ?? 0)
    this.#end.read(buffer, starts[START] ?? 0)
    this.#end.addHalves(this.#duration.high, this.#duration.low)
    // A clock that is ahead must not make time go on: all others would be late.
    this.eventMs = Math.min(msOf(this.#end), msOf(this.#received))
  }

  symbol(dimension: number): number {
    const place = this.#places[dimension]
    if (place === undefined) return EMPTY_TEXT
    if (place.key !== undefined) return this.#entry(place.field, place.key)
    const symbol = this.#field(place.field)
    return symbol === EMPTY_TEXT && place.orElse !== undefined ? this.#field(place.orElse) : symbol
  }

  amount(field: number, amount: Amount): boolean {
    switch (VALUE_FIELDS[field]) {
      case 'cost':
        return this.#nullable(COST, amount)
      case 'duration':
        return amount.copy(this.#duration)
      case 'ttft':
        return this.#nullable(FIRST_TOKEN, amount)
      case 'tokens':
        return this.#countsTokens() && this.#tokens(amount)
      case 'input_tokens':
        return this.#countsTokens() && this.#nullable(INPUT, amount)
      case 'output_tokens':
        return this.#countsTokens() && this.#nullable(OUTPUT, amount)
      case 'skew':
        return this.#skew(amount)
      default:
        return false
    }
  }

  traceId(): string {
    const reader = this.#reader
    reader.position = this.#starts[TRACE_ID] ?? 0
    return reader.string()
  }

  /** The layout steps over blocks that tell their size without a look inside; nobody here writes them. */
  #requireMaps(starts: Uint32Array): void {
    const reader = this.#reader
    const { position } = reader
    for (const field of this.#maps) {
      reader.position = starts[field] ?? 0
      for (let count = reader.long(); count !== 0; count = reader.long()) {
        if (count < 0) throw new WireError('a map is blocks without their sizes')
        for (let i = 0; i < count * 2; i++) reader.skipString()
      }
    }
    reader.position = position
  }

  #nullable(field: number, amount: Amount): boolean {
    const { buffer } = this.#reader
    const at = this.#starts[field] ?? 0
    if (buffer[at] === NULL) return false
    amount.read(buffer, at + 1)
    return true
  }

  #countsTokens(): boolean {
    return !this.#uncounted.includes(this.#field(PRICE_STATUS))
  }

  #tokens(amount: Amount): boolean {
    if (!this.#nullable(INPUT, amount)) return this.#nullable(OUTPUT, amount)
    if (this.#nullable(OUTPUT, this.#output)) {
      amount.addHalves(this.#output.high, this.#output.low)
    }
    return true
  }

  #skew(amount: Amount): boolean {
    amount.copy(this.#end)
    amount.addHalves(-this.#received.high, -this.#received.low)
    return amount.high >= 0 || amount.set(0)
  }

  #field(field: number): number {
    const reader = this.#reader
    const at = this.#starts[field] ?? 0
    const first = reader.buffer[at] ?? 0
    // A length of one byte, as nearly all are.
    if (first < 0x80) return this.#texts.ofBytes(reader.buffer, at + 1, at + 1 + (first >> 1))
    reader.position = at
    return this.#next()
  }

  /** The string at the reader. */
  #next(): number {
    const reader = this.#reader
    const length = reader.long()
    const start = reader.position
    reader.position += length
    return this.#texts.ofBytes(reader.buffer, start, start + length)
  }

  /** The value of a key in a map of strings; of two with the same key, the last. */
  #entry(field: number, key: Buffer): number {
    const reader = this.#reader
    reader.position = this.#starts[field] ?? 0
    let found = EMPTY_TEXT
    for (let count = reader.long(); count !== 0; count = reader.long()) {
      for (let i = 0; i < count; i++) {
        const length = reader.long()
        const start = reader.position
        reader.position += length
        if (length === key.length && isAt(key, reader.buffer, start)) found = this.#next()
        else reader.skipString()
      }
    }
    return found
  }
}

/** Where a dimension of spans stands. Throws for one that they do not have. */
export function placeOf(dimension: string): Place {
  for (const [prefix, field] of MAPS) {
    const key = dimension.slice(prefix.length)
    if (dimension.startsWith(prefix) && key !== '') return { field, key: Buffer.from(key) }
  }
  if (dimension === 'model') return { field: REQUEST_MODEL, orElse: RESPONSE_MODEL }
  if (!layout.strings.has(dimension)) throw new Error(`a span has no dimension ${dimension}`)
  return { field: layout.names.indexOf(dimension) }
}

/** The layout steps over longs of any length, and any branch of a union. */
function requireLongs(buffer: Buffer, starts: Uint32Array): void {
  for (const field of LONGS) {
    if ((starts[field + 1] ?? 0) - (starts[field] ?? 0) > MAX_LONG_BYTES) tooLong()
  }
  for (const field of NULLABLE_LONGS) {
    const at = starts[field] ?? 0
    const branch = buffer[at]
    if (branch === NULL) continue
    if (branch !== IS_LONG || (starts[field + 1] ?? 0) - at > MAX_LONG_BYTES + 1) tooLong()
  }
}

function tooLong(): never {
  throw new WireError('a span has a number that is none of 64 bits')
}

function isAt(bytes: Buffer, buffer: Buffer, start: number): boolean {
  for (let i = 0; i < bytes.length; i++) if (buffer[start + i] !== bytes[i]) return false
  return true
}

/** Nanoseconds as milliseconds, rounded down; SUM_BASE of them are a second. */
function msOf({ high, low }: Amount): number {
  return high * 1_000 + Math.floor(low / NANOS_PER_MS)
}
