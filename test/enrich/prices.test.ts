import { readFileSync } from 'node:fs'
import { calcPrice, findProvider, type MatchLogic } from '@pydantic/genai-prices'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { priceCall, type Usage } from '../../services/enrich/price-book.ts'
import { findListedModel, picoUsd, PRICE_VERSION, priceFor } from '../../services/enrich/prices.ts'

test('The version that spans carry is the version that is installed', () => {
  const url = new URL('../../node_modules/@pydantic/genai-prices/package.json', import.meta.url)
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(url, 'utf8')))
  expect(PRICE_VERSION).toBe(`genai-prices@${version}`)
})

test.each([
  [0, 0n],
  [1, 1_000_000_000_000n],
  [30, 30_000_000_000_000n],
  [0.075, 75_000_000_000n],
  [2.5, 2_500_000_000_000n],
  [2.5e-7, 250_000n],
  [1e-12, 1n],
  [4e-13, 0n],
  [5e-13, 1n],
  [0.083_333_333_333_333_34, 83_333_333_333n],
  [0.1 + 0.2, 300_000_000_000n],
  [1e21, 10n ** 33n],
])('%d USD are %d pico-USD', (usd, pico) => {
  expect(picoUsd(usd)).toBe(pico)
})

test.each([
  [0, 1n],
  [200, 1n],
  [201, 2n],
  [500, 2n],
  [501, 3n],
])('With tiers above 200 and 500, %d input tokens cost %d', (inputTokens, price) => {
  const tiers = [
    { above: 200, price: 2n },
    { above: 500, price: 3n },
  ]
  expect(priceFor({ base: 1n, tiers }, inputTokens)).toBe(price)
})

test.each([
  ['openai', 'gpt-4o', 'openai/gpt-4o'],
  ['openai', 'GPT-4o', 'openai/gpt-4o'],
  ['', 'gpt-4o', 'openai/gpt-4o'],
  ['anthropic', 'claude-sonnet-4-5-20250929', 'anthropic/claude-sonnet-4-5'],
])('Under the provider "%s" the model %s is %s', (provider, model, id) => {
  expect(findListedModel(provider, model)?.id).toBe(id)
})

test.each([
  ['openai', 'no-such-model'],
  ['no-such-provider', 'gpt-4o'],
  ['openai', ''],
  ['', ''],
  ['__proto__', 'constructor'],
])('Under the provider "%s" no model is called "%s"', (provider, model) => {
  expect(findListedModel(provider, model)).toBeUndefined()
})

const PROVIDERS = [
  'openai',
  'anthropic',
  'google',
  'azure',
  'aws',
  'x-ai',
  'mistral',
  'cohere',
  'deepseek',
  'groq',
  'together',
  'fireworks',
  'moonshotai',
  'perplexity',
  'openrouter',
]
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
const USAGES: readonly Usage[] = [
  { ...NO_USAGE, input: 1_000, output: 500 },
  { ...NO_USAGE, input: 12_345, output: 6_789, cacheRead: 4_321, reasoning: 1_234 },
  {
    ...NO_USAGE,
    input: 50_000,
    output: 1,
    cacheRead: 1_000,
    cacheWrite5m: 2_000,
    cacheWrite1h: 3_000,
  },
  { ...NO_USAGE, input: 100_000, output: 2_000, inputAudio: 30_000, outputAudio: 1_000 },
  { ...NO_USAGE, input: 128_000, output: 10 },
  { ...NO_USAGE, input: 128_001, output: 10 },
  { ...NO_USAGE, input: 272_001, output: 10, cacheRead: 100 },
  { ...NO_USAGE, input: 1_000_000, output: 100_000, cacheRead: 900_000, reasoning: 99_999 },
  { ...NO_USAGE, input: 7, output: 0 },
]
const TIMES = [
  '2024-01-01T00:00:00Z',
  '2025-02-09T03:00:00Z',
  '2025-06-09T23:59:59.999Z',
  '2025-06-10T00:00:00Z',
  '2025-08-21T16:29:59.999Z',
  '2025-08-21T16:30:00Z',
  '2026-03-13T00:29:59Z',
  '2026-03-13T00:30:00Z',
  '2026-08-21T12:00:00Z',
  '2026-11-20T18:00:00Z',
]

/** The same usage in the words of the list: cache writes are one total with a part for an hour. */
const inTheirWords = (usage: Usage) => ({
  input_tokens: usage.input ?? 0,
  output_tokens: usage.output ?? 0,
  cache_read_tokens: usage.cacheRead ?? 0,
  cache_write_tokens: (usage.cacheWrite5m ?? 0) + (usage.cacheWrite1h ?? 0),
  cache_write_1h_tokens: usage.cacheWrite1h ?? 0,
  output_reasoning_tokens: usage.reasoning ?? 0,
  input_audio_tokens: usage.inputAudio ?? 0,
  output_audio_tokens: usage.outputAudio ?? 0,
})

/** A name that the list takes for a model. */
function nameOf(match: MatchLogic): string {
  if ('or' in match) return match.or[0] === undefined ? '' : nameOf(match.or[0])
  if ('and' in match) return match.and[0] === undefined ? '' : nameOf(match.and[0])
  if ('equals' in match) return match.equals
  if ('starts_with' in match) return match.starts_with
  if ('contains' in match) return match.contains
  return 'ends_with' in match ? match.ends_with : match.regex
}

describe.each(PROVIDERS)('The prices of all models of %s', (providerId) => {
  const models = (findProvider({ providerId })?.models ?? []).map(({ match }) => nameOf(match))

  test('are those of @pydantic/genai-prices, at any time', () => {
    for (const model of models) {
      const listed = findListedModel(providerId, model)
      for (const time of TIMES) {
        const timestamp = new Date(time)
        for (const usage of USAGES) {
          const price = priceCall(listed, timestamp.getTime(), usage)
          if (price.status !== 'priced') continue
          const theirs = calcPrice(inTheirWords(usage), model, { providerId, timestamp })
          const expected = theirs?.total_price ?? Number.NaN
          // Ours is a whole number of pico-USD.
          const difference = Math.abs(Number(price.costPicoUsd) - expected * 1e12)
          expect(difference, `${model} at ${time}: ${JSON.stringify(usage)}`).toBeLessThanOrEqual(
            1 + expected * 1e12 * 1e-9,
          )
        }
      }
    }
  })

  test('are known wherever the list prices input and output', () => {
    const usage = { ...NO_USAGE, input: 1_000, output: 500 }
    let priced = 0
    for (const model of models) {
      for (const time of TIMES) {
        const timestamp = new Date(time)
        const theirs = calcPrice({}, model, { providerId, timestamp })
        const { input_mtok: input, output_mtok: output } = theirs?.model_price ?? {}
        const { status } = priceCall(findListedModel(providerId, model), timestamp.getTime(), usage)
        expect(status, `${model} at ${time}`).toBe(
          input === undefined || output === undefined ? 'unpriced' : 'priced',
        )
        if (status === 'priced') priced++
      }
    }
    expect(priced).toBeGreaterThan((models.length * TIMES.length) / 2)
  })
})
