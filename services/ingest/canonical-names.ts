import { NO_ATTRIBUTE } from './field-slots.ts'

/** Stands for an attribute that keeps its own name. */
export const NO_CANONICAL = -1

/** Which attributes of a span go by a canonical name: of several for one name, the best source. */
export class CanonicalNames {
  /** Of each attribute, the index of its canonical name, or NO_CANONICAL. */
  readonly taken: Int16Array
  readonly #taker: Int32Array
  readonly #rank: Uint8Array
  #hasTakers = true

  constructor(names: number, maxAttributes: number) {
    this.taken = new Int16Array(maxAttributes)
    this.#taker = new Int32Array(names)
    this.#rank = new Uint8Array(names)
  }

  clear(): void {
    if (this.#hasTakers) this.#taker.fill(NO_ATTRIBUTE)
    this.#hasTakers = false
  }

  /** Lets an attribute take a name, unless a better one has; the one before keeps its own then. */
  take(attribute: number, name: number, rank: number): void {
    const taker = this.#taker[name] ?? NO_ATTRIBUTE
    if (taker >= 0 && (this.#rank[name] ?? 0) <= rank) return
    if (taker >= 0) this.taken[taker] = NO_CANONICAL
    this.#taker[name] = attribute
    this.#rank[name] = rank
    this.taken[attribute] = name
    this.#hasTakers = true
  }
}
