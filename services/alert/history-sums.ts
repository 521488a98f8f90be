import { SUM_BASE } from './series.ts'

/** What buckets come to. The sum is high * SUM_BASE + low, with 0 <= low < SUM_BASE. */
export interface Sums {
  count: number
  bad: number
  high: number
  low: number
}

export function emptySums(): Sums {
  return { count: 0, bad: 0, high: 0, low: 0 }
}

/** Adds whole numbers: exact as long as each half stays a whole number of a double. */
export function addSums(sums: Sums, more: Readonly<Sums>): void {
  sums.count += more.count
  sums.bad += more.bad
  const low = sums.low + more.low
  const carry = Math.floor(low / SUM_BASE)
  sums.high += more.high + carry
  sums.low = low - carry * SUM_BASE
}

/** The sum as one number of units. */
export function sumOf({ high, low }: Readonly<Sums>): bigint {
  return BigInt(high) * BigInt(SUM_BASE) + BigInt(low)
}
