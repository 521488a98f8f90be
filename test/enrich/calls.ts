import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfig } from '../../services/enrich/config.ts'
import type { PriceBook } from '../../services/enrich/price-book.ts'
import { type Call, createCallPricer, type Price } from '../../services/enrich/price-call.ts'
import type { Usage } from '../../services/enrich/usage.ts'

const NO_USAGE: Usage = {
  input: null,
  output: null,
  cacheRead: null,
  cacheWrite5m: null,
  cacheWrite1h: null,
  reasoning: null,
  inputAudio: null,
  outputAudio: null,
  inputImage: null,
  outputImage: null,
  webSearches: null,
}

export const usage = (fields: Partial<Usage> = {}): Usage => ({ ...NO_USAGE, ...fields })

/** A call of gpt-4o with a thousand tokens in and out. */
export const call = (fields: Partial<Call> = {}): Call => ({
  kind: 'llm',
  tenant: 'acme',
  provider: 'openai',
  requestModel: 'gpt-4o',
  responseModel: '',
  serviceTier: '',
  startTimeMs: Date.parse('2026-11-20T12:00:00Z'),
  usage: usage({ input: 1_000, output: 1_000 }),
  flags: [],
  ...fields,
})

/** The prices that enrich has with this file of prices of its own, and without one. */
export function pricesOf(yaml?: string): PriceBook {
  if (yaml === undefined) return parseConfig({}).prices
  const folder = mkdtempSync(join(tmpdir(), 'prices-'))
  try {
    const file = join(folder, 'prices.yaml')
    writeFileSync(file, yaml)
    return parseConfig({ SPANMETER_PRICES: file }).prices
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export const pricerOf = (yaml?: string): ((call: Call) => Price) => createCallPricer(pricesOf(yaml))

/** A price as lines of part, units, unit price and cost. */
export const partsOf = ({ parts }: Price): readonly (readonly [string, number, string, bigint])[] =>
  parts.map(({ part, units, unit_price, cost_pico_usd }) => [
    part,
    Number(units),
    unit_price,
    cost_pico_usd,
  ])
