import { assert, integer, property, uniqueArray } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fitLine } from '../../bench/line-fit.ts'

describe('A line', () => {
  test('through points of a line is that line, without an error', () => {
    const number = integer({ min: -1_000, max: 1_000 })
    const xs = uniqueArray(number, { minLength: 3, maxLength: 50 })
    assert(
      property(xs, number, number, (points, slope, start) => {
        const fit = fitLine(points.map((x) => [x, start + slope * x]))
        expect(fit.slope).toBeCloseTo(slope, 6)
        expect(fit.slopeError).toBeCloseTo(0, 6)
      }),
    )
  })

  test('has the error of its points', () => {
    // By hand: mean 2, slope 3 / 5, rest 0.2 over two degrees of freedom, squares 5.
    const fit = fitLine([
      [0, 1],
      [1, 2],
      [2, 2],
      [3, 3],
    ])
    expect(fit.mean).toBe(2)
    expect(fit.slope).toBeCloseTo(0.6, 12)
    expect(fit.slopeError).toBeCloseTo(Math.sqrt(0.2 / 2 / 5), 12)
  })

  test('needs three points of different x', () => {
    expect(() => fitLine([])).toThrow(RangeError)
    const same = [1, 1, 1].map((x) => [x, 2] as const)
    expect(() => fitLine(same)).toThrow('different x')
  })
})
