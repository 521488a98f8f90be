import { type Rate, type Rates, type RateTable, ratesFor } from './rates.ts'
import { PARTS, splitUsage, tellsUsage, type Usage } from './usage.ts'

/** What became of pricing a call whose model has a price. */
export type Verdict =
  | 'priced'
  /** The span does not tell what it used. */
  | 'no_usage'
  /** Counts that cannot be. */
  | 'invalid_usage'
  /** More input than its service tier has a price for. */
  | 'too_long'
  /** A part that was used has no price. */
  | 'unit_unpriced'

/** A million USD: ClickHouse's Decimal(18, 12) holds no more, and a call that costs more has counts that cannot be. */
const MAX_PICO_USD = 10n ** 18n - 1n

/**
 * Works out what one call costs, in place: written over by the next one, so that a hot path makes no
 * objects. Each part is rounded half up to a whole pico-USD where its price is not one, and the cost of
 * the call is the sum of its parts, exactly.
 */
export class CostSheet {
  /** Parts of the cost, in the order of PARTS. */
  count = 0
  readonly rates: Rate[] = []
  readonly partUnits: number[] = []
  /** Costs of the parts in pico-USD, and their sum, where all of them are safe integers. */
  readonly costs: number[] = []
  total = 0
  /** The same where one of them is not. */
  exact: { readonly costs: readonly bigint[]; readonly total: bigint } | undefined
  /** Whether some tokens are both cached and of audio or images, see splitUsage. */
  overlaps = false
  readonly #units = new Float64Array(PARTS.length)

  /** Prices a call; the sheet holds its parts where it says `priced`. */
  price(table: RateTable, usage: Usage): Verdict {
    this.count = 0
    if (!tellsUsage(usage)) return 'no_usage'
    const split = splitUsage(usage, this.#units)
    if (split === 'invalid') return 'invalid_usage'
    this.overlaps = split === 'overlap'
    const input = usage.input ?? 0
    if (input > table.maxInput) return 'too_long'
    if (!this.#take(ratesFor(table, input))) return 'unit_unpriced'
    if (this.#sum()) return 'priced'
    this.exact = sumExactly(this.rates, this.partUnits, this.count)
    return this.exact.total > MAX_PICO_USD ? 'invalid_usage' : 'priced'
  }

  /** Pairs what was used with its rates; false where one is missing. */
  #take(rates: Rates): boolean {
    let count = 0
    for (let i = 0; i < PARTS.length; i++) {
      const units = this.#units[i] ?? 0
      if (units === 0) continue
      const rate = rates[i]
      if (rate === undefined) {
        // Few models charge for the call itself, and none must.
        if (PARTS[i] === 'request') continue
        return false
      }
      if (rate.numerator === 0n && rate.part === 'request') continue
      this.rates[count] = rate
      this.partUnits[count++] = units
    }
    this.count = count
    return true
  }

  /** Costs and sum in doubles; false where one of them is no safe integer. */
  #sum(): boolean {
    let total = 0
    for (let i = 0; i < this.count; i++) {
      const cost = (this.partUnits[i] ?? 0) * (this.rates[i]?.pico ?? Number.NaN)
      this.costs[i] = cost
      total += cost
    }
    this.total = total
    this.exact = undefined
    return total <= Number.MAX_SAFE_INTEGER
  }
}

function sumExactly(rates: readonly Rate[], units: readonly number[], count: number) {
  const costs = rates
    .slice(0, count)
    .map(
      ({ numerator, divisor }, i) => (BigInt(units[i] ?? 0) * numerator + divisor / 2n) / divisor,
    )
  return { costs, total: costs.reduce((sum, cost) => sum + cost, 0n) }
}
