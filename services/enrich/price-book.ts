import { isVersionOf } from './version-suffix.ts'
import type { FindModel } from './prices.ts'
import { isOtherRegion, placeOf, spellings } from './model-names.ts'
import { matches, type ModelName, type PriceRules, selectRules } from './price-rules.ts'
import { createQuotes, type Offer, type QuoteAt, unknownQuote } from './quotes.ts'
import { normalizeTier } from './service-tiers.ts'

/** Which model a call used and on what terms, as the span tells it. */
export interface PricedModel {
  readonly provider: string
  readonly requestModel: string
  readonly responseModel: string
  readonly serviceTier: string
  readonly tenant: string
}

/** Prices of all models, at all times, for all tenants. */
export interface PriceBook {
  /** Whether some tenants pay other prices than others. */
  readonly hasTenants: boolean
  /** Tenants of one class pay the same prices. */
  readonly tenantClass: (tenant: string) => string
  /** Gives a model's prices, to be asked for once and kept. */
  readonly find: (model: PricedModel) => QuoteAt
}

export interface PriceBookOptions {
  readonly findListedModel: FindModel
  /** Name and version of the list. */
  readonly listVersion: string
  /** The name that the list has for a provider. */
  readonly providerOf: (name: string) => string
  /** What service tiers of listed prices cost. */
  readonly listTiers: PriceRules
  /** Prices, tiers, discounts and aliases of one's own, before those of the list. */
  readonly own: PriceRules
}

/** A name of a call's model, and where it came from. */
interface Candidate extends ModelName {
  readonly isRequest: boolean
  readonly isApproximate: boolean
  readonly place: string
}

const MAX_KNOWN_TENANTS = 100_000

/** A price book: a tenant's contract before an own price, and that before the list. */
export function createPriceBook(options: PriceBookOptions): PriceBook {
  const { own, listVersion } = options
  const rules = [...own.models, ...own.tiers, ...own.discounts, ...own.aliases]
  const tenants = [
    ...new Set(rules.flatMap(({ tenant }) => (tenant === undefined ? [] : [tenant]))),
  ]
  const lists = [listVersion, ...(own.version === '' ? [] : [own.version])].join(' + ')
  return {
    hasTenants: tenants.length > 0,
    tenantClass: tenants.length === 0 ? () => '' : createTenantClasses(tenants),
    find(model) {
      const candidates = candidatesOf(options, model)
      const tier = normalizeTier(model.serviceTier)
      return createQuotes({
        unknown: unknownQuote(lists),
        own: ownOffers(options, model, candidates, tier),
        listed: listedOffer(options, model, candidates, tier),
        tier,
      })
    },
  }
}

/** A class is the set of patterns that a tenant matches. */
function createTenantClasses(patterns: readonly string[]): (tenant: string) => string {
  const known = new Map<string, string>()
  return (tenant) => {
    const found = known.get(tenant)
    if (found !== undefined) return found
    if (known.size >= MAX_KNOWN_TENANTS) known.clear()
    const matched = patterns.flatMap((pattern, i) => (matches(pattern, tenant) ? [i] : []))
    const name = matched.join()
    known.set(tenant, name)
    return name
  }
}

/** Names of the model that answered, then of the one that was asked for, each the nearest first. */
function candidatesOf(options: PriceBookOptions, model: PricedModel): readonly Candidate[] {
  return [
    ...namesOf(options, model, model.responseModel, false),
    ...namesOf(options, model, model.requestModel, true),
  ]
}

function namesOf(
  { providerOf, own }: PriceBookOptions,
  { provider, tenant }: PricedModel,
  model: string,
  isRequest: boolean,
): readonly Candidate[] {
  const named = { provider: providerOf(provider), model: model.trim() }
  const [alias] = selectRules(own.aliases, tenant, [named])
  const name =
    alias === undefined ? named : { provider: alias.targetProvider, model: alias.targetModel }
  const place = placeOf(name.model)
  return spellings(name.model).map((spelling) => ({
    ...spelling,
    provider: name.provider,
    isRequest,
    place,
  }))
}

/** Contracts with the tenant, then own prices. */
function ownOffers(
  { own, providerOf }: PriceBookOptions,
  model: PricedModel,
  candidates: readonly Candidate[],
  tier: string,
): readonly Offer[] {
  const exact = candidates.filter(({ isApproximate }) => !isApproximate)
  const contracts = own.models.filter(({ tenant }) => tenant !== undefined)
  const others = own.models.filter(({ tenant }) => tenant === undefined)
  return [contracts, others].flatMap((models) =>
    exact.flatMap((candidate) =>
      selectRules(models, model.tenant, [candidate]).map((price): Offer => {
        const tierPrice = price.tiers.get(tier)
        const always = { fromMs: price.fromMs, untilMs: price.untilMs }
        return {
          ...always,
          id: `${price.provider ?? providerOf(model.provider)}/${price.model}`,
          version: own.version,
          flags: candidate.isRequest ? requestFlag(model) : [],
          rowAt: () => price.row,
          tiers:
            tierPrice === undefined
              ? tierRules(own, model, [candidate], tier)
              : [{ ...always, price: tierPrice, version: own.version }],
          discounts: discounts(own, model, [candidate]),
        }
      }),
    ),
  )
}

function listedOffer(
  options: PriceBookOptions,
  model: PricedModel,
  candidates: readonly Candidate[],
  tier: string,
): Offer | undefined {
  const { findListedModel, listTiers, own } = options
  for (const candidate of candidates) {
    const listed = findListedModel(candidate.provider, candidate.model)
    if (listed === undefined) continue
    const names = [candidate, { provider: listed.provider, model: listed.model }]
    const region = isOtherRegion(candidate.place, listed.provider, listed.model)
    return {
      fromMs: Number.NEGATIVE_INFINITY,
      untilMs: Number.POSITIVE_INFINITY,
      id: `${listed.provider}/${listed.model}`,
      version: options.listVersion,
      flags: [
        ...(listed.isSibling || candidate.isApproximate ? ['sibling_model'] : []),
        ...(region ? ['other_region'] : []),
        ...(candidate.isRequest ? requestFlag(model) : []),
      ],
      rowAt: listed.rowAt,
      tiers: [
        ...tierRules(own, model, names, tier),
        ...tierRules(listTiers, model, names.slice(1), tier),
      ],
      discounts: discounts(own, model, names),
    }
  }
  return undefined
}

/** That another model answered than the one that the price is of. */
function requestFlag({ requestModel, responseModel }: PricedModel): readonly string[] {
  const answered = responseModel.trim()
  return answered === '' || isVersionOf(answered, requestModel.trim())
    ? []
    : ['price_of_request_model']
}

function tierRules(
  { tiers, version }: PriceRules,
  { tenant }: PricedModel,
  names: readonly ModelName[],
  tier: string,
) {
  if (tier === '') return []
  const ours = tiers.filter((rule) => rule.tier === tier)
  return selectRules(ours, tenant, names).map((rule) => ({ ...rule, version }))
}

function discounts(
  { discounts: all, version }: PriceRules,
  { tenant }: PricedModel,
  names: readonly ModelName[],
) {
  return selectRules(all, tenant, names).map((rule) => ({ ...rule, version }))
}
