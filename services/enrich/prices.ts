import {
  calcPrice,
  type ConditionalPrice,
  type MatchLogic,
  type ModelPrice,
} from '@pydantic/genai-prices'
import { PRICE_LIST } from '#runtime/price-list.ts'
import { type Decimal, decimal, parseDecimal, rounded } from './decimal.ts'
import { isNamedByList } from './list-match.ts'
import type { PriceRow, Prices } from './rates.ts'
import type { Part } from './usage.ts'

/** A model of the price list: what it costs depends on when the call happened. */
export interface ListedModel {
  /** The list's name of its provider, such as openai. */
  readonly provider: string
  /** The list's name of the model, such as gpt-4o. */
  readonly model: string
  /** Whether the list took it for a model that it does not name: its prices may be another's. */
  readonly isSibling: boolean
  /** The same row for all times that it holds for. */
  readonly rowAt: (timeMs: number) => PriceRow
}

/** Looks a model up under a provider of the list; undefined where there is none. */
export type FindModel = (provider: string, model: string) => ListedModel | undefined

/** Name and version of the list that findListedModel reads, as spans carry it. */
export const PRICE_VERSION = PRICE_LIST.version

/**
 * Looks a model up in the list of @pydantic/genai-prices (MIT), whose matching it uses; amounts are
 * read as decimals, so that nothing is worked out in floating point.
 */
export const findListedModel: FindModel = (provider, model) => {
  const found = calcPrice({}, model, provider === '' ? {} : { providerId: provider })
  if (found === null) return undefined
  const { id, match, prices } = found.model
  const entries = (Array.isArray(prices) ? prices : [{ prices }]).map((entry) => ({
    holdsAt: constraintOf(entry),
    row: toRow(entry.prices),
  }))
  return {
    provider: found.provider.id,
    model: id,
    isSibling: !isNamed(match, id, model) || isOtherVersion(id, model),
    rowAt(timeMs) {
      const entry = entries.findLast(({ holdsAt }) => holdsAt(timeMs)) ?? entries[0]
      if (entry === undefined) throw new Error(`${id} has no prices`)
      return entry.row
    },
  }
}

function isNamed(match: MatchLogic, id: string, model: string): boolean {
  return id.toLowerCase() === model.trim().toLowerCase() || isNamedByList(match, model)
}

const VERSION_NUMBER = /-v(\d+)(?=[:@]|$)/i

/** Whether both say which version of a model they mean, and mean two: titan-embed-text-v1 and -v2:0. */
function isOtherVersion(id: string, model: string): boolean {
  const [listed, asked] = [VERSION_NUMBER.exec(id)?.[1], VERSION_NUMBER.exec(model)?.[1]]
  return listed !== undefined && asked !== undefined && listed !== asked
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

/** Names of the list's prices; it prices searches and requests by the thousand. */
const KEYS: readonly (readonly [Part, string])[] = [
  ['input', 'input_mtok'],
  ['cache_read', 'cache_read_mtok'],
  ['cache_write_5m', 'cache_write_mtok'],
  ['cache_write_1h', 'cache_write_1h_mtok'],
  ['input_audio', 'input_audio_mtok'],
  ['input_image', 'input_image_mtok'],
  ['output', 'output_mtok'],
  ['reasoning', 'output_reasoning_mtok'],
  ['output_audio', 'output_audio_mtok'],
  ['output_image', 'output_image_mtok'],
  ['web_search', 'web_searches_kcount'],
  ['request', 'requests_kcount'],
]
const PLACES_OF_THOUSAND = 3

/** The prices of the list have tiers of their own each; a row has them of all. */
function toRow(prices: ModelPrice): PriceRow {
  const listed = KEYS.flatMap(([part, key]) => {
    const price = prices[key]
    return price === undefined ? [] : [{ part, key, price }]
  })
  const starts = listed.flatMap(({ price }) =>
    typeof price === 'number' ? [] : price.tiers.map(({ start }) => start),
  )
  const above = (start: number): Prices =>
    Object.fromEntries(
      listed.map(({ part, key, price }) => {
        if (typeof price === 'number') return [part, amount(price, key)]
        const tiers = price.tiers.filter((tier) => tier.start <= start)
        const top = tiers.toSorted((a, b) => a.start - b.start).at(-1)
        return [part, amount(top?.price ?? price.base, key)]
      }),
    )
  return {
    base: above(-1),
    context: [...new Set(starts)].map((start) => ({ above: start, prices: above(start) })),
  }
}

const PICO_PLACES = 12

/** An amount of the list in USD for a million tokens, or for one search or request, by its digits. */
function amount(value: number, key: string): Decimal {
  const usd = listedUsd(value)
  return key.endsWith('_kcount') ? decimal(usd.digits, usd.scale + PLACES_OF_THOUSAND) : usd
}

/** A number of the list as it was written; digits beyond a pico-USD are rounded half up. */
export function listedUsd(value: number): Decimal {
  const usd = parseDecimal(String(value))
  if (usd === undefined) throw new Error(`${value} is no price`)
  return rounded(usd, PICO_PLACES)
}
