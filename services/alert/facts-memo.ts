import { binOf } from './bins.ts'
import { type Facts, VALUE_FIELDS } from './facts.ts'
import { Amount } from './fold-amount.ts'

const ABSENT = 0
const PRESENT = 1

/** The record that is counted: what one series has asked of it is there for the next. */
export class FactsMemo {
  facts: Facts
  readonly #symbols: Int32Array
  readonly #amounts = VALUE_FIELDS.map(() => new Amount())
  readonly #bins = new Int32Array(VALUE_FIELDS.length)
  /** Number of the record that each was read of. */
  readonly #symbolsOf: Uint32Array
  readonly #amountsOf = new Uint32Array(VALUE_FIELDS.length)
  readonly #binsOf = new Uint32Array(VALUE_FIELDS.length)
  readonly #presence = new Uint8Array(VALUE_FIELDS.length)
  #traceId: string | undefined
  /** Number of the record; what has another is of an earlier one. */
  record = 0

  constructor(facts: Facts, dimensions: number) {
    this.facts = facts
    this.#symbols = new Int32Array(dimensions)
    this.#symbolsOf = new Uint32Array(dimensions)
  }

  /** Looks at the record that the facts stand at now. */
  next(): void {
    this.record = (this.record + 1) >>> 0
    this.#traceId = undefined
  }

  symbol(dimension: number): number {
    if (this.#symbolsOf[dimension] !== this.record) {
      this.#symbolsOf[dimension] = this.record
      this.#symbols[dimension] = this.facts.symbol(dimension)
    }
    return this.#symbols[dimension] ?? 0
  }

  /** A value, or undefined for a record without it. */
  amount(field: number): Amount | undefined {
    const amount = this.#amounts[field]
    if (amount === undefined) return undefined
    if (this.#amountsOf[field] !== this.record) {
      this.#amountsOf[field] = this.record
      this.#presence[field] = this.facts.amount(field, amount) ? PRESENT : ABSENT
    }
    return this.#presence[field] === PRESENT ? amount : undefined
  }

  /** The bin of a value that is there. */
  bin(field: number): number {
    if (this.#binsOf[field] !== this.record) {
      this.#binsOf[field] = this.record
      this.#bins[field] = binOf(this.#amounts[field]?.units ?? 0)
    }
    return this.#bins[field] ?? 0
  }

  traceId(): string {
    return (this.#traceId ??= this.facts.traceId())
  }
}
