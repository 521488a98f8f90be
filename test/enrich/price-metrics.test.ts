import { describe, expect, test } from 'vitest'
import { observePrices } from '../../services/enrich/price-metrics.ts'
import { count, PricingTally } from '../../services/enrich/pricing-tally.ts'
import { createMetrics } from '../../services/runtime/metrics.ts'

function observed(tallies: readonly PricingTally[], max?: number) {
  const metrics = createMetrics('enrich')
  const observe = observePrices(metrics, max)
  for (const tally of tallies) observe(tally)
  return async (name: string) => {
    const values = (await metrics.registry.getSingleMetric(name)?.get())?.values ?? []
    return values.map(({ labels, value }) => {
      const own = Object.entries(labels).filter(([label]) => label !== 'service')
      return { ...Object.fromEntries(own), value }
    })
  }
}

describe('Metrics of pricing', () => {
  test('count spans by outcome and by flag', async () => {
    const tally = new PricingTally()
    count(tally.statuses, 'priced')
    count(tally.statuses, 'priced')
    count(tally.statuses, 'nested')
    count(tally.flags, 'sibling_model')
    const valuesOf = observed([tally, tally])
    expect(await valuesOf('spanmeter_priced_spans_total')).toEqual([
      { status: 'priced', value: 4 },
      { status: 'nested', value: 2 },
    ])
    expect(await valuesOf('spanmeter_flagged_spans_total')).toEqual([
      { flag: 'sibling_model', value: 2 },
    ])
  })

  test('name the models without a price, up to a limit', async () => {
    const tallies = ['a', 'b', 'c', 'a', 'd'].map((model) => {
      const tally = new PricingTally()
      count(tally.unpriced, { provider: 'p', model })
      return tally
    })
    expect(await observed(tallies, 2)('spanmeter_unpriced_calls_total')).toEqual([
      { provider: 'p', model: 'a', value: 2 },
      { provider: 'p', model: 'b', value: 1 },
      { provider: 'other', model: 'other', value: 2 },
    ])
  })

  test('put what calls say they cost beside what they cost here', async () => {
    const tally = new PricingTally()
    tally.reportedPicoUsd = 3e12
    tally.computedPicoUsd = 2.5e12
    const valuesOf = observed([tally])
    expect(await valuesOf('spanmeter_reported_cost_usd_total')).toEqual([{ value: 3 }])
    expect(await valuesOf('spanmeter_computed_cost_usd_total')).toEqual([{ value: 2.5 }])
  })
})
