import { describe, expect, test } from 'vitest'
import type { Call, Price } from '../../services/enrich/price-call.ts'
import type { Usage } from '../../services/enrich/usage.ts'
import { call, partsOf, pricerOf, pricesOf, usage } from './calls.ts'

const LIST = 'genai-prices@0.1.8'
const OWN = expect.stringMatching(/^prices\.yaml@[0-9a-f]{8}$/)
const LIST_AND_OWN = expect.stringMatching(/^genai-prices@0\.1\.8 \+ prices\.yaml@[0-9a-f]{8}$/)
const LIST_AND_TIERS = expect.stringMatching(/^genai-prices@0\.1\.8 \+ tiers\.yaml@[0-9a-f]{8}$/)

const listed = pricerOf()
const of = (provider: string, requestModel: string, fields: Partial<Usage>, more = {}) =>
  listed(call({ provider, requestModel, usage: usage(fields), ...more }))
const costOf = (price: Price) => price.costPicoUsd ?? price.status
const micro = (tokens: number, usd: string) =>
  BigInt(tokens) * BigInt(Math.round(Number(usd) * 1_000_000))

describe('List prices by hand', () => {
  test('of a call that was cached for the most part (130213 = 5 + 128955 + 1253)', () => {
    const price = of('anthropic', 'claude-sonnet-4-20250514', {
      input: 130_213,
      cacheRead: 128_955,
      cacheWrite5m: 1_253,
      output: 500,
    })
    expect(partsOf(price)).toEqual([
      ['input', 5, '3', 15_000_000n],
      ['cache_read', 128_955, '0.3', 38_686_500_000n],
      ['cache_write_5m', 1_253, '3.75', 4_698_750_000n],
      ['output', 500, '15', 7_500_000_000n],
    ])
    expect(price.costPicoUsd).toBe(50_900_250_000n)
  })

  test.each([
    ['anthropic', 'claude-sonnet-4-5', 199_999, '3', '15'],
    ['anthropic', 'claude-sonnet-4-5', 200_000, '3', '15'],
    ['anthropic', 'claude-sonnet-4-5', 200_001, '6', '22.5'],
    ['google', 'gemini-2.5-pro', 199_999, '1.25', '10'],
    ['google', 'gemini-2.5-pro', 200_000, '1.25', '10'],
    ['google', 'gemini-2.5-pro', 200_001, '2.5', '15'],
    ['openai', 'gpt-5.4', 271_998, '2.5', '15'],
    ['openai', 'gpt-5.4', 271_999, '2.5', '15'],
    ['openai', 'gpt-5.4', 272_000, '5', '22.5'],
  ])('%s %s of %d tokens: %s and %s for all of them', (provider, model, input, inUsd, outUsd) => {
    const price = of(provider, model, { input, output: 10 })
    expect(partsOf(price)).toEqual([
      ['input', input, inUsd, micro(input, inUsd)],
      ['output', 10, outUsd, micro(10, outUsd)],
    ])
    // Where the tokens came from moves no threshold.
    const cached = of(provider, model, { input, cacheRead: input - 1, output: 10 })
    expect(partsOf(cached).at(-1)).toEqual(['output', 10, outUsd, micro(10, outUsd)])
  })

  test('of cache writes for five minutes and for an hour', () => {
    const fields = { input: 10_000, cacheWrite5m: 2_000, cacheWrite1h: 3_000, output: 0 }
    expect(partsOf(of('anthropic', 'claude-sonnet-4-5', fields))).toEqual([
      ['input', 5_000, '3', 15_000_000_000n],
      ['cache_write_5m', 2_000, '3.75', 7_500_000_000n],
      ['cache_write_1h', 3_000, '6', 18_000_000_000n],
    ])
  })

  test.each([
    ['2025-06-09T23:59:59.000Z', '10', '40'],
    ['2025-06-09T23:59:59.999Z', '10', '40'],
    ['2025-06-10T00:00:00.000Z', '2', '8'],
    ['2025-06-10T00:00:00.001Z', '2', '8'],
  ])('of o3 at %s: %s and %s', (time, inUsd, outUsd) => {
    const price = of('openai', 'o3', { input: 1, output: 1 }, { startTimeMs: Date.parse(time) })
    expect(partsOf(price).map(([, , usd]) => usd)).toEqual([inUsd, outUsd])
  })

  test('of web searches, and of the call itself', () => {
    const searched = of('openai', 'gpt-4o', { input: 1, output: 0, webSearches: 3 })
    expect(partsOf(searched)).toEqual([
      ['input', 1, '2.5', 2_500_000n],
      ['web_search', 3, '0.01', 30_000_000_000n],
    ])
    const asked = of('perplexity', 'sonar', { input: 1_000, output: 1_000 })
    expect(partsOf(asked).at(-1)).toEqual(['request', 1, '0.012', 12_000_000_000n])
  })

  test('of audio in and out', () => {
    const price = of('openai', 'gpt-4o-audio-preview', {
      input: 10,
      inputAudio: 4,
      output: 10,
      outputAudio: 5,
      reasoning: 2,
    })
    expect(partsOf(price).map(([part, units]) => [part, units])).toEqual([
      ['input', 6],
      ['input_audio', 4],
      ['output', 3],
      ['reasoning', 2],
      ['output_audio', 5],
    ])
  })
})

describe('A model without a price', () => {
  test.each<[string, Partial<Call>, Partial<Price>]>([
    ['is unpriced', { requestModel: 'house' }, { status: 'unpriced', model: '', flags: [] }],
    ['has no name', { requestModel: '' }, { status: 'unpriced', model: '' }],
    [
      'has it for its input alone',
      { requestModel: 'text-embedding-3-small' },
      {
        status: 'unpriced',
        model: 'openai/text-embedding-3-small',
        flags: ['unit_unpriced'],
      },
    ],
    [
      'has none for web searches',
      {
        provider: 'groq',
        requestModel: 'qwen/qwen3-32b',
        usage: usage({ input: 1, webSearches: 1 }),
      },
      { status: 'unpriced', flags: ['unit_unpriced'] },
    ],
  ])('%s', (_, fields, expected) => {
    expect(listed(call(fields))).toMatchObject({ costPicoUsd: null, parts: [], ...expected })
  })

  test('tells the lists that were looked through', () => {
    const house = call({ requestModel: 'house' })
    expect(listed(house).version).toBe(LIST)
    expect(pricerOf('models: []')(house).version).toEqual(LIST_AND_OWN)
  })
})

describe('A model is found', () => {
  test.each([
    ['openai', 'gpt-4o', 'openai/gpt-4o'],
    ['OpenAI', 'gpt-4o', 'openai/gpt-4o'],
    [' openai ', ' gpt-4o ', 'openai/gpt-4o'],
    ['openai.chat', 'gpt-4o', 'openai/gpt-4o'],
    ['', 'gpt-4o', 'openai/gpt-4o'],
    ['openai', 'openai/gpt-4o', 'openai/gpt-4o'],
    ['azure.ai.openai', 'gpt-4o', 'azure/gpt-4o'],
    ['azure.ai.inference', 'phi-4', 'azure/phi-4'],
    ['az.ai.openai', 'gpt-4o', 'azure/gpt-4o'],
    ['azure_openai', 'gpt-4o', 'azure/gpt-4o'],
    ['anthropic', 'anthropic/claude-sonnet-4-5', 'anthropic/claude-sonnet-4-5'],
    ['gcp.gemini', 'gemini-2.5-pro', 'google/gemini-2.5-pro'],
    ['gcp.vertex_ai', 'gemini-2.5-pro', 'google/gemini-2.5-pro'],
    ['gcp.gen_ai', 'gemini-2.5-pro', 'google/gemini-2.5-pro'],
    ['vertex_ai', 'publishers/google/models/gemini-2.5-pro', 'google/gemini-2.5-pro'],
    ['google', 'models/gemini-2.5-pro', 'google/gemini-2.5-pro'],
    ['x_ai', 'grok-3', 'x-ai/grok-3'],
    ['xai', 'grok-3', 'x-ai/grok-3'],
    ['moonshot_ai', 'kimi-k2', 'moonshotai/kimi-k2'],
    ['mistral_ai', 'mistral-large-latest', 'mistral/mistral-large'],
    [
      'aws.bedrock',
      'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0',
      'aws/regional.anthropic.claude-sonnet-4-20250514-v1:0',
    ],
    ['aws.bedrock', 'ca.anthropic.claude-opus-5', 'aws/regional.anthropic.claude-opus-5'],
    ['aws.bedrock', 'us.meta.llama3-3-70b-instruct-v1:0', 'aws/meta.llama3-3-70b-instruct-v1:0'],
  ])('by the provider "%s" and the name "%s" as %s, without a flag', (provider, model, id) => {
    expect(of(provider, model, { input: 1 })).toMatchObject({ model: id, flags: [] })
  })

  test.each([
    ['no-such-provider', 'gpt-4o'],
    ['openai', 'claude-sonnet-4-5'],
    ['openai', '/'],
  ])('not by the provider "%s" and the name "%s"', (provider, model) => {
    expect(of(provider, model, { input: 1 }).status).toBe('unpriced')
  })

  test.each([
    ['anthropic', 'claude-sonnet-5-5', 'anthropic/claude-sonnet-5', ['sibling_model']],
    ['azure', 'o4-mini-deep-research', 'azure/o4-mini', ['sibling_model']],
    [
      'aws.bedrock',
      'amazon.titan-embed-text-v2:0',
      'aws/amazon.titan-embed-text-v1',
      ['sibling_model'],
    ],
    ['openai', 'ft:gpt-4.1-2025-04-14:org::id', 'openai/gpt-4.1', ['sibling_model']],
    ['openai', 'ft:gpt-4o-2024-08-06:org::id', 'openai/ft:gpt-4o', []],
    [
      'aws.bedrock',
      'us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0',
      'aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0',
      ['other_region'],
    ],
    ['aws.bedrock', 'eu.amazon.nova-pro-v1:0', 'aws/amazon.nova-pro-v1:0', ['other_region']],
    ['azure', 'azure/eu/gpt-4o', 'azure/gpt-4o', ['other_region']],
  ])('but what %s %s costs is that of %s: %o', (provider, model, id, flags) => {
    const price = of(provider, model, { input: 1_000 })
    expect(price).toMatchObject({ status: 'priced', model: id, flags })
  })

  test.each([
    ['gpt-4o', 'gpt-4o-mini', 'openai/gpt-4o-mini', []],
    ['gpt-4o', 'deployment-7', 'openai/gpt-4o', ['price_of_request_model']],
    ['gpt-4o', '', 'openai/gpt-4o', []],
    ['', 'gpt-4o', 'openai/gpt-4o', []],
  ])('asked for %s, answered by %s: %s, %o', (requestModel, responseModel, model, flags) => {
    expect(listed(call({ requestModel, responseModel }))).toMatchObject({ model, flags })
  })
})

const tier = (provider: string, requestModel: string, serviceTier: string) =>
  listed(call({ provider, requestModel, serviceTier, usage: usage({ input: 100, output: 10 }) }))
const tierAt = (model: string, name: string, input: number) =>
  of('openai', model, { input, output: 1 }, { serviceTier: name })

describe('A service tier', () => {
  test.each(['', 'default', 'standard', 'auto', 'scale', 'DEFAULT', 'on_demand'])(
    'named "%s" is the standard one',
    (name) => {
      expect(tier('openai', 'gpt-4o', name)).toMatchObject({ costPicoUsd: 350_000_000n, flags: [] })
    },
  )

  test.each<[string, string, string, readonly string[]]>([
    ['openai', 'gpt-4o', 'batch', ['1.25', '5']],
    ['openai', 'gpt-4o', 'Batch', ['1.25', '5']],
    ['anthropic', 'claude-sonnet-4-5', 'batch', ['1.5', '7.5']],
    ['gcp.gemini', 'gemini-2.5-pro', 'batch', ['0.625', '5']],
    ['openai', 'gpt-5', 'flex', ['0.625', '5']],
    ['openai', 'gpt-5-2025-08-07', 'flex', ['0.625', '5']],
    ['openai', 'gpt-5.4', 'flex', ['1.25', '7.5']],
    ['openai', 'o3', 'flex', ['1', '4']],
    ['openai', 'gpt-4.1', 'priority', ['3.5', '14']],
    ['openai', 'gpt-4o-mini', 'priority', ['0.25', '1']],
    ['openai', 'o4-mini', 'priority', ['2', '8']],
    ['openai', 'gpt-5.5', 'priority', ['12.5', '75']],
  ])('%s %s %s costs %o', (provider, model, name, prices) => {
    const price = tier(provider, model, name)
    expect(partsOf(price).map(([, , usd]) => usd)).toEqual(prices)
    expect(price).toMatchObject({ status: 'priced', version: LIST_AND_TIERS, flags: [] })
  })

  test.each([
    ['anthropic', 'claude-sonnet-4-5', 'priority'],
    ['openai', 'gpt-4o', 'flex'],
    ['openai', 'gpt-5', 'ultrafast'],
    ['deepseek', 'deepseek-chat', 'batch'],
    ['aws.bedrock', 'meta.llama3-8b-instruct-v1:0', 'reserved'],
  ])('%s %s %s has no price, and is not priced as the standard one', (provider, model, name) => {
    const price = tier(provider, model, name)
    expect(price).toMatchObject({ status: 'unpriced', costPicoUsd: null, flags: ['tier_unpriced'] })
    expect(price.model).not.toBe('')
  })

  test('costs what it costs for long inputs too, where that is known', () => {
    expect(partsOf(tierAt('gpt-5.4', 'batch', 272_000)).map(([, , usd]) => usd)).toEqual([
      '2.5',
      '11.25',
    ])
    expect(partsOf(tierAt('gpt-5.5', 'flex', 272_000)).map(([, , usd]) => usd)).toEqual([
      '5',
      '22.5',
    ])
    expect(tierAt('gpt-5.4', 'priority', 271_999).status).toBe('priced')
    expect(tierAt('gpt-5.4', 'priority', 272_000)).toMatchObject({
      status: 'unpriced',
      flags: ['tier_unpriced'],
    })
  })

  test('leaves searches as they are, and some cached tokens', () => {
    const fields = { input: 100, cacheRead: 50, output: 0, webSearches: 1 }
    const price = of('openai', 'gpt-4o', fields, { serviceTier: 'batch' })
    expect(partsOf(price).map(([part, , usd]) => [part, usd])).toEqual([
      ['input', '1.25'],
      ['cache_read', '0.625'],
      ['web_search', '0.01'],
    ])
    const gemini = of(
      'google',
      'gemini-2.5-flash',
      { input: 2, cacheRead: 1 },
      { serviceTier: 'batch' },
    )
    expect(partsOf(gemini).map(([part, , usd]) => [part, usd])).toEqual([
      ['input', '0.15'],
      ['cache_read', '0.03'],
    ])
  })
})

describe('Prices of one’s own', () => {
  const price = pricerOf(`
models:
  - { provider: house, model: llama-70b, prices: { input: 0.5, output: 1.5, request: 0.002, web_search: 0.005 } }
  - { provider: openai, model: 'gpt-*', prices: { input: 1, output: 1 } }
  - { provider: openai, model: 'gpt-4*', prices: { input: 2, output: 2 } }
  - { provider: openai, model: gpt-4o, prices: { input: 3, output: 3 } }
  - { tenant: acme, provider: openai, model: gpt-4o, prices: { input: 4, output: 4 } }
  - { tenant: 'eu-*', provider: azure.ai.openai, model: '*', prices: { input: 5, output: 5 } }
  - model: tiered
    prices: { input: 1, output: 2, cache_read: 0.1 }
    context: [{ above: 1000, prices: { input: 2, output: 4 } }, { above: 5000, prices: { input: 3 } }]
    tiers:
      batch: { percent: 50 }
      flex: { prices: { input: 0.25, output: 0.5 } }
  - { provider: house, model: dated, prices: { input: 1 }, until: 2026-06-01T12:00:00Z }
  - { provider: house, model: dated, prices: { input: 2 }, from: 2026-06-01T12:00:00Z }
aliases:
  - { provider: azure.ai.openai, model: chat-prod, is: azure/gpt-4o }
  - { tenant: globex, model: chat-prod, is: house/llama-70b }
`)
  const one = (fields: Partial<Call>) =>
    price(call({ tenant: '', usage: usage({ input: 1_000_000 }), ...fields }))
  const usd = (fields: Partial<Call>) => Number(one(fields).costPicoUsd) / 1e12

  test('come before the list, and a tenant’s before them', () => {
    expect([usd({ tenant: 'acme' }), usd({ tenant: 'other' })]).toEqual([4, 3])
    expect(one({ tenant: 'acme' })).toMatchObject({
      model: 'openai/gpt-4o',
      version: OWN,
      flags: [],
    })
    expect(usd({ provider: 'azure', tenant: 'eu-1' })).toBe(5)
    expect(usd({ provider: 'azure', tenant: 'us-1' })).toBe(2.5)
    expect(one({ provider: 'azure', tenant: 'us-1' }).version).toBe(LIST)
  })

  test('are those of the model that is named most exactly', () => {
    expect(usd({ requestModel: 'gpt-4.1' })).toBe(2)
    expect(usd({ requestModel: 'gpt-5' })).toBe(1)
    expect(usd({ requestModel: 'GPT-4O' })).toBe(3)
    expect(one({ requestModel: 'gpt-5' }).model).toBe('openai/gpt-*')
  })

  test('of the model that was asked for come before list prices of the one that answered', () => {
    const versioned = one({
      requestModel: 'gpt-4o',
      responseModel: 'gpt-4o-2024-08-06',
      tenant: 'acme',
    })
    expect([Number(versioned.costPicoUsd), versioned.flags]).toEqual([4e12, []])
    const other = one({ provider: 'house', requestModel: 'llama-70b', responseModel: 'x-1' })
    expect([other.model, other.flags]).toEqual(['house/llama-70b', ['price_of_request_model']])
  })

  test('are of tokens, searches and calls', () => {
    const used = usage({ input: 1_000, output: 2_000, webSearches: 2 })
    expect(
      partsOf(price(call({ provider: 'house', requestModel: 'llama-70b', usage: used }))),
    ).toEqual([
      ['input', 1_000, '0.5', 500_000_000n],
      ['output', 2_000, '1.5', 3_000_000_000n],
      ['web_search', 2, '0.005', 10_000_000_000n],
      ['request', 1, '0.002', 2_000_000_000n],
    ])
  })

  test.each([
    [1_000, '', ['1', '0.1', '2']],
    [1_001, '', ['2', '0.1', '4']],
    [5_001, '', ['3', '0.1', '2']],
    [1_001, 'batch', ['1', '0.05', '2']],
    [1_001, 'flex', ['0.25', '0.25', '0.5']],
  ])('have tiers: of %d tokens in the tier "%s" %o', (input, serviceTier, prices) => {
    const used = usage({ input, cacheRead: 10, output: 10 })
    const found = price(call({ requestModel: 'tiered', serviceTier, usage: used }))
    expect(partsOf(found).map(([, , text]) => text)).toEqual(prices)
    expect(found.version).toEqual(OWN)
  })

  test('have no other tier: not that of the list either', () => {
    expect(one({ requestModel: 'gpt-5', serviceTier: 'batch' })).toMatchObject({
      status: 'unpriced',
      flags: ['tier_unpriced'],
    })
  })

  test.each([
    ['2026-06-01T11:59:59.000Z', 1],
    ['2026-06-01T11:59:59.999Z', 1],
    ['2026-06-01T12:00:00.000Z', 2],
    ['2026-06-01T12:00:01.000Z', 2],
  ])('hold from a time on and until another: at %s %d', (time, expected) => {
    const startTimeMs = Date.parse(time)
    expect(usd({ provider: 'house', requestModel: 'dated', startTimeMs })).toBe(expected)
  })

  test('know other names', () => {
    expect(one({ provider: 'azure.ai.openai', requestModel: 'chat-prod' })).toMatchObject({
      model: 'azure/gpt-4o',
      flags: [],
      version: LIST,
    })
    expect(one({ tenant: 'globex', requestModel: 'chat-prod' }).model).toBe('house/llama-70b')
    expect(one({ requestModel: 'chat-prod' }).status).toBe('unpriced')
  })
})

describe('Of several prices of one’s own holds', () => {
  const price = pricerOf(`
models:
  - { model: exact, prices: { input: 1 } }
  - { model: 'ex*', prices: { input: 2 } }
  - { model: 'exa*', prices: { input: 3 } }
  - { model: 'e*', provider: openai, prices: { input: 4 } }
  - { model: 'e*', provider: 'open*', prices: { input: 5 } }
  - { model: 'e*', prices: { input: 6 } }
  - { model: later, from: 2026-03-01, prices: { input: 7 } }
  - { model: later, from: 2026-02-01, until: 2026-04-01, prices: { input: 8 } }
  - { model: later, prices: { input: 9 } }
  - { model: 'a*c', prices: { input: 10 } }
  - { model: '*bc', prices: { input: 11 } }
`)
  test.each([
    ['exact', 'x', '2026-11-01', '1'],
    ['exacts', 'x', '2026-11-01', '3'],
    ['exit', 'x', '2026-11-01', '2'],
    ['elm', 'openai', '2026-11-01', '4'],
    ['elm', 'openrouter', '2026-11-01', '5'],
    ['elm', 'x', '2026-11-01', '6'],
    ['later', 'x', '2026-01-31', '9'],
    ['later', 'x', '2026-02-01', '8'],
    ['later', 'x', '2026-03-01', '7'],
    ['later', 'x', '2026-05-01', '7'],
    ['abc', 'x', '2026-11-01', '11'],
    ['ac', 'x', '2026-11-01', '10'],
  ])('for %s of %s on %s that of %s', (requestModel, provider, day, usd) => {
    const used = usage({ input: 1 })
    const found = price(call({ requestModel, provider, startTimeMs: Date.parse(day), usage: used }))
    expect(partsOf(found).map(([, , text]) => text)).toEqual([usd])
  })
})

describe('Tiers and discounts of one’s own', () => {
  const price = pricerOf(`
tiers:
  - { tier: priority, provider: anthropic, percent: 120 }
  - { tier: batch, provider: openai, model: gpt-4o, percent: 40 }
discounts:
  - { provider: openai, percent: 10 }
  - { tenant: acme, provider: openai, model: 'gpt-4*', percent: 12.345 }
  - { tenant: free, percent: 100 }
  - { tenant: dated, percent: 20, from: 2026-11-20T12:00:00Z, until: 2026-11-20T13:00:00Z }
`)
  const prices = (fields: Partial<Call>) => partsOf(price(call(fields))).map(([, , usd]) => usd)

  test('are of the list’s prices', () => {
    const fields = { provider: 'anthropic', requestModel: 'claude-sonnet-4-5' }
    expect(prices({ ...fields, serviceTier: 'priority' })).toEqual(['3.6', '18'])
    expect(price(call({ ...fields, serviceTier: 'priority' })).version).toEqual(LIST_AND_OWN)
    expect(price(call({ ...fields, serviceTier: 'batch' })).version).toEqual(LIST_AND_TIERS)
  })

  test('are those that are named most exactly, and applied last', () => {
    expect(prices({ tenant: 'x' })).toEqual(['2.25', '9'])
    expect(prices({ tenant: 'acme' })).toEqual(['2.191375', '8.7655'])
    expect(prices({ tenant: 'acme', serviceTier: 'batch' })).toEqual(['0.87655', '3.5062'])
    expect(price(call({ tenant: 'acme' })).version).toEqual(LIST_AND_OWN)
  })

  test('may leave nothing, which is a price', () => {
    expect(price(call({ tenant: 'free' }))).toMatchObject({ status: 'priced', costPicoUsd: 0n })
  })

  test.each([
    ['2026-11-20T11:59:59.999Z', ['3', '15']],
    ['2026-11-20T12:00:00.000Z', ['2.4', '12']],
    ['2026-11-20T12:59:59.999Z', ['2.4', '12']],
    ['2026-11-20T13:00:00.000Z', ['3', '15']],
  ])('hold from a time on and until another: at %s %o', (time, expected) => {
    const model = { provider: 'anthropic', requestModel: 'claude-sonnet-4-5' }
    expect(prices({ ...model, tenant: 'dated', startTimeMs: Date.parse(time) })).toEqual(expected)
  })
})

describe('Tenants', () => {
  test('are of no concern where none pays other prices', () => {
    for (const yaml of [undefined, 'models: [{ model: m, prices: { input: 1 } }]']) {
      expect(pricesOf(yaml).hasTenants).toBe(false)
      expect(pricesOf(yaml).tenantClass('acme')).toBe('')
    }
  })

  test('pay alike where no rule tells them apart', () => {
    const { hasTenants, tenantClass } = pricesOf(
      'discounts: [{ tenant: acme, percent: 1 }, { tenant: "eu-*", percent: 2 }]',
    )
    expect(hasTenants).toBe(true)
    expect(tenantClass('a')).toBe(tenantClass('b'))
    expect(tenantClass('eu-1')).toBe(tenantClass('eu-2'))
    expect(new Set(['a', 'acme', 'eu-1'].map(tenantClass)).size).toBe(3)
  })
})

test('A price costs what it says', () => {
  expect(costOf(of('openai', 'gpt-4o', { input: 0, output: 0 }))).toBe(0n)
  expect(costOf(of('openai', 'gpt-4o', { input: 0 }))).toBe(0n)
})
