import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { EMPTY_TEXT, TextTable } from '../../services/alert/fold-texts.ts'
import { anyText } from '../support/avro-values.ts'

const manyTexts = fc.array(fc.oneof(anyText, fc.string({ maxLength: 2 })), { maxLength: 300 })

/** The number of a text that stands between other bytes. */
function numberOf(table: TextTable, text: string): number {
  const bytes = Buffer.from(`<${text}>`)
  return table.ofBytes(bytes, 1, bytes.length - 1)
}

test('A text has one number, by its bytes and by itself, and no other text has it', () => {
  fc.assert(
    fc.property(manyTexts, (texts) => {
      const whole = texts.map((text) => text.toWellFormed())
      const table = new TextTable()
      const numbers = whole.map((text) => numberOf(table, text))
      expect(whole.map((text) => table.ofText(text))).toEqual(numbers)
      expect(numbers.map((number) => table.text(number))).toEqual(whole)
      expect(table.size).toBe(new Set(['', ...whole]).size)
    }),
    { seed: 1, numRuns: 200 },
  )
})

test('The empty text always has the same number', () => {
  const table = new TextTable()
  table.ofText('a')
  expect([numberOf(table, ''), table.ofText('')]).toEqual([EMPTY_TEXT, EMPTY_TEXT])
})

test('What was sealed keeps its number, all else is forgotten', () => {
  const table = new TextTable()
  const sealed = ['llm', 'ünïcode', 'x'.repeat(50_000)]
  const numbers = sealed.map((text) => table.ofText(text))
  table.seal()
  const others = Array.from({ length: 5_000 }, (_, i) => `user-${i}`)
  for (let round = 0; round < 3; round++) {
    const first = others.map((text) => numberOf(table, text))
    expect(first.map((number) => table.text(number))).toEqual(others)
    expect(table.size).toBe(1 + sealed.length + others.length)
    table.forget()
    expect(table.size).toBe(1 + sealed.length)
    expect(sealed.map((text) => numberOf(table, text))).toEqual(numbers)
    expect(sealed.map((text) => table.ofText(text))).toEqual(numbers)
  }
})
