import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { deletableBefore } from '../../../services/cli/erase/deletable.ts'

const reader = (group: string, committed?: bigint) => ({ group, committed })

test('all goes that every group has read', () => {
  expect(
    deletableBefore({ last: 9n, readers: [reader('a', 10n), reader('b', 12n)], remembered: 11n }),
  ).toEqual({ before: 10n, why: undefined })
})

test('what a group has still to read stays, and its name is told', () => {
  const facts = { last: 9n, readers: [reader('a', 10n), reader('b', 4n)], remembered: undefined }
  expect(deletableBefore(facts)).toEqual({
    before: 4n,
    why: 'the group b has still to read them',
  })
  expect(deletableBefore({ ...facts, readers: [reader('a')] }).before).toBe(0n)
})

test('what requests are recognised by stays', () => {
  const facts = { last: 9n, readers: [reader('a', 20n)], remembered: 7n }
  expect(deletableBefore(facts)).toMatchObject({ before: 7n, why: expect.any(String) })
})

test('nothing goes that is unread, remembered or not asked for, whatever the facts', () => {
  const offset = fc.bigInt({ min: 0n, max: 30n })
  const facts = fc.record({
    last: offset,
    readers: fc.array(
      fc.record({ group: fc.string(), committed: fc.option(offset, { nil: undefined }) }),
    ),
    remembered: fc.option(offset, { nil: undefined }),
  })
  fc.assert(
    fc.property(facts, (given) => {
      const { before, why } = deletableBefore(given)
      const limits = [given.last + 1n, ...given.readers.map(({ committed = 0n }) => committed)]
      if (given.remembered !== undefined) limits.push(given.remembered)
      const least = limits.reduce((a, b) => (a < b ? a : b))
      expect(before).toBe(least)
      expect(why === undefined).toBe(least > given.last)
    }),
    { seed: 1 },
  )
})
