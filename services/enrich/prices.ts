import { calcPrice, type ConditionalPrice, type ModelPrice } from '@pydantic/genai-prices'

/** Price of one million units, in pico-USD, and higher ones for longer inputs. */
export interface TieredPrice {
  readonly base: bigint
  /** The tier of the largest `above` that the input tokens exceed holds for all tokens. */
  readonly tiers: readonly { readonly above: number; readonly price: bigint }[]
}

/** What a model's tokens cost. A kind of token without a price of its own costs as its parent. */
export interface ModelPrices {
  readonly input: TieredPrice | undefined
  readonly output: TieredPrice | undefined
  readonly cacheRead: TieredPrice | undefined
  readonly cacheWrite5m: TieredPrice | undefined
  readonly cacheWrite1h: TieredPrice | undefined
  readonly inputAudio: TieredPrice | undefined
  readonly outputAudio: TieredPrice | undefined
  readonly reasoning: TieredPrice | undefined
  /** Pico-USD for a thousand calls, on top of the tokens. */
  readonly thousandRequests: bigint
}

/** A model of the price list: what it costs depends on when the call happened. */
export interface ListedModel {
  /** Provider and model of the price row, such as openai/gpt-4o. */
  readonly id: string
  pricesAt(timeMs: number): ModelPrices
}

/** Looks a model up under a provider of the list; undefined where there is none. */
export type FindModel = (provider: string, model: string) => ListedModel | undefined

/** Name and version of the list that findListedModel reads, as spans carry it. */
export const PRICE_VERSION = 'genai-prices@0.1.8'

/**
 * Looks a model up in the list of @pydantic/genai-prices (MIT), whose matching it uses; amounts are
 * read as decimals, so that nothing is worked out in floating point.
 */
export const findListedModel: FindModel = (provider, model) => {
  const found = calcPrice({}, model, provider === '' ? {} : { providerId: provider })
  if (found === null) return undefined
  const { prices } = found.model
  const entries = (Array.isArray(prices) ? prices : [{ prices }]).map((entry) => ({
    holdsAt: constraintOf(entry),
    prices: toModelPrices(entry.prices),
  }))
  return {
    id: `${found.provider.id}/${found.model.id}`,
    pricesAt(timeMs) {
      const entry = entries.findLast(({ holdsAt }) => holdsAt(timeMs)) ?? entries[0]
      if (entry === undefined) throw new Error(`${found.model.id} has no prices`)
      return entry.prices
    },
  }
}

const DAY_MS = 86_400_000

/** A start date holds from 00:00 UTC of that day; a time of day from its start up to its end. */
function constraintOf({ constraint }: ConditionalPrice): (timeMs: number) => boolean {
  if (constraint === undefined) return () => true
  if (constraint.type === 'start_date') {
    const startMs = Date.parse(`${constraint.start_date}T00:00:00Z`)
    return (timeMs) => timeMs >= startMs
  }
  const start = timeOfDayMs(constraint.start_time)
  const end = timeOfDayMs(constraint.end_time)
  return (timeMs) => {
    const time = ((timeMs % DAY_MS) + DAY_MS) % DAY_MS
    return start <= end ? time >= start && time < end : time >= start || time < end
  }
}

function timeOfDayMs(text: string): number {
  return Date.parse(`1970-01-01T${/[Z+]/.test(text) ? text : `${text}Z`}`)
}

function toModelPrices(prices: ModelPrice): ModelPrices {
  const price = (key: string): TieredPrice | undefined => {
    const value = prices[key]
    if (value === undefined) return undefined
    if (typeof value === 'number') return { base: picoUsd(value), tiers: [] }
    const tiers = value.tiers.map((tier) => ({ above: tier.start, price: picoUsd(tier.price) }))
    return { base: picoUsd(value.base), tiers: tiers.sort((a, b) => a.above - b.above) }
  }
  const input = price('input_mtok')
  const output = price('output_mtok')
  const cacheWrite5m = price('cache_write_mtok') ?? input
  return {
    input,
    output,
    cacheRead: price('cache_read_mtok') ?? input,
    cacheWrite5m,
    cacheWrite1h: price('cache_write_1h_mtok') ?? cacheWrite5m,
    inputAudio: price('input_audio_mtok') ?? input,
    outputAudio: price('output_audio_mtok') ?? output,
    reasoning: price('output_reasoning_mtok') ?? output,
    thousandRequests: price('requests_kcount')?.base ?? 0n,
  }
}

const PICO_DIGITS = 12

/** An amount in USD as whole pico-USD, by its decimal digits; digits beyond are rounded half up. */
export function picoUsd(usd: number): bigint {
  const [mantissa = '0', exponent = '0'] = String(usd).split('e')
  const [whole = '0', fraction = ''] = mantissa.split('.')
  const shift = PICO_DIGITS + Number(exponent) - fraction.length
  const digits = BigInt(whole + fraction)
  if (shift >= 0) return digits * 10n ** BigInt(shift)
  const divisor = 10n ** BigInt(-shift)
  return (digits + divisor / 2n) / divisor
}

/** The price of one million units for a call with this many input tokens. */
export function priceFor({ base, tiers }: TieredPrice, inputTokens: number): bigint {
  return tiers.findLast(({ above }) => inputTokens > above)?.price ?? base
}
