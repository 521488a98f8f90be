import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Call, createCallPricer, type Price } from '../../services/enrich/price-call.ts'
import type { PricedModel } from '../../services/enrich/price-book.ts'
import { PARTS, type Usage } from '../../services/enrich/usage.ts'
import { call, partsOf, pricerOf, pricesOf, usage } from './calls.ts'

const SEED = 20_261_121
const listed = pricerOf()

describe('A step', () => {
  test.each<[string, Partial<Call>, Partial<Price>]>([
    [
      'that calls no model is not priced',
      { kind: 'tool' },
      { status: 'not_applicable', model: '', version: '' },
    ],
    ['of no kind is not priced', { kind: '' }, { status: 'not_applicable' }],
    ['that embeds is', { kind: 'embedding' }, { status: 'priced' }],
    ['that ranks is', { kind: 'rerank' }, { status: 'priced' }],
    ['that calls a model is', {}, { status: 'priced', costPicoUsd: 12_500_000_000n }],
    [
      'without counts tells no usage',
      { usage: usage() },
      { status: 'no_usage', model: 'openai/gpt-4o' },
    ],
    [
      'without tokens tells no usage',
      { usage: usage({ webSearches: 2 }) },
      { status: 'no_usage', costPicoUsd: null },
    ],
    [
      'with more cached tokens than tokens is not priced',
      { usage: usage({ input: 5, cacheRead: 6 }) },
      { status: 'invalid_usage', costPicoUsd: null, model: 'openai/gpt-4o' },
    ],
    [
      'that costs more than fits a long has counts that cannot be',
      { usage: usage({ input: Number.MAX_SAFE_INTEGER }) },
      { status: 'invalid_usage', costPicoUsd: null },
    ],
    [
      'whose counts ingest found impossible is not priced',
      { flags: ['cache_exceeds_input'] },
      { status: 'invalid_usage' },
    ],
    [
      'with reasoning beyond its output',
      { flags: ['reasoning_exceeds_output'] },
      { status: 'invalid_usage' },
    ],
    [
      'with a count that was none',
      { flags: ['other', 'invalid_count'] },
      { status: 'invalid_usage' },
    ],
    [
      'with a flag that is not about counts is priced',
      { flags: ['first_token_after_end'] },
      { status: 'priced' },
    ],
    [
      'with cached images is priced, and says so',
      { usage: usage({ input: 10, cacheRead: 8, inputImage: 6 }) },
      { status: 'priced', flags: ['overlapping_parts'] },
    ],
  ])('%s', (_, fields, expected) => {
    const noCost = { costPicoUsd: null, parts: [] }
    expect(listed(call(fields))).toMatchObject(
      expected.status === 'priced' ? expected : { ...noCost, ...expected },
    )
  })
})

test('A model is looked up once for the same terms', () => {
  const book = pricesOf('discounts: [{ tenant: acme, percent: 1 }]')
  const asked: PricedModel[] = []
  const price = createCallPricer({
    ...book,
    find(model) {
      asked.push(model)
      return book.find(model)
    },
  })
  const calls = [
    call({ tenant: 'a' }),
    call({ tenant: 'b' }),
    call({ tenant: 'acme' }),
    call({ tenant: 'a', serviceTier: 'batch' }),
    call({ tenant: 'a', responseModel: 'gpt-4o' }),
  ]
  for (const each of [...calls, ...calls]) price(each)
  expect(asked).toHaveLength(4)
})

/** A number as a fraction, by its digits. */
function fraction(text: string): { readonly n: bigint; readonly d: bigint } {
  const [whole = '', decimals = ''] = text.split('.')
  return { n: BigInt(whole + decimals), d: BigInt(`1${'0'.repeat(decimals.length)}`) }
}

/** Units times a price, times percentages, in pico-USD rounded half up: worked out on its own. */
function costOf(units: number, price: string, zeros: string, percents: readonly string[]): bigint {
  const shares = percents.map(fraction).map(({ n, d }) => ({ n, d: d * 100n }))
  const factors = [fraction(price), fraction(zeros), ...shares]
  const n = factors.reduce((product, factor) => product * factor.n, BigInt(units))
  const d = factors.reduce((product, factor) => product * factor.d, 1n)
  return (2n * n + d) / (2n * d)
}

const TOKEN_ZEROS = '1000000'
const FEE_ZEROS = '1000000000000'
const left = (percent: string): string => {
  const { n, d } = fraction(percent)
  const digits = String(100n * d - n).padStart(String(d).length + 2, '0')
  const places = String(d).length - 1
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`
}

const amount = fc
  .tuple(fc.nat(50), fc.nat(999_999_999), fc.integer({ min: 1, max: 9 }))
  .map(
    ([whole, decimals, places]) => `${whole}.${String(decimals).padStart(9, '0').slice(0, places)}`,
  )
const percent = fc
  .tuple(fc.nat(99), fc.nat(9_999))
  .map(([whole, decimals]) => `${whole}.${String(decimals).padStart(4, '0')}`)
const tokens = fc.nat(2_000_000)
const counts = fc.record({
  text: tokens,
  cacheRead: tokens,
  cacheWrite5m: tokens,
  cacheWrite1h: tokens,
  inputAudio: tokens,
  inputImage: tokens,
  plain: tokens,
  reasoning: tokens,
  outputAudio: tokens,
  outputImage: tokens,
  webSearches: fc.nat(50),
})
type Counts = typeof counts extends fc.Arbitrary<infer T> ? T : never

const usageOf = (c: Counts): Usage => ({
  ...c,
  input: c.text + c.cacheRead + c.cacheWrite5m + c.cacheWrite1h + c.inputAudio + c.inputImage,
  output: c.plain + c.reasoning + c.outputAudio + c.outputImage,
})
const unitsOf = (c: Counts): readonly number[] => [
  c.text,
  c.cacheRead,
  c.cacheWrite5m,
  c.cacheWrite1h,
  c.inputAudio,
  c.inputImage,
  c.plain,
  c.reasoning,
  c.outputAudio,
  c.outputImage,
  c.webSearches,
  1,
]

describe('Costs', () => {
  test('are those of an independent computation in fractions, part by part', () => {
    const prices = fc.tuple(...PARTS.map(() => amount))
    fc.assert(
      fc.property(counts, prices, percent, percent, (used, amounts, tier, discount) => {
        const listOf = PARTS.map((part, i) => `${part}: ${amounts[i]}`).join(', ')
        const price = pricerOf(`
models: [{ model: m, prices: { ${listOf} }, tiers: { batch: { percent: ${tier} } } }]
discounts: [{ percent: ${discount} }]`)
        const found = price(call({ requestModel: 'm', serviceTier: 'batch', usage: usageOf(used) }))
        const expected = PARTS.flatMap((part, i) => {
          const units = unitsOf(used)[i] ?? 0
          const isFee = part === 'web_search' || part === 'request'
          const percents = isFee ? [left(discount)] : [tier, left(discount)]
          const usd = amounts[i] ?? ''
          if (units === 0 || (part === 'request' && Number(usd) === 0)) return []
          return [[part, units, costOf(units, usd, isFee ? FEE_ZEROS : TOKEN_ZEROS, percents)]]
        })
        expect(partsOf(found).map(([part, units, , cost]) => [part, units, cost])).toEqual(expected)
        expect(found.parts.reduce((sum, part) => sum + part.cost_pico_usd, 0n)).toBe(
          found.costPicoUsd,
        )
      }),
      { seed: SEED, numRuns: 150 },
    )
  })

  const MODELS = [
    ['openai', 'gpt-4o'],
    ['openai', 'gpt-5.4'],
    ['openai', 'o3'],
    ['anthropic', 'claude-sonnet-4-5'],
    ['google', 'gemini-2.5-pro'],
    ['google', 'gemini-2.5-flash-image'],
    ['perplexity', 'sonar-pro'],
  ] as const
  const model = fc.constantFrom(...MODELS)
  const tier = fc.constantFrom('', 'batch', 'flex', 'priority')
  const startTimeMs = fc.date({
    min: new Date('2025-01-01'),
    max: new Date('2026-11-20'),
    noInvalidDate: true,
  })

  test('of list prices are the sum of their parts, and never negative', () => {
    let priced = 0
    fc.assert(
      fc.property(
        counts,
        model,
        tier,
        startTimeMs,
        (used, [provider, requestModel], name, time) => {
          const found = listed(
            call({
              provider,
              requestModel,
              serviceTier: name,
              startTimeMs: time.getTime(),
              usage: { ...usageOf(used), webSearches: null },
            }),
          )
          if (found.status !== 'priced') return
          priced++
          expect(found.parts.every((part) => part.cost_pico_usd >= 0n && part.units > 0n)).toBe(
            true,
          )
          expect(found.parts.reduce((sum, part) => sum + part.cost_pico_usd, 0n)).toBe(
            found.costPicoUsd,
          )
          // The prices of lists are whole pico-USD for a token: nothing was rounded.
          for (const [part, units, usd, cost] of partsOf(found)) {
            const { n, d } = fraction(usd)
            const zeros = part === 'request' ? BigInt(FEE_ZEROS) : BigInt(TOKEN_ZEROS)
            expect(BigInt(units) * n * zeros).toBe(cost * d)
          }
        },
      ),
      { seed: SEED, numRuns: 1_000 },
    )
    expect(priced).toBeGreaterThan(300)
  })

  test('of two calls are those of each, in whatever order', () => {
    const calls = fc.array(
      fc.record({ used: counts, model, tier, time: startTimeMs }).map((each) =>
        call({
          provider: each.model[0],
          requestModel: each.model[1],
          serviceTier: each.tier,
          startTimeMs: each.time.getTime(),
          usage: usageOf(each.used),
        }),
      ),
      { maxLength: 6 },
    )
    fc.assert(
      fc.property(calls, (some) => {
        const alone = some.map((each) => createCallPricer(pricesOf())(each))
        const backwards = some.toReversed().map((each) => listed(each))
        expect(backwards.toReversed()).toEqual(alone)
      }),
      { seed: SEED, numRuns: 25 },
    )
  })
})

describe('A part whose price is no whole pico-USD', () => {
  const price = pricerOf(
    'models: [{ model: m, prices: { input: 0.0000005, output: 0.0000004, reasoning: 0.00000049 } }]',
  )
  const cost = (fields: Partial<Usage>) =>
    price(call({ requestModel: 'm', usage: usage(fields) })).costPicoUsd

  test('is rounded half up, by itself', () => {
    expect(cost({ input: 1 })).toBe(1n)
    expect(cost({ output: 1 })).toBe(0n)
    expect(cost({ output: 2 })).toBe(1n)
    expect(cost({ input: 3, output: 3 })).toBe(2n + 1n)
    expect(cost({ output: 2, reasoning: 1 })).toBe(0n)
  })

  test('or above what a double holds is exact all the same', () => {
    const dear = pricerOf('models: [{ model: m, prices: { input: 123456.789012, output: 1 } }]')
    const used = usage({ input: 7_000_000, output: 7 })
    const found = dear(call({ requestModel: 'm', usage: used }))
    expect(found.costPicoUsd).toBe(7_000_000n * 123_456_789_012n + 7_000_000n)
    expect(partsOf(found).map(([, , , pico]) => pico)).toEqual([
      7_000_000n * 123_456_789_012n,
      7_000_000n,
    ])
  })

  test('that makes a call cost a million USD is the price of no call', () => {
    const dear = pricerOf('models: [{ model: m, prices: { input: 1000000 } }]')
    const found = (input: number) => dear(call({ requestModel: 'm', usage: usage({ input }) }))
    expect(found(999_999)).toMatchObject({ status: 'priced', costPicoUsd: 999_999n * 10n ** 12n })
    expect(found(1_000_000)).toMatchObject({ status: 'invalid_usage', costPicoUsd: null })
  })
})
