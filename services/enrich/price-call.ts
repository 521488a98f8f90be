import { MODEL_CALL_KINDS } from '#schemas/topics.ts'
import type { CostPart } from './cost-parts.ts'
import { CostSheet, type Verdict } from './cost-sheet.ts'
import type { PriceBook } from './price-book.ts'
import type { Quote, QuoteAt } from './quotes.ts'
import type { Usage } from './usage.ts'

/** One step of an application, as its span tells it. */
export interface Call {
  readonly kind: string
  readonly tenant: string
  readonly provider: string
  readonly requestModel: string
  readonly responseModel: string
  readonly serviceTier: string
  readonly startTimeMs: number
  readonly usage: Usage
  /** What cannot be true of the span, see span.avsc. */
  readonly flags: readonly string[]
}

/** The cost of a call in pico-USD (10^-12 USD), or why there is none. Never 0 for an unknown price. */
export interface Price {
  readonly status:
    | 'priced'
    | 'unpriced'
    | 'no_usage'
    | 'invalid_usage'
    | 'nested'
    | 'not_applicable'
  readonly costPicoUsd: bigint | null
  /** Provider and model of the price row that was found, such as openai/gpt-4o. */
  readonly model: string
  readonly version: string
  readonly flags: readonly string[]
  /** What the cost is made of; the costs of the parts sum to it. */
  readonly parts: readonly CostPart[]
}

const NOTHING = { costPicoUsd: null, model: '', version: '', flags: [], parts: [] } as const
/** The price of a step that calls no model. */
export const NOT_APPLICABLE: Price = { status: 'not_applicable', ...NOTHING }
/** The price of a call that is counted in a span below it, see nested-calls.ts. */
export const NESTED: Price = { status: 'nested', ...NOTHING }

/** Flags of ingest that say that counts cannot be. */
const IMPOSSIBLE = /^invalid_count$|_exceeds_(?:in|out)put$/
const MAX_KNOWN_MODELS = 10_000

/** Makes a function that prices calls. Models are looked up once and kept. */
export function createCallPricer(book: PriceBook): (call: Call) => Price {
  const known = new Map<string, QuoteAt>()
  const sheet = new CostSheet()
  return (call) => {
    if (!MODEL_CALL_KINDS.includes(call.kind)) return NOT_APPLICABLE
    const { provider, requestModel, responseModel, serviceTier, tenant } = call
    const tenantClass = book.tenantClass(tenant)
    const key = [provider, requestModel, responseModel, serviceTier, tenantClass].join('\0')
    let quoteAt = known.get(key)
    if (quoteAt === undefined) {
      if (known.size >= MAX_KNOWN_MODELS) known.clear()
      quoteAt = book.find(call)
      known.set(key, quoteAt)
    }
    const quote = quoteAt(call.startTimeMs)
    const result = settle(quote, call.usage, call.flags.some(isImpossible), sheet)
    return toPrice(quote, result, sheet)
  }
}

/** Whether a flag of a span says that its counts cannot be. */
export function isImpossible(flag: string): boolean {
  return IMPOSSIBLE.test(flag)
}

/** What became of a call, and what is to be known about it beside the quote's flags. */
export interface Settlement {
  readonly status: 'priced' | 'unpriced' | 'no_usage' | 'invalid_usage'
  readonly flag: string
}

const UNKNOWN_MODEL: Settlement = { status: 'unpriced', flag: '' }
const INVALID: Settlement = { status: 'invalid_usage', flag: '' }
const NO_USAGE: Settlement = { status: 'no_usage', flag: '' }
const NO_TIER: Settlement = { status: 'unpriced', flag: '' }
const PRICED: Settlement = { status: 'priced', flag: '' }
const OVERLAPPING: Settlement = { status: 'priced', flag: 'overlapping_parts' }
const SETTLEMENTS: Readonly<Record<Verdict, Settlement>> = {
  priced: PRICED,
  no_usage: NO_USAGE,
  invalid_usage: INVALID,
  too_long: { status: 'unpriced', flag: 'tier_unpriced' },
  unit_unpriced: { status: 'unpriced', flag: 'unit_unpriced' },
}
const NO_RATES = { base: [], context: [], maxInput: Number.POSITIVE_INFINITY }

/** Works out what a call costs by a quote; the sheet holds the parts where it is priced. */
export function settle(
  quote: Quote,
  usage: Usage,
  isMarkedImpossible: boolean,
  sheet: CostSheet,
): Settlement {
  if (quote.model === '') return UNKNOWN_MODEL
  const verdict = sheet.price(quote.rates ?? NO_RATES, usage)
  if (verdict === 'no_usage') return NO_USAGE
  if (isMarkedImpossible || verdict === 'invalid_usage') return INVALID
  if (quote.rates === undefined) return NO_TIER
  return verdict === 'priced' && sheet.overlaps ? OVERLAPPING : SETTLEMENTS[verdict]
}

/** All flags of a price. A price that was not asked for has none. */
export function flagsOf(quote: Quote, { status, flag }: Settlement): readonly string[] {
  if (status === 'no_usage' || status === 'invalid_usage') return []
  return flag === '' ? quote.flags : [...quote.flags, flag]
}

function toPrice(quote: Quote, result: Settlement, sheet: CostSheet): Price {
  const { model, version } = quote
  const flags = flagsOf(quote, result)
  const { status } = result
  if (status !== 'priced') return { status, costPicoUsd: null, model, version, flags, parts: [] }
  const { exact } = sheet
  const costs = exact?.costs ?? sheet.costs.slice(0, sheet.count).map(BigInt)
  return {
    status,
    costPicoUsd: exact?.total ?? BigInt(sheet.total),
    model,
    version,
    flags,
    parts: costs.map((cost, i) => ({
      part: sheet.rates[i]?.part ?? '',
      units: BigInt(sheet.partUnits[i] ?? 0),
      unit_price: sheet.rates[i]?.price ?? '',
      cost_pico_usd: cost,
    })),
  }
}
