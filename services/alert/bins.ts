import { DDSketch } from '@datadog/sketches-js'

/**
 * Sparse bins of a DDSketch (Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile
 * sketch with relative-error guarantees", VLDB 2019): index, count, index, count … by rising index.
 * Bins of two lots of values added together are the bins of all of them, in whatever order they come.
 */
export type Bins = readonly number[]

const RELATIVE_ACCURACY = 0.01
const { mapping } = new DDSketch({ relativeAccuracy: RELATIVE_ACCURACY })

/** Index of the bin of values that are not above 0: values are whole, so that all others have 0 or more. */
export const ZERO_BIN = -1

/** Index of the bin of a whole number of units. */
export function binOf(units: number): number {
  return units < 1 ? ZERO_BIN : mapping.key(units)
}

/** What the values of a bin count as: at most 1 % beside any of them. */
export function valueOfBin(index: number): number {
  return index <= ZERO_BIN ? 0 : mapping.value(index)
}

/** Bins of all values of both. A bin that comes to nothing, as a correction took it back, is gone. */
export function mergeBins(left: Bins, right: Bins): Bins {
  if (left.length === 0) return right
  if (right.length === 0) return left
  const merged: number[] = []
  for (let l = 0, r = 0; l < left.length || r < right.length;) {
    const leftIndex = left[l] ?? Infinity
    const rightIndex = right[r] ?? Infinity
    let count = 0
    if (leftIndex <= rightIndex) {
      count += left[l + 1] ?? 0
      l += 2
    }
    if (rightIndex <= leftIndex) {
      count += right[r + 1] ?? 0
      r += 2
    }
    if (count !== 0) merged.push(Math.min(leftIndex, rightIndex), count)
  }
  return merged
}

/**
 * The value, in units, that a share q (0 to 1) of the values does not exceed, at most 1 % off; null
 * without values. The rank is q * (count - 1), rounded down, as in DDSketch itself.
 */
export function quantileOfBins(bins: Bins, q: number): number | null {
  let total = 0
  for (let i = 1; i < bins.length; i += 2) total += Math.max(bins[i] ?? 0, 0)
  if (total === 0) return null
  const rank = q * (total - 1)
  let seen = 0
  for (let i = 0; i < bins.length; i += 2) {
    // A correction may come before what it corrects: what is below nothing counts as nothing.
    seen += Math.max(bins[i + 1] ?? 0, 0)
    if (seen > rank) return valueOfBin(bins[i] ?? ZERO_BIN)
  }
  return null
}
