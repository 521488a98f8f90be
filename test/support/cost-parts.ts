import type { CostPart } from '../../services/enrich/cost-parts.ts'

const PART = /\["([a-z_0-9]+)",(\d+),"([0-9.]*)",(\d+)\]/g

/** Parts of a cost from their text; every digit of a cost is kept, as JSON.parse would not. */
export function parseParts(text: string): readonly CostPart[] {
  const parts = [...text.matchAll(PART)].map(
    ([, part = '', units = '', unitPrice = '', cost = '']) => ({
      part,
      units: BigInt(units),
      unit_price: unitPrice,
      cost_pico_usd: BigInt(cost),
    }),
  )
  const length = parts.reduce((sum, _, i) => sum + (i === 0 ? 2 : 1), 0)
  const matched = [...text.matchAll(PART)].reduce((sum, [part]) => sum + part.length, length)
  if (matched !== text.length) throw new Error(`these are no parts of a cost: ${text}`)
  return parts
}
