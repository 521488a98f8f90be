import { expect, test } from 'vitest'
import { textTable } from '../../services/runtime/text-table.ts'

test('The first columns stand to the left, the others to the right, without blanks at the end', () => {
  const rows = [
    ['provider', 'model', 'calls'],
    ['openai', 'gpt-4o', '12,345'],
    ['x', '', '1'],
    ['y', 'z', ''],
  ]
  expect(textTable(rows, 2)).toEqual([
    'provider  model    calls',
    'openai    gpt-4o  12,345',
    'x                      1',
    'y         z',
  ])
})

test('No rows make no lines', () => {
  expect(textTable([], 1)).toEqual([])
})
