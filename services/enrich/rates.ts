import { partMiddle, partOpening } from './cost-parts.ts'
import { type Decimal, decimalText, percentLeft, percentOf } from './decimal.ts'
import { type Part, PARTS } from './usage.ts'

/** USD for a million tokens, or for one search or request, by part. */
export type Prices = Readonly<Partial<Record<Part, Decimal>>>

/** The prices of one model for a while. */
export interface PriceRow {
  readonly base: Prices
  /** The prices of the largest `above` that all input tokens together exceed hold for the whole call. */
  readonly context: readonly { readonly above: number; readonly prices: Prices }[]
  /** Calls with more input tokens have no price; undefined where all have one. */
  readonly maxInput?: number
}

/** Parts without a price of their own cost as another part does. */
const PARENTS: readonly (readonly [Part, Part])[] = [
  ['cache_read', 'input'],
  ['cache_write_5m', 'input'],
  ['cache_write_1h', 'cache_write_5m'],
  ['input_audio', 'input'],
  ['input_image', 'input'],
  ['reasoning', 'output'],
  ['output_audio', 'output'],
  ['output_image', 'output'],
]
const FEES: readonly Part[] = ['web_search', 'request']
/** Zeros of pico-USD, less those of a million tokens. */
const PICO_ZEROS_OF_TOKEN = 6
const PICO_ZEROS_OF_FEE = 12

/** What one unit of a part costs, ready to be multiplied and written. */
export interface Rate {
  readonly part: Part
  readonly price: string
  /** Pico-USD of one unit where that is a whole number that doubles hold, else NaN. */
  readonly pico: number
  /** Pico-USD of one unit as a fraction. */
  readonly numerator: bigint
  readonly divisor: bigint
  /** What stands around the units in the text of a part, see cost-parts.ts. */
  readonly opening: string
  readonly middle: string
}

/** Rates by index of PARTS; undefined where there is no price. */
export type Rates = readonly (Rate | undefined)[]

/** Rates of a model, by input tokens. */
export interface RateTable {
  readonly base: Rates
  readonly context: readonly { readonly above: number; readonly rates: Rates }[]
  readonly maxInput: number
}

/** The rates that hold for a call with this many input tokens. */
export function ratesFor({ base, context }: RateTable, inputTokens: number): Rates {
  for (let i = context.length - 1; i >= 0; i--) {
    const tier = context[i]
    if (tier !== undefined && inputTokens > tier.above) return tier.rates
  }
  return base
}

/** Makes rates of prices; every tier of context has the prices of the base that it does not replace. */
export function compileRow({ base, context, maxInput }: PriceRow): RateTable {
  return {
    base: compilePrices(base),
    context: context
      .toSorted((a, b) => a.above - b.above)
      .map(({ above, prices }) => ({ above, rates: compilePrices({ ...base, ...prices }) })),
    maxInput: maxInput ?? Number.POSITIVE_INFINITY,
  }
}

function compilePrices(prices: Prices): Rates {
  const all = filled(prices)
  return PARTS.map((part) => {
    const price = all[part]
    return price === undefined ? undefined : compileRate(part, price)
  })
}

/** Prices in which parts without one of their own have that of their parent. */
function filled(prices: Prices): Prices {
  const all: Partial<Record<Part, Decimal>> = { ...prices }
  for (const [part, parent] of PARENTS) {
    const price = all[part] ?? all[parent]
    if (price !== undefined) all[part] = price
  }
  return all
}

function compileRate(part: Part, price: Decimal): Rate {
  const zeros = FEES.includes(part) ? PICO_ZEROS_OF_FEE : PICO_ZEROS_OF_TOKEN
  const shift = zeros - price.scale
  const numerator = shift > 0 ? price.digits * 10n ** BigInt(shift) : price.digits
  const divisor = shift < 0 ? 10n ** BigInt(-shift) : 1n
  const isExact = divisor === 1n && numerator <= BigInt(Number.MAX_SAFE_INTEGER)
  const text = decimalText(price)
  return {
    part,
    price: text,
    pico: isExact ? Number(numerator) : Number.NaN,
    numerator,
    divisor,
    opening: partOpening(part),
    middle: partMiddle(text),
  }
}

/** A short text as an Avro string: its length in one byte, doubled, or in two. */
export function avroString(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length = bytes.length * 2
  const prefix = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7]
  return Buffer.concat([Buffer.from(prefix), bytes])
}

/** A row with each price replaced. */
function mapRow(row: PriceRow, change: (price: Decimal, part: Part) => Decimal): PriceRow {
  const map = (prices: Prices): Prices =>
    Object.fromEntries(
      PARTS.flatMap((part) => {
        const price = prices[part]
        return price === undefined ? [] : [[part, change(price, part)]]
      }),
    )
  return {
    ...row,
    base: map(row.base),
    context: row.context.map(({ above, prices }) => ({ above, prices: map(prices) })),
  }
}

/** What a service tier costs, in percent of the standard price or in prices of its own. */
export interface TierPrice {
  readonly percent: Decimal | undefined
  /** Percentages of single parts. */
  readonly percents: Prices
  /** Instead of percentages. */
  readonly row: PriceRow | undefined
  readonly maxInput: number | undefined
}

/** A row as a service tier has it. Percentages are of tokens: searches and requests cost what they do. */
export function applyTier(row: PriceRow, tier: TierPrice): PriceRow {
  const fees = Object.fromEntries(
    FEES.flatMap((part) => {
      const price = row.base[part]
      return price === undefined ? [] : [[part, price]]
    }),
  )
  const { percent } = tier
  const priced =
    tier.row === undefined
      ? mapRow(withParents(row), (price, part) => {
          if (FEES.includes(part)) return price
          const share = tier.percents[part] ?? percent
          return share === undefined ? price : percentOf(price, share)
        })
      : { ...tier.row, base: { ...fees, ...tier.row.base } }
  return tier.maxInput === undefined ? priced : { ...priced, maxInput: tier.maxInput }
}

/** A part may have a percentage of its own, and none of its own price: then its parent's is taken. */
function withParents(row: PriceRow): PriceRow {
  return {
    ...row,
    base: filled(row.base),
    context: row.context.map(({ above, prices }) => ({
      above,
      prices: filled({ ...row.base, ...prices }),
    })),
  }
}

/** A row with so many percent off every price. */
export function applyDiscount(row: PriceRow, percent: Decimal): PriceRow {
  const left = percentLeft(percent)
  return mapRow(row, (price) => percentOf(price, left))
}
