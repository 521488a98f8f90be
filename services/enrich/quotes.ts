import type { Decimal } from './decimal.ts'
import {
  applyDiscount,
  applyTier,
  avroString,
  compileRow,
  type PriceRow,
  type RateTable,
  type TierPrice,
} from './rates.ts'

/** What a model costs at a time, on the terms of a call. */
export interface Quote {
  /** Provider and model of the price row, such as openai/gpt-4o; empty where there is none. */
  readonly model: string
  /** Lists that the price was made of, such as genai-prices@0.1.8. */
  readonly version: string
  /** What is to be known about the price, see docs/prices.md. */
  readonly flags: readonly string[]
  /** Undefined: the model, or its service tier, has no price. */
  readonly rates: RateTable | undefined
  /** Avro bytes of the fields price_status to price_flags of a call with this price. */
  readonly pricedBytes: Buffer
}

/** Gives the quote for a call that started at a time, in milliseconds since the epoch. */
export type QuoteAt = (timeMs: number) => Quote

/** From when until when something holds: inclusive, exclusive. */
interface Period {
  readonly fromMs: number
  readonly untilMs: number
}

interface OfferedTier extends Period {
  readonly price: TierPrice
  readonly version: string
}

interface OfferedDiscount extends Period {
  readonly percent: Decimal
  readonly version: string
}

/** A price that a model may have. */
export interface Offer extends Period {
  readonly id: string
  readonly version: string
  readonly flags: readonly string[]
  /** The same row for all times that it holds for. */
  readonly rowAt: (timeMs: number) => PriceRow
  /** What the call's service tier costs; the first that holds counts. */
  readonly tiers: readonly OfferedTier[]
  /** The first that holds counts. */
  readonly discounts: readonly OfferedDiscount[]
}

export interface QuoteOptions {
  readonly unknown: Quote
  /** Offers that come before the list's; the first that holds counts. */
  readonly own: readonly Offer[]
  readonly listed: Offer | undefined
  /** Normalised name of the call's service tier. */
  readonly tier: string
}

interface MadeQuote {
  readonly offer: Offer
  readonly row: PriceRow
  readonly tier: OfferedTier | undefined
  readonly discount: OfferedDiscount | undefined
  readonly quote: Quote
}

/** Makes each quote once: there are as many as prices, tiers and discounts have periods. */
export function createQuotes({ unknown, own, listed, tier }: QuoteOptions): QuoteAt {
  const made: MadeQuote[] = []
  return (timeMs) => {
    const offer = (own.length === 0 ? undefined : firstAt(own, timeMs)) ?? listed
    if (offer === undefined) return unknown
    const row = offer.rowAt(timeMs)
    const tierPrice = tier === '' ? undefined : firstAt(offer.tiers, timeMs)
    const discount = firstAt(offer.discounts, timeMs)
    for (let i = 0; i < made.length; i++) {
      const known = made[i]
      if (
        known !== undefined &&
        known.row === row &&
        known.offer === offer &&
        known.tier === tierPrice &&
        known.discount === discount
      ) {
        return known.quote
      }
    }
    const quote = makeQuote(offer, row, tier, tierPrice, discount)
    made.push({ offer, row, tier: tierPrice, discount, quote })
    return quote
  }
}

function firstAt<T extends Period>(periods: readonly T[], timeMs: number): T | undefined {
  for (let i = 0; i < periods.length; i++) {
    const period = periods[i]
    if (period !== undefined && timeMs >= period.fromMs && timeMs < period.untilMs) return period
  }
  return undefined
}

function makeQuote(
  offer: Offer,
  row: PriceRow,
  tier: string,
  tierPrice: OfferedTier | undefined,
  discount: OfferedDiscount | undefined,
): Quote {
  const model = offer.id
  if (tier !== '' && tierPrice === undefined) {
    const flags = [...offer.flags, 'tier_unpriced']
    return toQuote({ model, version: offer.version, flags, rates: undefined })
  }
  const versions = new Set([offer.version])
  let priced = row
  if (tierPrice !== undefined) {
    priced = applyTier(priced, tierPrice.price)
    versions.add(tierPrice.version)
  }
  if (discount !== undefined) {
    priced = applyDiscount(priced, discount.percent)
    versions.add(discount.version)
  }
  return toQuote({
    model,
    version: [...versions].join(' + '),
    flags: offer.flags,
    rates: compileRow(priced),
  })
}

/** The quote for a model that has no price in some lists. */
export function unknownQuote(version: string): Quote {
  return toQuote({ model: '', version, flags: [], rates: undefined })
}

function toQuote(quote: Omit<Quote, 'pricedBytes'>): Quote {
  const { version, model, flags } = quote
  const count = flags.length > 0 ? [Buffer.from([flags.length * 2])] : []
  const texts = ['priced', version, model].map(avroString)
  const end = Buffer.from([0])
  return {
    ...quote,
    pricedBytes: Buffer.concat([...texts, ...count, ...flags.map(avroString), end]),
  }
}
