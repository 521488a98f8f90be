import { expect, test } from 'vitest'
import { groupText, table } from '../../../services/alert/commands/table.ts'

test('Columns are as wide as their widest cell, and the last has no blanks behind it', () => {
  expect(
    table([
      ['rule', 'group', 'value'],
      ['slow', 'a long group', '1'],
      ['a long name', '-', ''],
    ]),
  ).toEqual([
    'rule         group         value',
    'slow         a long group  1',
    'a long name  -             ',
  ])
})

test('A table of nothing is nothing', () => {
  expect(table([])).toEqual([])
})

test.each([
  [{}, '-'],
  [{ tenant: 'acme', model: 'gpt-4o' }, 'tenant=acme model=gpt-4o'],
  [{ tenant: '' }, 'tenant=(none)'],
])('The group %j reads %s', (group, text) => {
  expect(groupText(group)).toBe(text)
})
