import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../services/enrich/config.ts'
import {
  createPriceBook,
  priceCall,
  spellings,
  type Usage,
} from '../../services/enrich/price-book.ts'
import {
  findListedModel,
  type ListedModel,
  type ModelPrices,
} from '../../services/enrich/prices.ts'

const NO_USAGE: Usage = {
  input: null,
  output: null,
  cacheRead: null,
  cacheWrite5m: null,
  cacheWrite1h: null,
  reasoning: null,
  inputAudio: null,
  outputAudio: null,
}
const NOW = Date.parse('2026-11-20T12:00:00Z')
const book = createPriceBook(findListedModel, parseConfig({}).providerNames)
const find = (provider: string, requestModel: string, responseModel = '') =>
  book.find({ provider, requestModel, responseModel })

function cost(provider: string, model: string, usage: Partial<Usage>, timeMs = NOW): unknown {
  const price = priceCall(find(provider, model), timeMs, { ...NO_USAGE, ...usage })
  return price.status === 'priced' ? price.costPicoUsd : price.status
}

describe('Costs worked out by hand', () => {
  test.each<[string, string, Partial<Usage>, string, bigint]>([
    // 2.50, 1.25 and 10 USD per million.
    ['openai', 'gpt-4o', { input: 1_000, output: 500 }, '', 2_500_000_000n + 5_000_000_000n],
    [
      'openai',
      'gpt-4o',
      { input: 1_000, cacheRead: 600, output: 1 },
      ', 600 of them from the cache',
      400n * 2_500_000n + 600n * 1_250_000n + 10_000_000n,
    ],
    // 3 and 15 USD per million up to 200,000 input tokens; beyond, 6 and 22.50 for all of them.
    [
      'anthropic',
      'claude-sonnet-4-5',
      { input: 200_000, output: 1_000 },
      '',
      200_000n * 3_000_000n + 1_000n * 15_000_000n,
    ],
    [
      'anthropic',
      'claude-sonnet-4-5',
      { input: 200_001, output: 1_000 },
      '',
      200_001n * 6_000_000n + 1_000n * 22_500_000n,
    ],
    // Cache reads 0.30, writes 3.75 for five minutes and 6 for an hour.
    [
      'anthropic',
      'claude-sonnet-4-5',
      { input: 10_000, cacheRead: 1_000, cacheWrite5m: 2_000, cacheWrite1h: 3_000 },
      ' with cache writes',
      4_000n * 3_000_000n + 1_000n * 300_000n + 2_000n * 3_750_000n + 3_000n * 6_000_000n,
    ],
    // 0.02 USD per million.
    ['openai', 'text-embedding-3-small', { input: 8 }, '', 160_000n],
  ])('%s %s of %o%s', (provider, model, usage, _, pico) => {
    expect(cost(provider, model, usage)).toBe(pico)
  })

  test.each([
    ['one second before', '2025-06-09T23:59:59Z', 10_000_000n + 40_000_000n],
    ['one millisecond before', '2025-06-09T23:59:59.999Z', 10_000_000n + 40_000_000n],
    ['from', '2025-06-10T00:00:00Z', 2_000_000n + 8_000_000n],
  ])('o3 costs what it cost %s 10 June 2025', (_, time, pico) => {
    expect(cost('openai', 'o3', { input: 1, output: 1 }, Date.parse(time))).toBe(pico)
  })
})

describe('A call is not priced', () => {
  test.each<[status: string, why: string, model: string, Partial<Usage>]>([
    ['unpriced', 'of a model that is not known', 'no-such-model', { input: 5, output: 5 }],
    ['unpriced', 'of no model', '', { input: 5, output: 5 }],
    [
      'unpriced',
      'of a model that is not known and took nothing',
      'no-such-model',
      { input: 0, output: 0 },
    ],
    ['no_usage', 'without counts', 'gpt-4o', {}],
    ['invalid_usage', 'with more cache reads than input', 'gpt-4o', { input: 5, cacheRead: 6 }],
    [
      'invalid_usage',
      'with more cache reads and writes than input',
      'gpt-4o',
      { input: 5, cacheRead: 3, cacheWrite5m: 2, cacheWrite1h: 1 },
    ],
    ['invalid_usage', 'with more audio than input', 'gpt-4o', { input: 5, inputAudio: 6 }],
    [
      'invalid_usage',
      'with more reasoning than output',
      'gpt-4o',
      { input: 1, output: 5, reasoning: 6 },
    ],
    ['invalid_usage', 'with cache reads but no input', 'gpt-4o', { output: 5, cacheRead: 1 }],
  ])('(%s) %s', (status, _, model, usage) => {
    expect(cost('openai', model, usage)).toBe(status)
  })

  test('in parts: where one kind of token has no price, the whole has none', () => {
    expect(cost('openai', 'text-embedding-3-small', { input: 8, output: 1 })).toBe('unpriced')
    expect(cost('openai', 'text-embedding-3-small', { input: 8, output: 0 })).toBe(160_000n)
  })

  test('where its cost would not fit a long: no count is as large as that', () => {
    const price = cost('openai', 'gpt-4o', { input: Number.MAX_SAFE_INTEGER, output: 1 })
    expect(price).toBe('invalid_usage')
  })
})

test('A call that took nothing costs nothing', () => {
  expect(cost('openai', 'gpt-4o', { input: 0, output: 0 })).toBe(0n)
  expect(cost('openai', 'gpt-4o', { input: 0 })).toBe(0n)
})

describe('A model is found', () => {
  test.each([
    ['openai', 'gpt-4o', 'openai/gpt-4o'],
    ['OpenAI', 'gpt-4o', 'openai/gpt-4o'],
    [' openai ', ' gpt-4o ', 'openai/gpt-4o'],
    ['openai.chat', 'gpt-4o', 'openai/gpt-4o'],
    ['', 'gpt-4o', 'openai/gpt-4o'],
    ['openai', 'openai/gpt-4o', 'openai/gpt-4o'],
    ['az.ai.openai', 'gpt-4o', 'azure/gpt-4o'],
    ['azure_openai', 'gpt-4o', 'azure/gpt-4o'],
    ['anthropic', 'anthropic/claude-sonnet-4-5', 'anthropic/claude-sonnet-4-5'],
    ['gcp.gemini', 'gemini-2.5-pro', 'google/gemini-2.5-pro'],
    ['gcp.vertex_ai', 'gemini-2.5-pro', 'google/gemini-2.5-pro'],
    ['vertex_ai', 'publishers/google/models/gemini-2.5-pro', 'google/gemini-2.5-pro'],
    ['google', 'models/gemini-2.5-pro', 'google/gemini-2.5-pro'],
    ['x_ai', 'grok-3', 'x-ai/grok-3'],
    ['xai', 'grok-3', 'x-ai/grok-3'],
    ['mistral_ai', 'mistral-large-latest', 'mistral/mistral-large'],
  ])('by the provider "%s" and the name "%s" as %s', (provider, model, id) => {
    expect(find(provider, model)?.id).toBe(id)
  })

  test('by the one that answered, else by the one that was asked for', () => {
    expect(find('openai', 'gpt-4o', 'gpt-4o-mini')?.id).toBe('openai/gpt-4o-mini')
    expect(find('openai', 'gpt-4o', 'deployment-7')?.id).toBe('openai/gpt-4o')
    expect(find('openai', '', 'gpt-4o')?.id).toBe('openai/gpt-4o')
  })

  test.each([
    ['no-such-provider', 'gpt-4o'],
    ['openai', 'claude-sonnet-4-5'],
    ['openai', '/'],
  ])('not by the provider "%s" and the name "%s"', (provider, model) => {
    expect(find(provider, model)).toBeUndefined()
  })
})

test.each([
  ['gpt-4o', ['gpt-4o']],
  ['openai/gpt-4o', ['openai/gpt-4o', 'gpt-4o']],
  ['models/gemini-2.5-pro', ['gemini-2.5-pro']],
  ['publishers/google/models/gemini-2.5-pro', ['gemini-2.5-pro']],
  ['meta/llama/3', ['meta/llama/3', 'llama/3']],
  ['  ', []],
])('The model "%s" is looked up as %o', (model, names) => {
  expect(spellings(model)).toEqual(names)
})

const price = (base: bigint) => ({ base, tiers: [] })

const n = (tokens: number, microUsd: bigint) => BigInt(tokens) * microUsd * 1_000_000n

describe('Costs add up', () => {
  const prices: ModelPrices = {
    input: price(2_500_000_000_000n),
    output: price(10_000_000_000_000n),
    cacheRead: price(1_250_000_000_000n),
    cacheWrite5m: price(3_000_000_000_000n),
    cacheWrite1h: price(6_000_000_000_000n),
    inputAudio: price(40_000_000_000_000n),
    outputAudio: price(80_000_000_000_000n),
    reasoning: price(333_333n),
    thousandRequests: 0n,
  }
  const listed = (more: Partial<ModelPrices>): ListedModel => ({
    id: 'test/model',
    pricesAt: () => ({ ...prices, ...more }),
  })
  const pico = (usage: Partial<Usage>, more: Partial<ModelPrices> = {}) => {
    const found = priceCall(listed(more), NOW, { ...NO_USAGE, ...usage })
    return found.status === 'priced' ? found.costPicoUsd : -1n
  }

  test('to the last pico-USD, rounded half up once', () => {
    expect(pico({ output: 1, reasoning: 1 })).toBe(0n)
    expect(pico({ output: 3, reasoning: 3 })).toBe(1n)
    expect(pico({ input: 1 }, { input: price(499_999n) })).toBe(0n)
    expect(pico({ input: 1 }, { input: price(500_000n) })).toBe(1n)
  })

  test('with the price of the call itself', () => {
    expect(pico({ input: 1 }, { thousandRequests: 5_000_000_000n })).toBe(2_500_000n + 5_000_000n)
  })

  test('from the parts of a call', () => {
    const count = fc.nat(1_000_000)
    fc.assert(
      fc.property(count, count, count, count, count, count, count, (a, b, c, d, e, f, g) => {
        const usage = {
          input: a + b + c + d + e,
          cacheRead: b,
          cacheWrite5m: c,
          cacheWrite1h: d,
          inputAudio: e,
          output: f + g,
          outputAudio: g,
        }
        const hundredths = [
          n(a, 250n),
          n(b, 125n),
          n(c, 300n),
          n(d, 600n),
          n(e, 4_000n),
          n(f, 1_000n),
          n(g, 8_000n),
        ]
        expect(pico(usage) * 100n).toBe(hundredths.reduce((sum, part) => sum + part, 0n))
      }),
      { seed: 20_260_102 },
    )
  })
})
