import { type Facts, type Row, VALUE_FIELDS } from './facts.ts'
import type { Amount } from './fold-amount.ts'
import type { TextTable } from './fold-texts.ts'

const NO_ROW: Row = { eventMs: 0, traceId: '', texts: {}, values: {} }

/** Facts of plain values. */
export class RowFacts implements Facts {
  row: Row = NO_ROW
  readonly #dimensions: readonly string[]
  readonly #texts: TextTable

  constructor(dimensions: readonly string[], texts: TextTable) {
    this.#dimensions = dimensions
    this.#texts = texts
  }

  get eventMs(): number {
    return this.row.eventMs
  }

  symbol(dimension: number): number {
    const text = this.row.texts[this.#dimensions[dimension] ?? '']
    return this.#texts.ofText(typeof text === 'string' ? text : '')
  }

  amount(field: number, amount: Amount): boolean {
    const units = this.row.values[VALUE_FIELDS[field] ?? 'gauge'] ?? null
    return units !== null && amount.set(units)
  }

  traceId(): string {
    return this.row.traceId
  }
}
