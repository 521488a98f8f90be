import { readBlock } from '#schemas/batch.ts'
import { batchBody, newestBatch } from '#schemas/codec.ts'
import { createLayout } from '#schemas/layout.ts'
import { enrichedSpans, schemas } from '#schemas/topics.ts'
import { AvroReader } from '#schemas/wire.ts'
import { Amount } from './fold-amount.ts'
import { TextTable } from './fold-texts.ts'
import { CallCounts } from './llm-call-counts.ts'
import { type LabelSet, LabelSets, type MetricLabel } from './llm-label-sets.ts'
import { SpanWalk } from './llm-span-walk.ts'

/** What calls are always told apart by, in the order of the values of their label sets. */
export const CALL_LABELS = [
  'provider',
  'request_model',
  'response_model',
  'operation',
  'error_type',
] as const
const ERROR_TYPE = CALL_LABELS.indexOf('error_type')
/** price_status of spans whose call is counted elsewhere, or that are none, as in the rollups. */
const UNCOUNTED: ReadonlySet<string> = new Set(['nested', 'not_applicable'])

const layout = createLayout(schemas.enrichedSpan)
const DURATION = layout.names.indexOf('duration_nano')
const INPUT = layout.names.indexOf('input_tokens')
const OUTPUT = layout.names.indexOf('output_tokens')
const CACHE_READ = layout.names.indexOf('cache_read_tokens')
const CACHE_WRITES = ['cache_write_5m_tokens', 'cache_write_1h_tokens'].map((name) =>
  layout.names.indexOf(name),
)
const REASONING = layout.names.indexOf('reasoning_tokens')
const FIRST_TOKEN = layout.names.indexOf('time_to_first_token_nano')
const COST = layout.names.indexOf('cost_pico_usd')
/** Branch 1 of a union, as Avro writes it. */
const IS_LONG = 2

/** Keys beyond these are forgotten between two batches; what was counted by them is not. */
const MAX_KEPT_KEYS = 50_000
const MAX_KEPT_KEY_BYTES = 1_024

/** What spans of one key have in common: undefined for those that are not counted. */
type Known = { readonly set: LabelSet<CallCounts>; readonly isUnpriced: boolean } | undefined

/**
 * Counts the model calls among the spans of batches, each by its labels. The bytes of the fields that
 * the labels come from are the key, so that nearly no span makes a text or an object.
 */
export class Calls {
  readonly sets: LabelSets<CallCounts>
  readonly #labels: readonly string[]
  /** Fields of the key in the order in which they stand in a span, and where each run of them is. */
  readonly #fields: readonly string[]
  readonly #ranges: readonly { readonly from: number; readonly to: number }[]
  readonly #walk: SpanWalk
  readonly #starts = new Uint32Array(layout.names.length)
  readonly #keys = new TextTable()
  #key = Buffer.allocUnsafeSlow(MAX_KEPT_KEY_BYTES)
  /** By the number of the key. */
  readonly #known: { readonly span: Known }[] = []
  readonly #duration = new Amount()
  readonly #amount = new Amount()
  readonly #output = new Amount()

  constructor(labels: readonly MetricLabel[], maxSeries: number) {
    this.sets = new LabelSets(maxSeries, () => new CallCounts())
    this.#labels = [...CALL_LABELS, ...labels]
    const fields = [...this.#labels, 'price_status'].map((name) => layout.names.indexOf(name))
    const sorted = fields.toSorted((a, b) => a - b)
    this.#fields = sorted.map((field) => layout.names[field] ?? '')
    this.#ranges = rangesOf(sorted)
    this.#walk = new SpanWalk(new Set(this.#ranges.flatMap(({ from, to }) => [from, to])))
  }

  /** Counts the calls of a batch that holds what its schema says. */
  add(batch: Buffer): void {
    if (this.#keys.size > MAX_KEPT_KEYS) {
      this.#keys.forget()
      this.#known.length = 0
    }
    const body = batchBody(newestBatch(enrichedSpans.codec, batch))
    const { count, start } = readBlock(body)
    let at = start
    for (let i = 0; i < count; i++) {
      at = this.#walk.locate(body, at, this.#starts)
      this.#count(body)
    }
  }

  #count(body: Buffer): void {
    const known = this.#lookUp(this.#readKey(body))
    if (known === undefined) return
    const { counts, isOther } = known.set
    if (isOther) this.sets.overflowed++
    counts.requests++
    if (known.isUnpriced) counts.unpriced++
    const amount = this.#amount
    if (this.#read(body, COST, amount)) {
      counts.priced++
      counts.cost.addHalves(amount.high, amount.low)
    }
    this.#countTokens(body, counts)
    this.#countTimes(body, counts)
  }

  #countTokens(body: Buffer, counts: CallCounts): void {
    const amount = this.#amount
    if (this.#read(body, INPUT, amount)) counts.input.add(amount)
    if (this.#read(body, OUTPUT, this.#output)) counts.output.add(this.#output)
    else this.#output.set(0)
    if (this.#read(body, CACHE_READ, amount)) counts.cacheRead.addHalves(amount.high, amount.low)
    for (const field of CACHE_WRITES) {
      if (this.#read(body, field, amount)) counts.cacheWrite.addHalves(amount.high, amount.low)
    }
    if (this.#read(body, REASONING, amount)) counts.reasoning.addHalves(amount.high, amount.low)
  }

  #countTimes(body: Buffer, counts: CallCounts): void {
    const first = this.#amount
    this.#duration.read(body, this.#starts[DURATION] ?? 0)
    if (this.#duration.high < 0) this.#duration.set(0)
    counts.duration.add(this.#duration)
    if (!this.#read(body, FIRST_TOKEN, first)) return
    counts.firstToken.add(first)
    counts.firstChunk.add(first)
    const restNanos = this.#duration.units - first.units
    const restTokens = this.#output.units - 1
    if (restNanos < 0 || restTokens < 1) return
    first.set(Math.round(restNanos / restTokens))
    counts.outputToken.add(first)
  }

  /** Reads a number that may not be there. A negative one is none: what was counted never goes down. */
  #read(body: Buffer, field: number, amount: Amount): boolean {
    const at = this.#starts[field] ?? 0
    if (body[at] !== IS_LONG) return false
    amount.read(body, at + 1)
    return amount.high >= 0
  }

  /** Puts the bytes of the key's fields side by side; gives how many they are. */
  #readKey(body: Buffer): number {
    let length = 0
    for (const { from, to } of this.#ranges) {
      const end = this.#starts[to] ?? 0
      let at = this.#starts[from] ?? 0
      if (length + end - at > this.#key.length) this.#growKey(length + end - at)
      const key = this.#key
      while (at < end) key[length++] = body[at++] ?? 0
    }
    return length
  }

  #growKey(length: number): void {
    const larger = Buffer.allocUnsafeSlow(length * 2)
    this.#key.copy(larger)
    this.#key = larger
  }

  #lookUp(length: number): Known {
    if (length > MAX_KEPT_KEY_BYTES) return this.#find(length)
    const number = this.#keys.ofBytes(this.#key, 0, length)
    const known = this.#known[number]
    if (known !== undefined) return known.span
    const span = this.#find(length)
    // A list without holes is read faster; number 0 is the empty text's.
    while (this.#known.length < number) this.#known.push({ span: undefined })
    this.#known[number] = { span }
    return span
  }

  #find(length: number): Known {
    const reader = new AvroReader(this.#key.subarray(0, length))
    const texts = new Map(this.#fields.map((field) => [field, reader.string()]))
    const status = texts.get('price_status') ?? ''
    if (UNCOUNTED.has(status)) return undefined
    const values = this.#labels.map((label) => texts.get(label) ?? '')
    return { set: this.sets.of(values, ERROR_TYPE), isUnpriced: status === 'unpriced' }
  }
}

/** Runs of fields that stand side by side: from the first, to before the one behind the last. */
function rangesOf(fields: readonly number[]): readonly { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = []
  for (const field of fields) {
    const last = ranges.at(-1)
    if (last?.to === field) last.to = field + 1
    else ranges.push({ from: field, to: field + 1 })
  }
  return ranges
}
