/** What a part of a call's cost is. */
export interface CostPart {
  /** One of PARTS, see usage.ts. */
  readonly part: string
  /** Tokens, searches or requests: disjoint counts. */
  readonly units: bigint
  /** USD for a million tokens, or for one search or request, as a decimal. */
  readonly unit_price: string
  readonly cost_pico_usd: bigint
}

/**
 * Parts as enriched-span.avsc has them: JSON, a list of [part, units, unit price, cost in pico-USD],
 * and nothing where there are none. Text because ClickHouse takes a list of records in at ten times
 * the price. Neither part nor price holds a character that JSON escapes.
 */
export function renderParts(parts: readonly CostPart[]): string {
  if (parts.length === 0) return ''
  const texts = parts.map(
    (part) =>
      `${partOpening(part.part)}${part.units}${partMiddle(part.unit_price)}${part.cost_pico_usd}]`,
  )
  return `[${texts.join(',')}]`
}

/** What stands before the units of a part. */
export function partOpening(part: string): string {
  return `["${part}",`
}

/** What stands between its units and its cost. */
export function partMiddle(unitPrice: string): string {
  return `,"${unitPrice}",`
}
