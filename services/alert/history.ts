import { type Bins, mergeBins } from './bins.ts'
import { BLOCK_BUCKETS, HistoryBlock, partOf } from './history-block.ts'
import { type FirstValues, isComplete, readFirst, startFirst, writeFirst } from './history-first.ts'
import { parseNumbers } from './history-pieces.ts'
import { emptySums, sumOf } from './history-sums.ts'
import { compareWorst, type Worst } from './history-traces.ts'
import type { SeriesSpec, Tally } from './series.ts'

/** What the records of a stretch of time come to; the sum in units of the value. */
export interface Totals {
  readonly count: number
  readonly bad: number
  readonly sum: bigint
}

/** Name of the piece with all that is not in a block. */
const HEAD = 'm'
const HEAD_BYTES = 600
/** What stands for no bucket. */
const NO_FIRST = Number.MAX_SAFE_INTEGER
const NO_LAST = Number.MIN_SAFE_INTEGER
/** So many of the latest blocks keep a trace for each bucket. */
const YOUNG_BLOCKS = 2

/**
 * The buckets of one group of one series. All that is asked of it depends on what was added and
 * expired, not on the order of adding.
 *
 * A bucket with data takes 40 bytes, and 100 more and 16 for each bin where the series has bins; a
 * bucket without data takes none. A block of 60 buckets takes 250 bytes and knows its totals, so that
 * a window of three days of minutes sums 72 blocks and at most 118 buckets at its edges. A bucket's
 * worst trace takes about 160 bytes; blocks before the latest two keep three traces each.
 */
export class GroupHistory {
  readonly #spec: SeriesSpec
  readonly #blocks = new Map<number, HistoryBlock>()
  readonly #firsts: FirstValues[] = []
  readonly #dirty = new Set<string>()
  #firstBucket = NO_FIRST
  #lastBucket = NO_LAST
  /** Blocks before this one are expired. */
  #keptBlock = NO_LAST
  #bytes = HEAD_BYTES

  constructor(spec: SeriesSpec) {
    this.#spec = spec
  }

  /** Whether nothing is left that could be asked for. First values outlive the buckets they are of. */
  get isEmpty(): boolean {
    return this.#blocks.size === 0 && this.#firsts.length === 0
  }

  /** Bytes of memory, about. */
  get bytes(): number {
    return this.#bytes
  }

  /** Start of the earliest bucket that was ever added, milliseconds. */
  get firstMs(): number | undefined {
    return this.#firstBucket === NO_FIRST ? undefined : this.#firstBucket * this.#spec.bucketMs
  }

  /** End of the latest bucket that was ever added, milliseconds. */
  get lastMs(): number | undefined {
    return this.#lastBucket === NO_LAST ? undefined : (this.#lastBucket + 1) * this.#spec.bucketMs
  }

  /** From when on all that was added is still here, milliseconds: not before the first bucket. */
  get coveredFromMs(): number | undefined {
    const keptMs = this.#keptBlock * BLOCK_BUCKETS * this.#spec.bucketMs
    return this.firstMs === undefined ? undefined : Math.max(this.firstMs, keptMs)
  }

  /** Adds to a bucket; false, and nothing is added, if the bucket is older than what is kept. */
  add(bucket: number, tally: Tally): boolean {
    const number = blockOf(bucket)
    if (number < this.#keptBlock) return false
    const offset = bucket - number * BLOCK_BUCKETS
    if (bucket < this.#firstBucket) {
      this.#firstBucket = bucket
      this.#dirty.add(HEAD)
    }
    this.#noteLast(bucket)
    const block = this.#block(number)
    this.#resize(block, () => block.add(offset, tally))
    this.#dirty.add(`b${number}`)
    if (tally.bins.length > 0) this.#dirty.add(`q${number}.${partOf(offset)}`)
    return true
  }

  /**
   * Forgets blocks whose buckets all end at or before the time, and everything if the last bucket
   * does. Whole blocks, so that what is stored need not be written again for each bucket. Says
   * whether a piece changed.
   */
  expire(beforeMs: number): boolean {
    const kept = blockOf(Math.floor(beforeMs / this.#spec.bucketMs))
    const isOver = (this.lastMs ?? beforeMs) <= beforeMs
    const before = this.#blocks.size
    for (const [number, block] of this.#blocks) {
      if (number < kept || isOver) this.#drop(number, block)
    }
    if (kept <= this.#keptBlock && this.#blocks.size === before) return false
    this.#keptBlock = Math.max(kept, this.#keptBlock)
    this.#dirty.add(HEAD)
    return true
  }

  /** Start of the first bucket with records that starts in from..to (exclusive), milliseconds. */
  nextMs(fromMs: number, toMs: number): number | undefined {
    let found: number | undefined
    this.#visit(fromMs, toMs, (block, from, to, start) => {
      const offset = found === undefined ? block.next(from, to) : undefined
      if (offset !== undefined) found = (start + offset) * this.#spec.bucketMs
    })
    return found
  }

  /** What buckets that start in from..to (exclusive) come to. */
  totals(fromMs: number, toMs: number): Totals {
    const sums = emptySums()
    this.#visit(fromMs, toMs, (block, from, to) => block.sum(from, to, sums))
    return { count: sums.count, bad: sums.bad, sum: sumOf(sums) }
  }

  /** Bins of buckets that start in from..to (exclusive). */
  bins(fromMs: number, toMs: number): Bins {
    let bins: Bins = []
    this.#visit(fromMs, toMs, (block, from, to) => {
      bins = mergeBins(bins, block.bins(from, to))
    })
    return bins
  }

  /** Ids of the worst traces of buckets that start in from..to (exclusive), the worst first. */
  traces(fromMs: number, toMs: number, limit: number): readonly string[] {
    const traces: Worst[] = []
    this.#visit(fromMs, toMs, (block, from, to) => traces.push(...block.traces(from, to)))
    const ids = new Set(traces.sort(compareWorst).map(({ traceId }) => traceId))
    return [...ids].slice(0, limit)
  }

  /**
   * Takes whole buckets, by event time, until they hold `count` values, and then never again. Called
   * when the watermark passes a time, with that time: buckets that end after it are left for later,
   * and what comes later than that for a bucket before the last one taken does not count. Says
   * whether something was taken.
   */
  freezeFirst(count: number, untilMs: number): boolean {
    const found = this.#firsts.find(({ wanted }) => wanted === count)
    if (found !== undefined && isComplete(found)) return false
    const first = found ?? startFirst(count)
    const untilBucket = Math.floor(untilMs / this.#spec.bucketMs)
    const before = first.nextBucket
    for (const number of [...this.#blocks.keys()].sort((a, b) => a - b)) {
      if (!isComplete(first)) this.#take(first, number, untilBucket)
    }
    if (first.nextBucket === before) return false
    if (found === undefined) this.#firsts.push(first)
    this.#dirty.add(HEAD)
    return true
  }

  /** What the first `count` values come to; undefined until freezeFirst has taken so many. */
  first(count: number): Totals | undefined {
    const first = this.#firsts.find(({ wanted }) => wanted === count)
    if (first === undefined || !isComplete(first)) return undefined
    const { sums } = first
    return { count: sums.count, bad: sums.bad, sum: sumOf(sums) }
  }

  /** Pieces that changed since the last call, as text; empty for one that is gone. */
  changes(): readonly { readonly name: string; readonly payload: string }[] {
    const pieces = [...this.#dirty].map((name) => ({ name, payload: this.#payload(name) }))
    this.#dirty.clear()
    return pieces
  }

  /** Takes a piece over, in any order: a new history with the last of each piece is as the old one. */
  restore(name: string, payload: string): void {
    if (payload === '') return
    if (name === HEAD) {
      this.#restoreHead(payload)
      return
    }
    const { number, part } = parseName(name)
    const block = this.#block(number)
    this.#resize(block, () => {
      if (part === undefined) block.restore(payload)
      else block.restorePart(payload)
    })
    if (block.lastOffset !== undefined) this.#noteLast(number * BLOCK_BUCKETS + block.lastOffset)
    this.#ageIfOld(number)
  }

  /** Names of all pieces that are stored, or may be. */
  names(): readonly string[] {
    const stored = [...this.#blocks].flatMap(([number, block]) => namesOf(number, block))
    return [...new Set([HEAD, ...stored, ...this.#dirty])]
  }

  #block(number: number): HistoryBlock {
    const found = this.#blocks.get(number)
    if (found !== undefined) return found
    const block = new HistoryBlock()
    this.#blocks.set(number, block)
    this.#bytes += block.bytes
    this.#ageIfOld(number)
    return block
  }

  #drop(number: number, block: HistoryBlock): void {
    for (const name of namesOf(number, block)) this.#dirty.add(name)
    this.#bytes -= block.bytes
    this.#blocks.delete(number)
  }

  #resize(block: HistoryBlock, change: () => void): void {
    this.#bytes -= block.bytes
    change()
    this.#bytes += block.bytes
  }

  #noteLast(bucket: number): void {
    if (bucket <= this.#lastBucket) return
    const last = blockOf(this.#lastBucket)
    this.#lastBucket = bucket
    // All blocks before these two were old already.
    if (blockOf(bucket) !== last) [last - 1, last].forEach((number) => this.#ageIfOld(number))
  }

  #ageIfOld(number: number): void {
    const block = this.#blocks.get(number)
    if (block === undefined || number > blockOf(this.#lastBucket) - YOUNG_BLOCKS) return
    this.#resize(block, () => block.age())
  }

  #visit(
    fromMs: number,
    toMs: number,
    visit: (block: HistoryBlock, from: number, to: number, start: number) => void,
  ): void {
    const { bucketMs } = this.#spec
    const from = Math.max(Math.ceil(fromMs / bucketMs), this.#firstBucket)
    const to = Math.min(Math.ceil(toMs / bucketMs), this.#lastBucket + 1)
    if (from >= to) return
    const lastBlock = blockOf(to - 1)
    for (let number = Math.max(blockOf(from), this.#keptBlock); number <= lastBlock; number++) {
      const block = this.#blocks.get(number)
      const start = number * BLOCK_BUCKETS
      if (block !== undefined) visit(block, from - start, to - start, start)
    }
  }

  #take(first: FirstValues, number: number, untilBucket: number): void {
    const start = number * BLOCK_BUCKETS
    const block = this.#blocks.get(number)
    for (const offset of block?.offsets(first.nextBucket - start, untilBucket - start) ?? []) {
      if (isComplete(first)) return
      block?.sum(offset, offset + 1, first.sums)
      first.nextBucket = start + offset + 1
    }
  }

  #payload(name: string): string {
    if (name === HEAD) {
      const head = [this.#firstBucket, this.#lastBucket, this.#keptBlock]
      return JSON.stringify([head, ...this.#firsts.map(writeFirst)])
    }
    const { number, part } = parseName(name)
    const block = this.#blocks.get(number)
    return (part === undefined ? block?.payload() : block?.partPayload(part)) ?? ''
  }

  #restoreHead(payload: string): void {
    const [head = [], ...firsts] = parseNumbers(payload)
    const [firstBucket = NO_FIRST, lastBucket = NO_LAST, keptBlock = NO_LAST] = head
    this.#firstBucket = firstBucket
    this.#keptBlock = keptBlock
    this.#noteLast(lastBucket)
    this.#firsts.splice(0, this.#firsts.length, ...firsts.map(readFirst))
  }
}

function blockOf(bucket: number): number {
  return Math.floor(bucket / BLOCK_BUCKETS)
}

/** Names of the pieces of a block: that of its rows, and one for each part that has bins. */
function namesOf(number: number, block: HistoryBlock): readonly string[] {
  return [`b${number}`, ...block.parts().map((part) => `q${number}.${part}`)]
}

function parseName(name: string): { readonly number: number; readonly part: number | undefined } {
  const [number = '', part] = name.slice(1).split('.')
  return { number: Number(number), part: part === undefined ? undefined : Number(part) }
}
