import { expect, test } from 'vitest'
import { spread } from '../../bench/stats.ts'

test.each([
  { values: [3], median: 3, min: 3, max: 3 },
  { values: [9, 1, 4], median: 4, min: 1, max: 9 },
  { values: [10, 9, 1, 4], median: 6.5, min: 1, max: 10 },
])('the median of $values is $median', ({ values, ...expected }) => {
  expect(spread(values)).toEqual(expected)
})

test('there is no median of nothing', () => {
  expect(() => spread([])).toThrow(RangeError)
})
