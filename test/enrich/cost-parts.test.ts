import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { renderParts } from '../../services/enrich/cost-parts.ts'
import { PARTS } from '../../services/enrich/usage.ts'
import { parseParts } from '../support/cost-parts.ts'

test('Parts are JSON that ClickHouse reads, and every digit is kept', () => {
  const parts = fc.array(
    fc.record({
      part: fc.constantFrom(...PARTS),
      units: fc.bigInt(0n, 2n ** 53n),
      unit_price: fc.constantFrom('0.15', '2.5', '0', '1000000'),
      cost_pico_usd: fc.bigInt(0n, 10n ** 18n),
    }),
    { maxLength: 12 },
  )
  const property = fc.property(parts, (given) => {
    const text = renderParts(given)
    expect(parseParts(text)).toEqual(given)
    expect(text === '' ? [] : JSON.parse(text)).toHaveLength(given.length)
  })
  fc.assert(property, { seed: 7 })
})

test('No parts are no text', () => {
  expect(renderParts([])).toBe('')
})
