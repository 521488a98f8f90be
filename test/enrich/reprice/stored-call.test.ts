import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { priceCorrections } from '#schemas/topics.ts'
import { correctionOf, isSamePrice, toCall } from '../../../services/enrich/reprice/stored-call.ts'
import { price, storedCall } from './stored-calls.ts'

const PART = { part: 'input', units: 1_000n, unit_price: '1', cost_pico_usd: 1_000_000_000n }

describe('isSamePrice', () => {
  test('does not mind another version of the list, nor other remarks', () => {
    expect(isSamePrice(storedCall(), price({ version: 'list@3', flags: ['sibling_model'] }))).toBe(
      true,
    )
  })

  test.each([
    ['cost', price({ costPicoUsd: 999_999_999n })],
    ['status', price({ status: 'unpriced', costPicoUsd: null })],
    ['model', price({ model: 'own/gpt-4o' })],
    ['number of parts', price({ parts: [] })],
    ['units of a part', price({ parts: [{ ...PART, units: 999n }] })],
    ['price of a part', price({ parts: [{ ...PART, unit_price: '2' }] })],
    ['kind of a part', price({ parts: [{ ...PART, part: 'output' }] })],
  ])('sees another %s', (_, other) => {
    expect(isSamePrice(storedCall(), other)).toBe(false)
  })

  test('tells a cost of 0 from none', () => {
    const free = storedCall({ cost_pico_usd: '0' })
    expect(isSamePrice(free, price({ costPicoUsd: 0n }))).toBe(true)
    expect(isSamePrice(free, price({ costPicoUsd: null }))).toBe(false)
  })
})

describe('toCall', () => {
  test('keeps what is not told null, and a 0 that is', () => {
    const { usage } = toCall(storedCall({ cache_read_tokens: '0' }))
    expect(usage).toMatchObject({ input: 1_000, output: null, cacheRead: 0, reasoning: null })
  })
})

test('A correction goes through Avro, and any cost is exact', () => {
  const cost = fc.option(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }))
  fc.assert(
    fc.property(cost, cost, (before, now) => {
      const correction = correctionOf(
        storedCall({ cost_pico_usd: before === null ? null : String(before) }),
        price({ costPicoUsd: now }),
        { id: 'run', time: 1_800_000_000_000_000_001n },
      )
      expect(correction).toMatchObject({ old_cost_pico_usd: before, cost_pico_usd: now })
      const [read] = priceCorrections.codec.decode(priceCorrections.codec.encode([correction]))
      expect({ ...read }).toEqual(correction)
    }),
    { seed: 15 },
  )
})
