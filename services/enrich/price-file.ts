import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { z } from 'zod'
import { parseTime } from '#runtime/iso-time.ts'
import { misshapen, readYamlTexts } from '#runtime/yaml.ts'
import { type Decimal, parseDecimal } from './decimal.ts'
import type { PriceRules, Scope } from './price-rules.ts'
import type { PriceRow, TierPrice } from './rates.ts'
import { normalizeTier } from './service-tiers.ts'
import { PARTS } from './usage.ts'

/** Rules of each kind that a file may hold. */
const MAX_RULES = 20_000
const MAX_PATTERN = 300
const MAX_TIER_PERCENT = 10_000n
/** A billion USD for a million tokens. */
const MAX_AMOUNT = 10n ** 9n

/** Numbers are read as the text that they are written in: a float would lose digits. */
const number = (what: string, max: bigint) =>
  z.string(`must be ${what}`).transform((text, context): Decimal => {
    const value = parseDecimal(text)
    if (value !== undefined && value.digits <= max * 10n ** BigInt(value.scale)) return value
    context.addIssue({ code: 'custom', message: `"${text}" is not ${what} (0 to ${max})` })
    return z.NEVER
  })
const amount = number('an amount in USD', MAX_AMOUNT)
const tokens = z
  .string()
  .regex(/^\d{1,12}$/, 'must be a whole number of tokens')
  .transform(Number)
const time = z.string().transform((text, context) => {
  const timeMs = parseTime(text)
  if (timeMs !== undefined) return timeMs
  const message = `"${text}" is not a time such as 2026-11-01 or 2026-11-01T08:30:00Z`
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})
const pattern = z.string().trim().min(1, 'must not be empty').max(MAX_PATTERN)
const patterns = z.union([pattern.transform((one) => [one]), z.array(pattern).min(1)])
const list = <Item extends z.ZodType>(item: Item) => z.array(item).max(MAX_RULES).default([])

const prices = z.partialRecord(z.enum(PARTS), amount)
const percents = z.partialRecord(z.enum(PARTS), number('a percentage', MAX_TIER_PERCENT))
const context = z
  .array(z.strictObject({ above: tokens, prices }))
  .max(20)
  .default([])
const callers = { tenant: pattern.optional(), provider: pattern.optional() }
const scope = { ...callers, from: time.optional(), until: time.optional() }
const tier = {
  percent: number('a percentage', MAX_TIER_PERCENT).optional(),
  percents: percents.default({}),
  prices: prices.optional(),
  context,
  max_input: tokens.optional(),
}
const tierName = pattern.refine(
  (name) => normalizeTier(name) !== '',
  'is the standard tier, whose price is that of the model',
)
const tierPrice = z.strictObject(tier).refine(isWholeTier, 'needs either percent or prices')

const priceFile = z.strictObject({
  models: list(
    z.strictObject({
      ...scope,
      model: patterns,
      prices,
      context,
      tiers: z.record(tierName, tierPrice).default({}),
    }),
  ),
  aliases: list(
    z.strictObject({
      ...callers,
      model: patterns,
      is: z.string().regex(/^[^/]+\/.+$/, 'must be <provider>/<model>'),
    }),
  ),
  tiers: list(
    z
      .strictObject({ ...scope, ...tier, model: patterns.default(['*']), tier: tierName })
      .refine(isWholeTier, 'needs either percent or prices'),
  ),
  discounts: list(
    z.strictObject({
      ...scope,
      model: patterns.default(['*']),
      percent: number('a percentage', 100n),
    }),
  ),
})

function isWholeTier(given: { percent?: unknown; prices?: unknown }): boolean {
  return (given.percent === undefined) !== (given.prices === undefined)
}

/**
 * Reads a file of prices, see docs/prices.md. `providerOf` gives a provider the name that the price
 * list has for it. Throws an Error that names the file and the places where it is wrong.
 */
export function parsePriceFile(
  text: string,
  file: string,
  providerOf: (name: string) => string,
): PriceRules {
  const document = readYamlTexts(text, file)
  const result = priceFile.safeParse(document.value ?? {})
  if (!result.success) {
    const places = misshapen(result.error).map(
      ({ path, message }) => `  ${document.describe(path)}: ${message}`,
    )
    throw new Error(`${file} does not hold prices:\n${places.join('\n')}`)
  }
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8)
  const rules = toRules(result.data, providerOf, `${basename(file)}@${hash}`)
  for (const kind of [rules.models, rules.tiers, rules.discounts, rules.aliases]) {
    refuseEqual(kind, file)
  }
  return rules
}

type PriceFileData = z.output<typeof priceFile>

function toRules(
  data: PriceFileData,
  providerOf: (name: string) => string,
  version: string,
): PriceRules {
  const scoped = (kind: string) => toScopes(kind, providerOf)
  return {
    version,
    models: data.models.flatMap((model, i) => {
      const tiers = Object.entries(model.tiers).map(
        ([name, price]) => [normalizeTier(name), toTierPrice(price)] as const,
      )
      const row: PriceRow = { base: model.prices, context: model.context }
      return scoped('models')(model, i).map((rule) => ({ ...rule, row, tiers: new Map(tiers) }))
    }),
    aliases: data.aliases.flatMap((alias, i) => {
      const slash = alias.is.indexOf('/')
      const target = {
        targetProvider: providerOf(alias.is.slice(0, slash)),
        targetModel: alias.is.slice(slash + 1),
      }
      return scoped('aliases')(alias, i).map((rule) => ({ ...rule, ...target }))
    }),
    tiers: data.tiers.flatMap((given, i) => {
      const price = toTierPrice(given)
      return scoped('tiers')(given, i).map((rule) => ({
        ...rule,
        tier: normalizeTier(given.tier),
        price,
      }))
    }),
    discounts: data.discounts.flatMap((discount, i) =>
      scoped('discounts')(discount, i).map((rule) => ({ ...rule, percent: discount.percent })),
    ),
  }
}

interface GivenScope {
  readonly tenant?: string | undefined
  readonly provider?: string | undefined
  readonly model: readonly string[]
  readonly from?: number | undefined
  readonly until?: number | undefined
}

/** A rule for several models is one for each. */
function toScopes(kind: string, providerOf: (name: string) => string) {
  return (given: GivenScope, index: number): readonly Scope[] =>
    given.model.map((model) => ({
      tenant: given.tenant,
      provider:
        given.provider === undefined || given.provider.includes('*')
          ? given.provider
          : providerOf(given.provider),
      model,
      fromMs: given.from ?? Number.NEGATIVE_INFINITY,
      untilMs: given.until ?? Number.POSITIVE_INFINITY,
      place: `${kind}.${index}`,
    }))
}

function toTierPrice(given: z.output<typeof tierPrice>): TierPrice {
  return {
    percent: given.percent,
    percents: given.percents,
    row: given.prices === undefined ? undefined : { base: given.prices, context: given.context },
    maxInput: given.max_input,
  }
}

/** Two rules for the same calls from the same time on: nobody could tell which of them holds. */
function refuseEqual(rules: readonly (Scope & { tier?: string })[], file: string): void {
  const seen = new Map<string, string>()
  for (const rule of rules) {
    if (rule.fromMs >= rule.untilMs) {
      throw new Error(`${file} does not hold prices:\n  ${rule.place}: until must be after from`)
    }
    const { tier: name = '', tenant, provider, model, fromMs } = rule
    const key = JSON.stringify([name, tenant, provider, model.toLowerCase(), fromMs])
    const other = seen.get(key)
    if (other !== undefined) {
      throw new Error(
        `${file} does not hold prices:\n  ${rule.place}: is for the same calls as ${other}, from the same time on`,
      )
    }
    seen.set(key, rule.place)
  }
}

/** No rules: what an override file that is not there holds. */
export const NO_RULES: PriceRules = {
  version: '',
  models: [],
  tiers: [],
  discounts: [],
  aliases: [],
}
