import {
  type FindModel,
  type ListedModel,
  type ModelPrices,
  priceFor,
  type TieredPrice,
} from './prices.ts'

/**
 * Token counts of one call; null where the span does not tell. Sub-counts are part of their totals
 * (OpenTelemetry's GenAI conventions): `input` holds cache reads, cache writes and audio, `output`
 * reasoning and audio.
 */
export interface Usage {
  readonly input: number | null
  readonly output: number | null
  readonly cacheRead: number | null
  readonly cacheWrite5m: number | null
  readonly cacheWrite1h: number | null
  readonly reasoning: number | null
  readonly inputAudio: number | null
  readonly outputAudio: number | null
}

/** The cost of a call in pico-USD (10^-12 USD), or why there is none. Never 0 for an unknown price. */
export type Price =
  | { readonly status: 'priced'; readonly costPicoUsd: bigint; readonly model: string }
  | { readonly status: 'unpriced'; readonly model: '' }
  | { readonly status: 'no_usage' | 'invalid_usage'; readonly model: string }

/** Which model a call used, as the span names it. */
export interface PricedModel {
  readonly provider: string
  readonly requestModel: string
  readonly responseModel: string
}

/** Prices calls by the time at which they happened. */
export interface PriceBook {
  /** The model's prices, to be asked for once and kept; undefined where no price is known. */
  find(model: PricedModel): ListedModel | undefined
}

/** Names of providers by price list, see providers.yaml. */
export type ProviderNames = Readonly<Record<string, readonly string[]>>

/** A price book over a list. The model that answered is looked up before the one that was asked for. */
export function createPriceBook(findModel: FindModel, names: ProviderNames): PriceBook {
  const exact = new Map<string, string>()
  const prefixes: [string, string][] = []
  for (const [list, aliases] of Object.entries(names)) {
    for (const alias of aliases) {
      if (alias.endsWith('.*')) prefixes.push([alias.slice(0, -1), list])
      else exact.set(alias, list)
    }
  }
  const listOf = (provider: string): string => {
    const name = provider.trim().toLowerCase()
    return exact.get(name) ?? prefixes.find(([prefix]) => name.startsWith(prefix))?.[1] ?? name
  }
  return {
    find({ provider, requestModel, responseModel }) {
      const list = listOf(provider)
      for (const model of [...spellings(responseModel), ...spellings(requestModel)]) {
        const found = findModel(list, model)
        if (found !== undefined) return found
      }
      return undefined
    },
  }
}

/** A model's id as it is, then without what gateways put in front of it. */
export function spellings(model: string): readonly string[] {
  const plain = model.trim().replace(/^(publishers\/[^/]+\/)?models\//, '')
  if (plain === '') return []
  const slash = plain.indexOf('/')
  return slash < 0 ? [plain] : [plain, plain.slice(slash + 1)]
}

/** Prices one call that started at `timeMs` (milliseconds since the epoch). */
export function priceCall(listed: ListedModel | undefined, timeMs: number, usage: Usage): Price {
  if (listed === undefined) return { status: 'unpriced', model: '' }
  const model = listed.id
  if (usage.input === null && usage.output === null) return { status: 'no_usage', model }
  const parts = splitUsage(usage)
  if (parts === undefined) return { status: 'invalid_usage', model }
  const costPicoUsd = cost(listed.pricesAt(timeMs), usage.input ?? 0, parts)
  if (costPicoUsd !== undefined && costPicoUsd > MAX_LONG) return { status: 'invalid_usage', model }
  return costPicoUsd === undefined
    ? { status: 'unpriced', model: '' }
    : { status: 'priced', costPicoUsd, model }
}

type Parts = readonly (readonly [
  kind: Exclude<keyof ModelPrices, 'thousandRequests'>,
  tokens: number,
])[]

/** Disjoint counts from nested ones; undefined where a part is larger than its whole. */
function splitUsage(usage: Usage): Parts | undefined {
  const { cacheRead, cacheWrite5m, cacheWrite1h, inputAudio, outputAudio, reasoning } = usage
  const cached = (cacheRead ?? 0) + (cacheWrite5m ?? 0) + (cacheWrite1h ?? 0)
  const input = (usage.input ?? 0) - cached - (inputAudio ?? 0)
  const output = (usage.output ?? 0) - (outputAudio ?? 0) - (reasoning ?? 0)
  if (input < 0 || output < 0) return undefined
  return [
    ['input', input],
    ['output', output],
    ['cacheRead', cacheRead ?? 0],
    ['cacheWrite5m', cacheWrite5m ?? 0],
    ['cacheWrite1h', cacheWrite1h ?? 0],
    ['inputAudio', inputAudio ?? 0],
    ['outputAudio', outputAudio ?? 0],
    ['reasoning', reasoning ?? 0],
  ]
}

const MILLION = 1_000_000n
/** 9.2 million USD: a call that costs more has counts that cannot be. */
const MAX_LONG = 2n ** 63n - 1n
const HALF = MILLION / 2n

/** Sum of tokens times price per million, rounded half up once; undefined where a price is missing. */
function cost(prices: ModelPrices, inputTokens: number, parts: Parts): bigint | undefined {
  let millionths = prices.thousandRequests * 1_000n
  for (const [kind, tokens] of parts) {
    if (tokens === 0) continue
    const price: TieredPrice | undefined = prices[kind]
    if (price === undefined) return undefined
    millionths += BigInt(tokens) * priceFor(price, inputTokens)
  }
  return (millionths + HALF) / MILLION
}
