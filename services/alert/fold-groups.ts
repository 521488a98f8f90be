import type { FactsMemo } from './facts-memo.ts'
import type { TextTable } from './fold-texts.ts'
import { GROUP_SEPARATOR, joinGroup } from './series.ts'

const ROOT = 0
const FIRST_SLOTS = 256
/** Tables that grew beyond this are made anew, instead of being emptied. */
const MAX_KEPT_SLOTS = 65_536
/** Odd numbers that spread parents and labels: 2^32 by the golden ratio, and its square. */
const SPREAD_PARENT = 0x9e3779b1
const SPREAD_LABEL = 0x85ebca77

/** A bucket of a group, as delta has it. */
export interface Place {
  readonly group: string
  readonly bucket: number
}

/**
 * Groups of one list of dimensions, and their buckets: a tree whose levels are the dimensions' texts
 * and then the bucket, so that a record's place is found without making a key of it.
 */
export class Grouping {
  readonly #dimensions: readonly number[]
  readonly #bucketMs: number
  /** By node: its parent, and its label, which is the number of a text or of a bucket. */
  readonly #parents: number[] = [ROOT]
  readonly #labels: number[] = [0]
  #slots = new Int32Array(FIRST_SLOTS)
  readonly #buckets: number[] = []
  readonly #bucketNumbers = new Map<number, number>()
  #lastBucket = Number.NaN
  #lastBucketNumber = 0
  #record = 0
  #node = ROOT

  constructor(dimensions: readonly number[], bucketMs: number) {
    this.#dimensions = dimensions
    this.#bucketMs = bucketMs
  }

  /** The node of the record's place; the same for all records of one group and bucket. */
  nodeOf(memo: FactsMemo): number {
    if (this.#record === memo.record) return this.#node
    this.#record = memo.record
    let node = ROOT
    for (const dimension of this.#dimensions) node = this.#child(node, memo.symbol(dimension))
    this.#node = this.#child(node, this.#bucketNumber(memo.facts.eventMs))
    return this.#node
  }

  place(node: number, texts: TextTable): Place {
    const bucket = this.#buckets[this.#labels[node] ?? 0] ?? 0
    const values: string[] = []
    for (let at = this.#parents[node] ?? ROOT; at !== ROOT; at = this.#parents[at] ?? ROOT) {
      // A text with the separator would make another group of it, with a value too many.
      values.unshift(texts.text(this.#labels[at] ?? 0).replaceAll(GROUP_SEPARATOR, ' '))
    }
    return { group: joinGroup(values), bucket }
  }

  clear(): void {
    this.#parents.length = 1
    this.#labels.length = 1
    if (this.#slots.length > MAX_KEPT_SLOTS) this.#slots = new Int32Array(FIRST_SLOTS)
    else this.#slots.fill(ROOT)
    this.#buckets.length = 0
    this.#bucketNumbers.clear()
    this.#lastBucket = Number.NaN
    this.#record = 0
  }

  #bucketNumber(eventMs: number): number {
    const bucket = Math.floor(eventMs / this.#bucketMs)
    if (bucket === this.#lastBucket) return this.#lastBucketNumber
    let number = this.#bucketNumbers.get(bucket)
    if (number === undefined) {
      number = this.#buckets.push(bucket) - 1
      this.#bucketNumbers.set(bucket, number)
    }
    this.#lastBucket = bucket
    this.#lastBucketNumber = number
    return number
  }

  #child(parent: number, label: number): number {
    const mask = this.#slots.length - 1
    let slot = hashOf(parent, label) & mask
    for (; ; slot = (slot + 1) & mask) {
      const node = this.#slots[slot] ?? ROOT
      // The root is nobody's child, so that it stands for a free slot.
      if (node === ROOT) break
      if (this.#parents[node] === parent && this.#labels[node] === label) return node
    }
    const node = this.#parents.push(parent) - 1
    this.#labels.push(label)
    this.#slots[slot] = node
    if (this.#parents.length * 2 > this.#slots.length) this.#grow()
    return node
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2)
    const mask = this.#slots.length - 1
    for (let node = 1; node < this.#parents.length; node++) {
      let slot = hashOf(this.#parents[node] ?? 0, this.#labels[node] ?? 0) & mask
      while (this.#slots[slot] !== ROOT) slot = (slot + 1) & mask
      this.#slots[slot] = node
    }
  }
}

function hashOf(parent: number, label: number): number {
  const hash = Math.imul(parent, SPREAD_PARENT) ^ Math.imul(label, SPREAD_LABEL)
  return hash ^ (hash >>> 15)
}
