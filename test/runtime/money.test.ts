import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { picoUsd } from '../../services/runtime/money.ts'

test.each([
  ['1', 1_000_000_000_000n],
  ['0.15', 150_000_000_000n],
  ['.5', undefined],
  ['1.', 1_000_000_000_000n],
  ['2.5e-7', 250_000n],
  ['1E3', 1_000_000_000_000_000n],
  ['0.0000000000005', 1n],
  ['0.0000000000004', 0n],
  [' 3 ', 3_000_000_000_000n],
  ['-1', undefined],
  ['', undefined],
  ['NaN', undefined],
  ['0x10', undefined],
  ['1e9999', undefined],
])('%o USD is %s pico-USD', (text, pico) => {
  expect(picoUsd(text)).toBe(pico)
})

test('Any number of pico-USD written as USD is read back', () => {
  const property = fc.property(fc.bigInt(0n, 10n ** 24n), (pico) => {
    const digits = String(pico).padStart(13, '0')
    expect(picoUsd(`${digits.slice(0, -12)}.${digits.slice(-12)}`)).toBe(pico)
  })
  fc.assert(property, { seed: 5 })
})
