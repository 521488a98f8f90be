import { DDSketch } from '@datadog/sketches-js'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  binOf,
  type Bins,
  mergeBins,
  quantileOfBins,
  valueOfBin,
  ZERO_BIN,
} from '../../services/alert/bins.ts'

const QUANTILES = [0, 0.01, 0.5, 0.9, 0.95, 0.99, 1]

function binsOf(values: readonly number[]): Bins {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(binOf(value), (counts.get(binOf(value)) ?? 0) + 1)
  return [...counts].toSorted(([left], [right]) => left - right).flat()
}

/** Whole numbers of all sizes up to 2^63, alike in number. */
const anyUnits = fc
  .double({ min: 0, max: 63, noNaN: true })
  .map((power) => Math.floor(2 ** power) - 1)
const someUnits = fc.array(anyUnits, { minLength: 1, maxLength: 200 })

describe('A bin', () => {
  test('has values that are at most 1 % beside what it counts as', () => {
    fc.assert(
      fc.property(anyUnits, (units) => {
        const value = valueOfBin(binOf(units))
        expect(Math.abs(value - units)).toBeLessThanOrEqual(units * 0.01 * (1 + 1e-9))
      }),
      { seed: 1, numRuns: 2_000 },
    )
  })

  test('of its own has what is not above 0', () => {
    expect([0, -1, -(2 ** 62)].map(binOf)).toEqual([ZERO_BIN, ZERO_BIN, ZERO_BIN])
    expect(valueOfBin(ZERO_BIN)).toBe(0)
    expect(binOf(1)).toBeGreaterThan(ZERO_BIN)
  })

  test('comes behind those of smaller values', () => {
    const indexes = Array.from({ length: 63 }, (_, power) => binOf(2 ** power))
    expect(indexes).toEqual([...new Set(indexes)].toSorted((left, right) => left - right))
  })
})

describe('A quantile', () => {
  test('is what DDSketch says, and at most 1 % beside the value of its rank', () => {
    fc.assert(
      fc.property(someUnits, (values) => {
        const bins = binsOf(values)
        const sketch = new DDSketch({ relativeAccuracy: 0.01 })
        for (const value of values) sketch.accept(value)
        const sorted = values.toSorted((left, right) => left - right)
        for (const q of QUANTILES) {
          const found = quantileOfBins(bins, q) ?? Number.NaN
          const exact = sorted[Math.floor(q * (values.length - 1))] ?? Number.NaN
          expect(found).toBe(sketch.getValueAtQuantile(q))
          expect(Math.abs(found - exact)).toBeLessThanOrEqual(exact * 0.01 * (1 + 1e-9))
        }
      }),
      { seed: 2, numRuns: 300 },
    )
  })

  test('is not there without values', () => {
    expect(quantileOfBins([], 0.5)).toBeNull()
    expect(quantileOfBins([3, 0, 7, -2], 0.5)).toBeNull()
  })

  test('passes over what was taken back before it came', () => {
    const seven = binOf(7)
    expect(quantileOfBins([2, -5, seven, 1], 0)).toBe(valueOfBin(seven))
  })
})

describe('Bins that are merged', () => {
  test('are those of all values, however they were parted', () => {
    fc.assert(
      fc.property(fc.array(someUnits, { maxLength: 6 }), (parts) => {
        const merged = parts.map(binsOf).reduce(mergeBins, [])
        expect(merged).toEqual(binsOf(parts.flat()))
        expect(parts.map(binsOf).reduceRight(mergeBins, [])).toEqual(merged)
      }),
      { seed: 3, numRuns: 200 },
    )
  })

  test('are gone where a correction takes back what is there', () => {
    expect(mergeBins([1, 2, 5, 1], [1, -2, 9, 4])).toEqual([5, 1, 9, 4])
    expect(mergeBins([], [1, 2])).toEqual([1, 2])
    expect(mergeBins([1, 2], [])).toEqual([1, 2])
  })
})
