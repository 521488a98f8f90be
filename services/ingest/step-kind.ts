import type { Dialects } from './dialects.ts'
import type { KindValues } from './key-meanings.ts'

/** No kind has been told yet. */
const NO_RANK = 0xffff

/** The kind of step that a span's attributes tell, while they are read. */
export class StepKind {
  readonly #dialects: Dialects
  /** Lowest place among the attributes that tell a kind by being there. */
  #presenceRank = NO_RANK
  /** Lowest place among the values that tell a kind, and that kind. */
  #valueRank = NO_RANK
  #kind = ''

  constructor(dialects: Dialects) {
    this.#dialects = dialects
  }

  clear(): void {
    this.#presenceRank = this.#valueRank = NO_RANK
  }

  /** Takes note that an attribute is there. */
  notePresence(rank: number): void {
    if (rank >= 0 && rank < this.#presenceRank) this.#presenceRank = rank
  }

  /** Takes note of a value. */
  noteValue(values: KindValues, buffer: Buffer, start: number, end: number): void {
    const found = values.table.find(buffer, start, end)
    const rank = values.ranks[found]
    if (rank === undefined || rank >= this.#valueRank) return
    this.#valueRank = rank
    this.#kind = values.kinds[found] ?? ''
  }

  /** What values tell, else which attributes are there. */
  get kind(): string {
    if (this.#valueRank < NO_RANK) return this.#kind
    return this.#dialects.presenceKinds[this.#presenceRank] ?? 'other'
  }

  /** What told the kind; undefined where nothing did. */
  get source(): string | undefined {
    const { kindSources, presenceSources } = this.#dialects
    return kindSources[this.#valueRank] ?? presenceSources[this.#presenceRank]
  }
}
