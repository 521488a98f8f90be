import { type Facts, VALUE_FIELDS } from './facts.ts'
import { FactsMemo } from './facts-memo.ts'
import { Amount } from './fold-amount.ts'
import { Cell } from './fold-cell.ts'
import { Grouping } from './fold-groups.ts'
import { TextTable } from './fold-texts.ts'
import { Conditions, DimensionNumbers } from './match.ts'
import {
  type Badness,
  type Delta,
  type SeriesSpec,
  UNITS_PER_ONE,
  type ValueField,
} from './series.ts'

/** Texts beyond these are forgotten between two runs: users and sessions never end. */
const MAX_KEPT_TEXTS = 50_000
const NO_FIELD = -1
const SCORE = VALUE_FIELDS.indexOf('score')

/** What a run of records came to. */
export interface FoldResult {
  readonly deltas: readonly Delta[]
  /** Latest event time of all items, counted or not; undefined where there were none. */
  readonly maxEventMs: number | undefined
  /** Items read, counted or not. */
  readonly records: number
}

interface CompiledBadness {
  readonly condition: number
  readonly field: number
  readonly limit: Amount
}

interface CompiledSeries {
  readonly id: string
  readonly grouping: Grouping
  readonly field: number
  readonly hasBins: boolean
  readonly bad: CompiledBadness | undefined
  /** By the node of the grouping. */
  readonly cells: (Cell | undefined)[]
}

/**
 * Counts records by the series of one source. Series share what they have in common: a condition is
 * decided, a group is found and a value is read once for a record, whoever asks.
 */
export class SeriesCounter<F extends Facts> {
  /** The record that is counted next. */
  readonly facts: F
  readonly #texts = new TextTable()
  readonly #memo: FactsMemo
  /** Series by the condition that all of them have. */
  readonly #classes = new Map<number, CompiledSeries[]>()
  readonly #conditions: Conditions
  readonly #groupings = new Map<string, Grouping>()
  readonly #dimensions = new DimensionNumbers()
  #records = 0
  #maxEventMs = -Infinity

  /** `createFacts` is told the dimensions that series look at; it throws for one that it does not know. */
  constructor(
    series: readonly SeriesSpec[],
    createFacts: (dimensions: readonly string[], texts: TextTable) => F,
  ) {
    this.#conditions = new Conditions(this.#texts, this.#dimensions)
    for (const spec of series) this.#compile(spec)
    const { names } = this.#dimensions
    this.facts = createFacts(names, this.#texts)
    this.#memo = new FactsMemo(this.facts, names.length)
    this.#texts.seal()
  }

  /** Notes that an item was read, at which the facts stand. */
  note(): void {
    this.#records++
    this.#maxEventMs = Math.max(this.#maxEventMs, this.facts.eventMs)
  }

  /** Counts the record that the facts stand at or, with a sign of -1, takes it back. */
  count(sign: 1 | -1): void {
    const memo = this.#memo
    memo.next()
    for (const [condition, series] of this.#classes) {
      if (!this.#conditions.holds(condition, memo)) continue
      for (const one of series) this.#countIn(one, sign)
    }
  }

  /** What was counted since the last time; forgets it. */
  drain(): FoldResult {
    const deltas: Delta[] = []
    for (const series of [...this.#classes.values()].flat()) {
      const { id, grouping, cells } = series
      cells.forEach((cell, node) => {
        if (cell !== undefined) deltas.push(cell.delta(id, grouping.place(node, this.#texts)))
      })
      cells.length = 0
    }
    for (const grouping of this.#groupings.values()) grouping.clear()
    if (this.#texts.size > MAX_KEPT_TEXTS) this.#texts.forget()
    const [records, maxEventMs] = [this.#records, this.#maxEventMs]
    this.#records = 0
    this.#maxEventMs = -Infinity
    return { deltas, records, maxEventMs: records === 0 ? undefined : maxEventMs }
  }

  #countIn({ field, bad, grouping, cells, hasBins }: CompiledSeries, sign: 1 | -1): void {
    const memo = this.#memo
    const amount = field === NO_FIELD ? undefined : memo.amount(field)
    if (field !== NO_FIELD && amount === undefined) return
    const cell = cellAt(cells, grouping.nodeOf(memo))
    cell.count += sign
    const isBad = bad !== undefined && this.#isBad(bad)
    if (isBad) cell.bad += sign
    if (amount !== undefined) {
      cell.sum.addHalves(sign * amount.high, sign * amount.low)
      if (hasBins) cell.addBin(memo.bin(field), sign)
    }
    if (sign < 0) return
    const worth = amount === undefined ? Number(isBad) : worthOf(field, amount)
    if (worth >= cell.traceValue || cell.traceId === '') cell.offerTrace(memo.traceId(), worth)
  }

  #isBad({ condition, field, limit }: CompiledBadness): boolean {
    if (!this.#conditions.holds(condition, this.#memo)) return false
    return field === NO_FIELD || this.#memo.amount(field)?.isAbove(limit) === true
  }

  #compile(spec: SeriesSpec): void {
    const condition = this.#conditions.of(spec.where)
    const others = this.#classes.get(condition) ?? []
    this.#classes.set(condition, others)
    others.push({
      id: spec.id,
      grouping: this.#groupingOf(spec),
      field: fieldNumber(spec.value),
      hasBins: spec.hasBins,
      bad: spec.bad && this.#compileBadness(spec.bad),
      cells: [],
    })
  }

  #compileBadness({ matches, above }: Badness): CompiledBadness {
    const limit = new Amount()
    // Values are whole: above 1.5 is above 1.
    if (above !== undefined && !limit.set(Math.floor(above.units))) {
      throw new Error(`a limit of ${above.units} units is no number that values reach`)
    }
    return { condition: this.#conditions.of(matches), field: fieldNumber(above?.field), limit }
  }

  #groupingOf({ by, bucketMs }: SeriesSpec): Grouping {
    const key = JSON.stringify([bucketMs, ...by])
    const known = this.#groupings.get(key)
    if (known !== undefined) return known
    const numbers = by.map((dimension) => this.#dimensions.of(dimension))
    const grouping = new Grouping(numbers, bucketMs)
    this.#groupings.set(key, grouping)
    return grouping
  }
}

function fieldNumber(field: ValueField | undefined): number {
  return field === undefined ? NO_FIELD : VALUE_FIELDS.indexOf(field)
}

function cellAt(cells: (Cell | undefined)[], node: number): Cell {
  const found = cells[node]
  if (found !== undefined) return found
  // Inner nodes of the tree have no cell; a list without holes is read faster.
  while (cells.length <= node) cells.push(undefined)
  const cell = new Cell()
  cells[node] = cell
  return cell
}

/** How bad a value is: the higher, the worse, but of a score what it lacks of the best. */
function worthOf(field: number, amount: Amount): number {
  return field === SCORE ? Math.max(UNITS_PER_ONE.score - amount.units, 0) : amount.units
}
