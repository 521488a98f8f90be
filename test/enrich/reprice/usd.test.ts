import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { shortUsd } from '../../../services/enrich/reprice/usd.ts'
import { exactUsd } from '../../../services/runtime/money.ts'

test.each([
  [0n, '0.000000000000', '0.000000'],
  [1n, '0.000000000001', '0.000000'],
  [-1n, '-0.000000000001', '0.000000'],
  [499_999n, '0.000000499999', '0.000000'],
  [500_000n, '0.000000500000', '0.000001'],
  [-500_000n, '-0.000000500000', '-0.000001'],
  [1_234_567_890_123_456_789n, '1234567.890123456789', '1,234,567.890123'],
  [-999_000_000_000_000n, '-999.000000000000', '-999.000000'],
  [-1_000_000_000_000_000n, '-1000.000000000000', '-1,000.000000'],
])('%s pico-USD are %s USD, in short %s', (picoUsd, exact, short) => {
  expect(exactUsd(picoUsd)).toBe(exact)
  expect(shortUsd(picoUsd)).toBe(short)
})

test('No digit of an exact amount is lost', () => {
  fc.assert(
    fc.property(fc.bigInt(), (picoUsd) => {
      expect(BigInt(exactUsd(picoUsd).replace('.', ''))).toBe(picoUsd)
    }),
    { seed: 13 },
  )
})
