import { array, assert, constantFrom, property } from 'fast-check'
import { expect, test } from 'vitest'
import { compareLines, isDifferent } from './difference.ts'

test('what is there once and should be there twice is lost once, and the other way round', () => {
  const one = compareLines('rows', ['a', 'a', 'b', 'c'], ['a', 'b', 'b', 'b', 'd'])
  expect(one).toEqual({
    what: 'rows',
    lost: ['a', 'c'],
    doubled: ['2 × b', 'd'],
    lostCount: 2,
    doubledCount: 3,
    expected: 4,
  })
  expect(isDifferent(one)).toBe(true)
})

test('order makes no difference', () => {
  const lists = array(constantFrom('a', 'b', 'c'), { maxLength: 9 })
  assert(
    property(lists, lists, (first, second) => {
      const { lostCount, doubledCount } = compareLines('rows', first, second)
      expect(lostCount - doubledCount).toBe(first.length - second.length)
      expect(lostCount + doubledCount === 0).toBe(
        first.toSorted().join('') === second.toSorted().join(''),
      )
    }),
  )
})
