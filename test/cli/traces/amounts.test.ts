import { expect, test } from 'vitest'
import { count, ms, percent, plural, usd } from '../../../services/cli/traces/amounts.ts'

test.each([
  [0, '0'],
  [0.04, '0.0'],
  [2.26, '2.3'],
  [9.94, '9.9'],
  [10.4, '10'],
  [30_198.07, '30,198'],
])('%d milliseconds are written %s', (value, text) => {
  expect(ms(value)).toBe(text)
})

test.each([
  [null, 0, '-'],
  [null, 2, '2 unpriced'],
  ['0', 0, '0'],
  ['0.0015', 0, '0.0015'],
  ['0.0015', 1, '0.0015 + 1 unpriced'],
])('a cost of %s with %d calls without a price is written %s', (cost, unpriced, text) => {
  expect(usd(cost, unpriced)).toBe(text)
})

test('shares, counts and nouns', () => {
  expect([percent(0.9066), count(12_345), plural(1, 'trace'), plural(0, 'trace')]).toEqual([
    '90.7 %',
    '12,345',
    '1 trace',
    '0 traces',
  ])
})
