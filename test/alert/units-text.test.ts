import { expect, test } from 'vitest'
import { formatCount, formatValue } from '../../services/alert/units-text.ts'

test.each([
  [null, 'USD', 'no data'],
  [null, '', 'no data'],
  [100, 'USD', '100 USD'],
  [12.3, 'USD', '12.30 USD'],
  [12.345678, 'USD', '12.35 USD'],
  [99.999, 'USD', '100 USD'],
  [1_234_567.8, 'USD', '1,234,567.80 USD'],
  [0.05, 'USD', '0.05 USD'],
  [0.0042, 'USD', '0.0042 USD'],
  [0.0000012345, 'USD', '0.00000123 USD'],
  [0, 'USD', '0 USD'],
  [-3.5, 'USD', '-3.50 USD'],
  [5, 's', '5 s'],
  [6.2345, 's', '6.23 s'],
  [119, 's', '119 s'],
  [120, 's', '2 min'],
  [330, 's', '5.5 min'],
  [7_200, 's', '2 h'],
  [180_000, 's', '2.08 d'],
  [0.85, 's', '850 ms'],
  [0.0123, 's', '12.3 ms'],
  [0.9999, 's', '1 s'],
  [0, 's', '0 s'],
  [-0.3, 's', '-300 ms'],
  [0.0625, 'ratio', '6.25%'],
  [0.05, 'ratio', '5%'],
  [1, 'ratio', '100%'],
  [1 / 3, 'ratio', '33.3%'],
  [0.00012, 'ratio', '0.012%'],
  [14.4, 'x', '14.4x'],
  [14.6321, 'x', '14.6x'],
  [1_234.5, 'x', '1,235x'],
  [0.8234, 'score', '0.823'],
  [-0.25, 'score', '-0.25'],
  [123_456, 'tokens', '123,456 tokens'],
  [12.5, 'tokens', '12.5 tokens'],
  [42, '', '42'],
  [1_234_567, '', '1,234,567'],
  [3.14159, '', '3.142'],
  [-0, '', '0'],
])('%s of %j is %s', (value, unit, text) => {
  expect(formatValue(value, unit)).toBe(text)
})

test('a count has all its digits', () => {
  expect([0, 999, 1_234, 12_345_678].map(formatCount)).toEqual(['0', '999', '1,234', '12,345,678'])
})
