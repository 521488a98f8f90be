import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decimalText,
  parseDecimal,
  percentLeft,
  percentOf,
  rounded,
} from '../../services/enrich/decimal.ts'

const read = (text: string) => {
  const value = parseDecimal(text)
  if (value === undefined) throw new Error(`${text} is no decimal`)
  return value
}

describe('A decimal', () => {
  test.each([
    ['0', '0'],
    ['000.000', '0'],
    ['2.50', '2.5'],
    ['+3', '3'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['1e3', '1000'],
    ['2.5e-7', '0.00000025'],
    ['1E-12', '0.000000000001'],
    ['0.1000000000000000055511151231257827', '0.1000000000000000055511151231257827'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
  ])('%s is read by its digits as %s', (text, expected) => {
    expect(decimalText(read(text))).toBe(expected)
  })

  test.each(['', '.', '-1', '1,5', '0x10', 'NaN', 'Infinity', '1e999', '1 2', '$1', '1_000'])(
    'is not "%s"',
    (text) => {
      expect(parseDecimal(text)).toBeUndefined()
    },
  )

  test.each([
    ['2.5', '50', '1.25'],
    ['0.075', '12.345', '0.00925875'],
    ['3', '0', '0'],
    ['0.1', '250', '0.25'],
  ])('of %s, %s percent are %s', (value, percent, expected) => {
    expect(decimalText(percentOf(read(value), read(percent)))).toBe(expected)
  })

  test.each([
    ['12.5', '87.5'],
    ['0', '100'],
    ['100', '0'],
    ['33.333', '66.667'],
  ])('less %s percent is %s percent', (percent, left) => {
    expect(decimalText(percentLeft(read(percent)))).toBe(left)
  })

  test.each([
    ['0.0833333333333333', 12, '0.083333333333'],
    ['0.0000000000005', 12, '0.000000000001'],
    ['0.0000000000004', 12, '0'],
    ['2.5', 12, '2.5'],
    ['0.95', 1, '1'],
  ])('%s with at most %d decimals is %s', (value, places, expected) => {
    expect(decimalText(rounded(read(value), places))).toBe(expected)
  })

  test('is written as it is read', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 30n), fc.nat(20), (digits, scale) => {
        const text = decimalText(read(`${digits}e-${scale}`))
        expect(text).toMatch(/^(?:0|[1-9]\d*)(?:\.\d*[1-9])?$/)
        expect(decimalText(read(text))).toBe(text)
        expect(BigInt(text.replace('.', '')) * 10n ** 30n).toBe(
          (digits * 10n ** 30n) / 10n ** BigInt(scale - (text.split('.')[1] ?? '').length),
        )
      }),
      { seed: 20_261_121 },
    )
  })
})
