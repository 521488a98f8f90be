import { Amount } from './fold-amount.ts'

/** Buckets of a histogram. Bounds and limits rise. */
export interface Buckets {
  /** Upper bounds as people read them; what is just as large is within. */
  readonly bounds: readonly number[]
  /** The same in the whole units that are counted, such as nanoseconds. */
  readonly limits: readonly number[]
  /** Decimal places that a unit has of what people read: 9 for nanoseconds. */
  readonly places: number
}

export function bucketsOf(places: number, bounds: readonly number[]): Buckets {
  return { bounds, places, limits: bounds.map((bound) => Math.round(bound * 10 ** places)) }
}

/** What was observed, by bucket, and its exact sum. */
export class HistogramCounts {
  readonly buckets: Buckets
  readonly sum = new Amount()
  /** How many are in each bucket alone; the last holds what is beyond all bounds. */
  readonly counts: Float64Array<ArrayBuffer>

  constructor(buckets: Buckets) {
    this.buckets = buckets
    this.counts = new Float64Array(buckets.limits.length + 1)
  }

  get count(): number {
    return this.counts.reduce((total, count) => total + count, 0)
  }

  add(amount: Amount): void {
    const { units } = amount
    const { limits } = this.buckets
    let bucket = 0
    while (units > (limits[bucket] ?? Infinity)) bucket++
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1
    this.sum.addHalves(amount.high, amount.low)
  }

  /** Adds what another one of the same buckets has. */
  addAll(other: HistogramCounts): void {
    this.sum.addHalves(other.sum.high, other.sum.low)
    for (const [bucket, count] of other.counts.entries()) {
      this.counts[bucket] = (this.counts[bucket] ?? 0) + count
    }
  }
}
