import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTally, type PriceChange } from '../../../services/enrich/reprice/tally.ts'

const change = (fields: Partial<PriceChange> = {}): PriceChange => ({
  model: 'm',
  tenant: 't',
  isCorrected: true,
  oldStatus: 'priced',
  newStatus: 'priced',
  oldCostPicoUsd: 5n,
  newCostPicoUsd: 7n,
  ...fields,
})

test('A tally sums calls by model and tenant', () => {
  const tally = createTally()
  tally.add(change())
  tally.add(change({ isCorrected: false, newCostPicoUsd: 5n }))
  tally.add(change({ tenant: 'u', oldStatus: 'unpriced', oldCostPicoUsd: null }))
  tally.add(change({ tenant: 'v', newStatus: 'unpriced', newCostPicoUsd: null }))
  expect(tally.total()).toEqual({
    calls: 4,
    corrected: 3,
    oldCostPicoUsd: 15n,
    newCostPicoUsd: 19n,
    unpricedBefore: 1,
    unpricedAfter: 1,
  })
  expect(tally.changed().map(({ tenant, calls }) => [tenant, calls])).toEqual([
    ['u', 1],
    ['v', 1],
    ['t', 2],
  ])
})

test('A group without a difference is no change', () => {
  const tally = createTally()
  tally.add(change({ isCorrected: false, newCostPicoUsd: 5n }))
  expect(tally.changed()).toEqual([])
  expect(tally.total().calls).toBe(1)
})

test('Beyond the most groups, calls are summed together, and none is lost', () => {
  const changes = fc.array(
    fc.record({
      model: fc.constantFrom('a', 'b', 'c', '(others)'),
      tenant: fc.constantFrom('x', 'y', 'z'),
      isCorrected: fc.constant(true),
      oldStatus: fc.constantFrom('priced', 'unpriced'),
      newStatus: fc.constantFrom('priced', 'unpriced'),
      oldCostPicoUsd: fc.option(fc.bigInt({ min: 0n, max: 10n ** 18n })),
      newCostPicoUsd: fc.option(fc.bigInt({ min: 0n, max: 10n ** 18n })),
    }),
  )
  fc.assert(
    fc.property(changes, fc.integer({ min: 1, max: 12 }), (all, maxGroups) => {
      const tally = createTally(maxGroups)
      for (const each of all) tally.add(each)
      const groups = tally.changed()
      expect(groups.length).toBeLessThanOrEqual(maxGroups + 4)
      const sum = (field: 'oldCostPicoUsd' | 'newCostPicoUsd') =>
        groups.reduce((total, group) => total + group[field], 0n)
      expect(sum('oldCostPicoUsd')).toBe(tally.total().oldCostPicoUsd)
      expect(sum('newCostPicoUsd')).toBe(tally.total().newCostPicoUsd)
      expect(groups.reduce((total, { calls }) => total + calls, 0)).toBe(all.length)
    }),
    { seed: 12 },
  )
})
