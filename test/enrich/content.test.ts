import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { keepsContent } from '../../services/enrich/content.ts'

/** 10,000 trace ids that look alike but for a count, the hardest case for a hash. */
const ids = Array.from({ length: 10_000 }, (_, i) => Buffer.from(i.toString(16).padStart(32, '0')))
const kept = (rate: number) => ids.filter((id) => keepsContent(id, 0, id.length, rate))

test('Rate 0 keeps none, rate 1 keeps all', () => {
  expect([kept(0).length, kept(1).length]).toEqual([0, ids.length])
})

test.each([0.01, 0.05, 0.5, 0.95])('Rate %d keeps about that share of traces', (rate) => {
  const deviation = Math.sqrt(ids.length * rate * (1 - rate))
  expect(Math.abs(kept(rate).length - ids.length * rate)).toBeLessThan(4 * deviation)
})

test('A trace that is kept at a rate is kept at every higher one', () => {
  const more = new Set(kept(0.2))
  expect(kept(0.1).every((id) => more.has(id))).toBe(true)
})

test('The trace id alone decides, wherever it stands', () => {
  for (const id of ids.slice(0, 1_000)) {
    const around = Buffer.concat([randomBytes(3), id, randomBytes(3)])
    expect(keepsContent(around, 3, 3 + id.length, 0.5)).toBe(keepsContent(id, 0, id.length, 0.5))
  }
})
