import type { FactsMemo } from './facts-memo.ts'
import type { TextTable } from './fold-texts.ts'
import type { Match } from './series.ts'

/** Numbers of the dimensions that the series of a fold look at, in order of their first use. */
export class DimensionNumbers {
  readonly #names: string[] = []

  get names(): readonly string[] {
    return this.#names
  }

  of(name: string): number {
    const found = this.#names.indexOf(name)
    return found < 0 ? this.#names.push(name) - 1 : found
  }
}

interface CompiledMatch {
  readonly dimension: number
  readonly symbols: readonly number[]
  readonly isNegated: boolean
}

/** The different conditions of a fold's series: each is decided once for a record. */
export class Conditions {
  readonly #texts: TextTable
  readonly #dimensions: DimensionNumbers
  readonly #numbers = new Map<string, number>()
  readonly #compiled: (readonly CompiledMatch[])[] = []
  /** By condition: number of the record that it was decided for, and how. */
  readonly #records: number[] = []
  readonly #verdicts: boolean[] = []

  constructor(texts: TextTable, dimensions: DimensionNumbers) {
    this.#texts = texts
    this.#dimensions = dimensions
  }

  /** The number of the condition that all of these hold. */
  of(matches: readonly Match[]): number {
    const key = JSON.stringify(
      matches.map((match) => [match.dimension, match.isNegated, match.values]),
    )
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const number = this.#compiled.length
    this.#numbers.set(key, number)
    this.#compiled.push(
      matches.map(({ dimension, values, isNegated }) => ({
        dimension: this.#dimensions.of(dimension),
        symbols: values.map((value) => this.#texts.ofText(value)),
        isNegated,
      })),
    )
    this.#records.push(0)
    this.#verdicts.push(false)
    return number
  }

  holds(condition: number, memo: FactsMemo): boolean {
    if (this.#records[condition] !== memo.record) {
      this.#records[condition] = memo.record
      this.#verdicts[condition] = holdAll(this.#compiled[condition] ?? [], memo)
    }
    return this.#verdicts[condition] === true
  }
}

function holdAll(matches: readonly CompiledMatch[], memo: FactsMemo): boolean {
  for (const { dimension, symbols, isNegated } of matches) {
    if (symbols.includes(memo.symbol(dimension)) === isNegated) return false
  }
  return true
}
