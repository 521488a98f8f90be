import { type Bins, mergeBins } from './bins.ts'
import {
  binsPayload,
  type BlockPayload,
  readBins,
  readBlock,
  writeBlock,
} from './history-pieces.ts'
import { addSums, emptySums, type Sums } from './history-sums.ts'
import { sortedWorst, withTrace, type Worst } from './history-traces.ts'
import type { Tally } from './series.ts'

/** Buckets of a block. */
export const BLOCK_BUCKETS = 60
/** Buckets whose bins are stored as one piece: a piece with bins is far longer than one without. */
const PART_BUCKETS = 6
/** Traces that are kept of a block that is no longer among the latest. */
const OLD_TRACES = 3

/** Numbers of a row: its bucket within the block, count, bad, high and low. */
const ROW = 5

const BLOCK_BYTES = 250
const NUMBER_BYTES = 8
const BINS_BYTES = 100
const TRACE_BYTES = 160

/**
 * Buckets that stand together, those with data alone: flat rows of numbers by rising bucket, 40
 * bytes each. Bins take 16 bytes each and 100 for each bucket that has some. The worst trace of a
 * bucket takes about 160 bytes; of blocks that are not among the latest, three in all are kept.
 */
export class HistoryBlock {
  #rows: number[] = []
  #totals = emptySums()
  #bins: Map<number, Bins> | undefined
  #binNumbers = 0
  /** Bins of all buckets; undefined until they are asked for, and when they have changed. */
  #allBins: Bins | undefined
  #traces: readonly Worst[] = []
  #maxTraces = BLOCK_BUCKETS

  /** Bytes of memory, about. */
  get bytes(): number {
    const numbers = (this.#rows.length + this.#binNumbers) * NUMBER_BYTES
    const bins = (this.#bins?.size ?? 0) * BINS_BYTES
    return BLOCK_BYTES + numbers + bins + this.#traces.length * TRACE_BYTES
  }

  /** Last bucket with data; undefined without any. */
  get lastOffset(): number | undefined {
    return this.#rows.at(-ROW)
  }

  add(offset: number, tally: Tally): void {
    const sums = this.#sumsAt(offset)
    addSums(sums, tally)
    this.#write(offset, sums)
    addSums(this.#totals, tally)
    if (tally.bins.length > 0) {
      const before = this.#bins?.get(offset) ?? []
      this.#setBins(offset, mergeBins(before, tally.bins))
    }
    const { traceId, traceValue: value } = tally
    if (traceId === '') return
    this.#traces = withTrace(this.#traces, { offset, value, traceId }, this.#maxTraces)
  }

  /** Adds what buckets from..to (exclusive) come to. */
  sum(from: number, to: number, into: Sums): void {
    if (from <= 0 && to >= BLOCK_BUCKETS) {
      addSums(into, this.#totals)
      return
    }
    const rows = this.#rows
    for (let at = this.#search(from); (rows[at] ?? to) < to; at += ROW)
      addSums(into, sumsOf(rows, at))
  }

  /** The first bucket from..to (exclusive) that has data. */
  next(from: number, to: number): number | undefined {
    const offset = this.#rows[this.#search(from)] ?? to
    return offset < to ? offset : undefined
  }

  /** Buckets from..to (exclusive) that have data, rising. */
  offsets(from: number, to: number): readonly number[] {
    return this.#rows.filter((offset, at) => at % ROW === 0 && offset >= from && offset < to)
  }

  bins(from: number, to: number): Bins {
    if (from <= 0 && to >= BLOCK_BUCKETS) return (this.#allBins ??= this.#merge(0, BLOCK_BUCKETS))
    return this.#merge(from, to)
  }

  /** Traces of buckets from..to (exclusive), the worst first. */
  traces(from: number, to: number): readonly Worst[] {
    return this.#traces.filter(({ offset }) => offset >= from && offset < to)
  }

  /** Says that it is no longer among the latest: it seldom grows, and a few of its traces are kept. */
  age(): void {
    this.#rows = this.#rows.slice()
    this.#maxTraces = OLD_TRACES
    this.#traces = sortedWorst(this.#traces, OLD_TRACES)
  }

  /** Parts that have bins. */
  parts(): readonly number[] {
    return [...new Set([...(this.#bins?.keys() ?? [])].map(partOf))]
  }

  /** Rows and traces as text. */
  payload(): string {
    return writeBlock({ rows: this.#rows, traces: this.#traces })
  }

  /** Bins of one part as text; empty where it has none. */
  partPayload(part: number): string {
    const bins = [...(this.#bins ?? [])].filter(([offset]) => partOf(offset) === part)
    return bins.length === 0 ? '' : binsPayload(bins)
  }

  /** Takes over what payload() gave. */
  restore(payload: string): void {
    const { rows, traces }: BlockPayload = readBlock(payload, ROW)
    this.#rows = rows
    this.#traces = sortedWorst(traces, this.#maxTraces)
    this.#totals = emptySums()
    for (let at = 0; at < rows.length; at += ROW) addSums(this.#totals, sumsOf(rows, at))
  }

  /** Takes over what partPayload() gave. */
  restorePart(payload: string): void {
    for (const [offset, bins] of readBins(payload)) this.#setBins(offset, bins)
  }

  #setBins(offset: number, bins: Bins): void {
    this.#allBins = undefined
    this.#bins ??= new Map<number, Bins>()
    this.#binNumbers += bins.length - (this.#bins.get(offset)?.length ?? 0)
    this.#bins.set(offset, bins)
  }

  #merge(from: number, to: number): Bins {
    let merged: Bins = []
    for (const [offset, bins] of this.#bins ?? []) {
      if (offset >= from && offset < to) merged = mergeBins(merged, bins)
    }
    return merged
  }

  /** Where the row of the bucket is, or the first one after it. */
  #search(offset: number): number {
    const rows = this.#rows
    let low = 0
    let high = rows.length / ROW
    while (low < high) {
      const middle = (low + high) >> 1
      if ((rows[middle * ROW] ?? 0) < offset) low = middle + 1
      else high = middle
    }
    return low * ROW
  }

  #sumsAt(offset: number): Sums {
    const at = this.#search(offset)
    return this.#rows[at] === offset ? sumsOf(this.#rows, at) : emptySums()
  }

  #write(offset: number, { count, bad, high, low }: Readonly<Sums>): void {
    const at = this.#search(offset)
    const replaced = this.#rows[at] === offset ? ROW : 0
    this.#rows.splice(at, replaced, offset, count, bad, high, low)
  }
}

/** The part of a block that stores the bins of a bucket. */
export function partOf(offset: number): number {
  return Math.floor(offset / PART_BUCKETS)
}

function sumsOf(rows: readonly number[], at: number): Sums {
  return {
    count: rows[at + 1] ?? 0,
    bad: rows[at + 2] ?? 0,
    high: rows[at + 3] ?? 0,
    low: rows[at + 4] ?? 0,
  }
}
