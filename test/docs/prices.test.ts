import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parsePriceFile } from '../../services/enrich/price-file.ts'
import { PARTS } from '../../services/enrich/usage.ts'
import { call, partsOf, pricerOf, usage } from '../enrich/calls.ts'

const page = readFileSync(new URL('../../docs/prices.md', import.meta.url), 'utf8')
const [, sample = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? []

describe('The file of prices in docs/prices.md', () => {
  test('is one', () => {
    const rules = parsePriceFile(sample, 'docs/prices.md', (provider) => provider)
    expect(rules.models.map(({ model }) => model)).toEqual(['llama-70b', 'gpt-5', 'gpt-5-2025-*'])
    expect([rules.aliases.length, rules.tiers.length, rules.discounts.length]).toEqual([1, 2, 2])
  })

  test('gives the prices that it says', () => {
    const price = pricerOf(sample)
    const used = usage({ input: 300_000, output: 1_000 })
    const pricesOf = (serviceTier: string) =>
      partsOf(price(call({ requestModel: 'gpt-5', serviceTier, usage: used }))).map(
        ([, , usd]) => usd,
      )
    expect(pricesOf('')).toEqual(['2.2', '13.2'])
    expect(pricesOf('batch')).toEqual(['1.1', '6.6'])
    expect(pricesOf('priority')).toEqual([])
    const opus = call({ provider: 'anthropic', requestModel: 'claude-opus-4-5' })
    expect(partsOf(price(opus)).map(([, , usd]) => usd)).toEqual(['4.3875', '21.9375'])
    expect(
      partsOf(price({ ...opus, serviceTier: 'priority', tenant: 'x' })).map(([, , usd]) => usd),
    ).toEqual(['5.78125', '28.90625'])
  })
})

test('docs/prices.md names every part of a cost', () => {
  expect(PARTS.filter((part) => !page.includes(`\`${part}\``))).toEqual([])
})
