import { expect, test } from 'vitest'
import { createByteBudget } from '../../services/ingest/receiver-limits.ts'

test('A byte budget refuses what would go over it and takes what was given back', () => {
  const budget = createByteBudget(10)
  expect(budget.tryReserve(7)).toBe(true)
  expect(budget.tryReserve(4)).toBe(false)
  expect(budget.tryReserve(3)).toBe(true)
  budget.release(7)
  expect(budget.usedBytes).toBe(3)
  expect(budget.tryReserve(7)).toBe(true)
})
