import { describe, expect, test } from 'vitest'
import { Amount } from '../../services/alert/fold-amount.ts'
import { bucketsOf, HistogramCounts } from '../../services/alert/llm-histogram.ts'

const SECONDS = bucketsOf(9, [0.01, 0.02, 81.92])

function histogramOf(...units: readonly (number | bigint)[]): HistogramCounts {
  const histogram = new HistogramCounts(SECONDS)
  for (const value of units) {
    const amount = new Amount()
    amount.set(value)
    histogram.add(amount)
  }
  return histogram
}
const bucketOf = (units: number | bigint) => histogramOf(units).counts.indexOf(1)

describe('A histogram', () => {
  test('counts in whole units', () => {
    expect(SECONDS.limits).toEqual([10_000_000, 20_000_000, 81_920_000_000])
  })

  test.each<[number | bigint, number]>([
    [0, 0],
    [9_999_999, 0],
    [10_000_000, 0],
    [10_000_001, 1],
    [20_000_000, 1],
    [20_000_001, 2],
    [81_920_000_000, 2],
    [81_920_000_001, 3],
    [2n ** 63n - 1n, 3],
  ])('%s is in bucket %i: a bound is within its bucket', (units, bucket) => {
    expect(bucketOf(units)).toBe(bucket)
  })

  test('sums what doubles cannot hold', () => {
    const { sum, count } = histogramOf(2n ** 63n - 1n, 1, 2n ** 63n - 1n)
    expect(BigInt(sum.high) * 1_000_000_000n + BigInt(sum.low)).toBe(2n ** 64n - 1n)
    expect(count).toBe(3)
  })

  test('takes another one in', () => {
    const all = histogramOf(5, 15_000_000)
    all.addAll(histogramOf(15_000_000, 999_999_999_999))
    const same = histogramOf(5, 15_000_000, 15_000_000, 999_999_999_999)
    expect([...all.counts]).toEqual([...same.counts])
    expect(all.sum).toEqual(same.sum)
  })
})
