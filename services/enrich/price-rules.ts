import type { Decimal } from './decimal.ts'
import type { PriceRow, TierPrice } from './rates.ts'

/** Which calls a rule is for, and when: `*` in a pattern stands for any text. */
export interface Scope {
  /** Undefined: any. */
  readonly tenant: string | undefined
  readonly provider: string | undefined
  readonly model: string
  /** First and last times of calls, milliseconds since the epoch: inclusive, exclusive. */
  readonly fromMs: number
  readonly untilMs: number
  /** Where the rule stands in its file, such as models.0. */
  readonly place: string
}

/** Prices of a model: one's own, or those of a contract with a tenant. */
export interface OwnPrice extends Scope {
  readonly row: PriceRow
  /** By normalised name of the service tier. */
  readonly tiers: ReadonlyMap<string, TierPrice>
}

/** What a service tier costs in relation to the standard one. */
export interface TierRule extends Scope {
  readonly tier: string
  readonly price: TierPrice
}

/** Percent off every price. */
export interface Discount extends Scope {
  readonly percent: Decimal
}

/** Another name for a model. */
export interface Alias extends Scope {
  readonly targetProvider: string
  readonly targetModel: string
}

/** All rules of one file. */
export interface PriceRules {
  /** Name of the file and beginning of its hash, as spans carry it. */
  readonly version: string
  readonly models: readonly OwnPrice[]
  readonly tiers: readonly TierRule[]
  readonly discounts: readonly Discount[]
  readonly aliases: readonly Alias[]
}

/** A name under which a call's model may be found. */
export interface ModelName {
  /** As the price list names it. */
  readonly provider: string
  readonly model: string
}

/** Rules for a tenant and any of some names of a model, those for the earlier name and the most specific first. */
export function selectRules<Rule extends Scope>(
  rules: readonly Rule[],
  tenant: string,
  names: readonly ModelName[],
): readonly Rule[] {
  const ours = rules
    .filter((rule) => rule.tenant === undefined || matches(rule.tenant, tenant))
    .toReversed()
  if (ours.length === 0) return []
  const found = names.flatMap((name) =>
    ours.filter((rule) => isFor(rule, name)).toSorted(bySpecificity),
  )
  return [...new Set(found)]
}

function isFor(rule: Scope, { provider, model }: ModelName): boolean {
  return (
    (rule.provider === undefined || matches(rule.provider, provider)) &&
    matches(rule.model.toLowerCase(), model.toLowerCase())
  )
}

/** Whether a text is what a pattern says. */
export function matches(pattern: string, text: string): boolean {
  if (!pattern.includes('*')) return pattern === text
  const parts = pattern.split('*')
  const [first = ''] = parts
  const last = parts.at(-1) ?? ''
  if (!text.startsWith(first) || !text.endsWith(last)) return false
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= text.length - last.length
}

/**
 * A rule for a tenant before one for all; then the model that is named more exactly, then the provider;
 * then the later start, then what stands further down.
 */
function bySpecificity(a: Scope, b: Scope): number {
  return (
    exactness(b.tenant) - exactness(a.tenant) ||
    exactness(b.model) - exactness(a.model) ||
    exactness(b.provider) - exactness(a.provider) ||
    compareTimes(b.fromMs, a.fromMs)
  )
}

/** Both may be infinitely long ago, whose difference is no number. */
function compareTimes(a: number, b: number): number {
  return a === b ? 0 : a - b
}

const MAX_PATTERN = 1_000

/** No pattern, a glob by the letters that it fixes, a text without one. */
function exactness(pattern: string | undefined): number {
  if (pattern === undefined) return -1
  return pattern.includes('*') ? pattern.replaceAll('*', '').length : MAX_PATTERN
}
