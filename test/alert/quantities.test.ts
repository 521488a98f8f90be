import { describe, expect, test } from 'vitest'
import {
  parsePercent,
  parseQuantity,
  parseTimes,
  tidy,
  type Unit,
} from '../../services/alert/quantities.ts'

describe('A quantity', () => {
  test.each<[string, Unit, number]>([
    ['100 USD', 'USD', 100],
    ['0.1USD', 'USD', 0.1],
    ['250ms', 's', 0.25],
    ['2m', 's', 120],
    ['5%', 'ratio', 0.05],
    ['5 %', 'ratio', 0.05],
    ['0.05', 'ratio', 0.05],
    ['99.9%', 'ratio', 0.999],
    ['100000', 'tokens', 100_000],
    ['100000 tokens', 'tokens', 100_000],
    ['0.65', 'score', 0.65],
    ['10.5', '', 10.5],
  ])('%s in %j is %d', (text, unit, expected) => {
    expect(parseQuantity(text, unit)).toBe(expected)
  })

  test.each<[string, Unit]>([
    ['100', 'USD'],
    ['100 EUR', 'USD'],
    ['5', 's'],
    ['5 USD', 's'],
    ['5', 'ratio'],
    ['101%', 'ratio'],
    ['1.1', 'score'],
    ['65%', 'score'],
    ['1.5', 'tokens'],
    ['5s', ''],
    ['-1', ''],
    ['1e3', ''],
    ['', ''],
    ['2x', ''],
  ])('%j is none in %j', (text, unit) => {
    expect(parseQuantity(text, unit)).toBeUndefined()
  })
})

test('Shares and multiples are the nearest numbers to their digits', () => {
  expect(['7%', '14.4%', '0.1 %', '5'].map(parsePercent)).toEqual([0.07, 0.144, 0.001, undefined])
  expect(['2x', '0.9 x', 'x', '2'].map(parseTimes)).toEqual([2, 0.9, undefined, undefined])
  expect([tidy(1 - 0.999), tidy(1 - 0.1), tidy(1.1 * 3)]).toEqual([0.001, 0.9, 3.3])
})
