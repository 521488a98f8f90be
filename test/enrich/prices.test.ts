import { readFileSync } from 'node:fs'
import { calcPrice, findProvider, type MatchLogic } from '@pydantic/genai-prices'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { decimalText } from '../../services/enrich/decimal.ts'
import { findListedModel, listedUsd, PRICE_VERSION } from '../../services/enrich/prices.ts'
import type { Usage } from '../../services/enrich/usage.ts'
import { call, pricerOf, usage } from './calls.ts'
import { LIST_PROVIDERS } from './list-providers.ts'

test('The version that spans carry is the version that is installed', () => {
  const url = new URL('../../node_modules/@pydantic/genai-prices/package.json', import.meta.url)
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(url, 'utf8')))
  expect(PRICE_VERSION).toBe(`genai-prices@${version}`)
})

test.each([
  [0, '0'],
  [1, '1'],
  [0.075, '0.075'],
  [2.5e-7, '0.00000025'],
  [1e-12, '0.000000000001'],
  [4e-13, '0'],
  [0.083_333_333_333_333_34, '0.083333333333'],
  [0.1 + 0.2, '0.3'],
])('%d of the list is %s USD', (value, usd) => {
  expect(decimalText(listedUsd(value))).toBe(usd)
})

test.each([
  ['openai', 'gpt-4o', 'openai', 'gpt-4o'],
  ['openai', 'GPT-4o', 'openai', 'gpt-4o'],
  ['', 'gpt-4o', 'openai', 'gpt-4o'],
  ['azure', 'gpt-4o', 'azure', 'gpt-4o'],
  ['anthropic', 'claude-sonnet-4-5-20250929', 'anthropic', 'claude-sonnet-4-5'],
])('Under the provider "%s" the model %s is %s %s', (provider, name, listed, model) => {
  expect(findListedModel(provider, name)).toMatchObject({
    provider: listed,
    model,
    isSibling: false,
  })
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

const USAGES: readonly Usage[] = [
  usage({ input: 1_000, output: 500 }),
  usage({ input: 12_345, output: 6_789, cacheRead: 4_321, reasoning: 1_234 }),
  usage({ input: 50_000, output: 1, cacheRead: 1_000, cacheWrite5m: 2_000, cacheWrite1h: 3_000 }),
  usage({ input: 100_000, output: 2_000, inputAudio: 30_000, outputAudio: 1_000 }),
  usage({ input: 100_000, output: 2_000, inputImage: 30_000, outputImage: 1_000 }),
  usage({ input: 1_000, output: 500, webSearches: 3 }),
  usage({ input: 128_000, output: 10 }),
  usage({ input: 128_001, output: 10 }),
  usage({ input: 272_001, output: 10, cacheRead: 100 }),
  usage({ input: 1_000_000, output: 100_000, cacheRead: 900_000, reasoning: 99_999 }),
  usage({ input: 7, output: 0 }),
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
const inTheirWords = (used: Usage) => ({
  input_tokens: used.input ?? 0,
  output_tokens: used.output ?? 0,
  cache_read_tokens: used.cacheRead ?? 0,
  cache_write_tokens: (used.cacheWrite5m ?? 0) + (used.cacheWrite1h ?? 0),
  cache_write_1h_tokens: used.cacheWrite1h ?? 0,
  output_reasoning_tokens: used.reasoning ?? 0,
  input_audio_tokens: used.inputAudio ?? 0,
  output_audio_tokens: used.outputAudio ?? 0,
  input_image_tokens: used.inputImage ?? 0,
  output_image_tokens: used.outputImage ?? 0,
  web_searches: used.webSearches ?? 0,
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

describe.each(LIST_PROVIDERS)('The prices of all models of %s', (providerId) => {
  const models = (findProvider({ providerId })?.models ?? []).map(({ match }) => nameOf(match))
  const price = pricerOf()

  test('are those of @pydantic/genai-prices, at any time', () => {
    for (const model of models) {
      for (const time of TIMES) {
        const timestamp = new Date(time)
        for (const used of USAGES) {
          const ours = price(
            call({
              provider: providerId,
              requestModel: model,
              startTimeMs: timestamp.getTime(),
              usage: used,
            }),
          )
          if (ours.status !== 'priced') continue
          const theirs = calcPrice(inTheirWords(used), model, { providerId, timestamp })
          const expected = theirs?.total_price ?? Number.NaN
          // Ours is a whole number of pico-USD.
          const difference = Math.abs(Number(ours.costPicoUsd) - expected * 1e12)
          expect(difference, `${model} at ${time}: ${JSON.stringify(used)}`).toBeLessThanOrEqual(
            6 + expected * 1e12 * 1e-9,
          )
        }
      }
    }
  })

  test('are known wherever the list prices input and output', () => {
    let priced = 0
    for (const model of models) {
      for (const time of TIMES) {
        const timestamp = new Date(time)
        const theirs = calcPrice({}, model, { providerId, timestamp })
        const { input_mtok: input, output_mtok: output } = theirs?.model_price ?? {}
        const statusOf = (used: Usage) =>
          price(
            call({
              provider: providerId,
              requestModel: model,
              startTimeMs: timestamp.getTime(),
              usage: used,
            }),
          ).status
        const isKnown = input !== undefined && output !== undefined
        const whole = statusOf(usage({ input: 1_000, output: 500 }))
        expect(whole, `${model} at ${time}`).toBe(isKnown ? 'priced' : 'unpriced')
        // Embeddings have no output.
        const status = statusOf(usage({ input: 1_000 }))
        expect(status, `${model} at ${time}`).toBe(input === undefined ? 'unpriced' : 'priced')
        if (status === 'priced') priced++
      }
    }
    expect(priced).toBeGreaterThan(0)
  })
})
