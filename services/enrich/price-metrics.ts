import type { Metrics } from '#runtime/metrics.ts'
import type { PricingTally, UnpricedModel } from './pricing-tally.ts'

/** Models come from outside: a counter must not grow with them. */
const MAX_UNPRICED_MODELS = 100
const MAX_LABEL_LENGTH = 100
const OTHER = { provider: 'other', model: 'other' }
const PICO_USD = 1e12

/** Makes the metrics of pricing; gives what takes the tally of each record. */
export function observePrices(
  metrics: Metrics,
  maxUnpricedModels = MAX_UNPRICED_MODELS,
): (tally: PricingTally) => void {
  const priced = metrics.counter('spanmeter_priced_spans_total', 'Spans by outcome of pricing.', [
    'status',
  ])
  const unpriced = metrics.counter(
    'spanmeter_unpriced_calls_total',
    'Model calls without a price; beyond a hundred models they are other.',
    ['provider', 'model'],
  )
  const flagged = metrics.counter(
    'spanmeter_flagged_spans_total',
    'Spans by what is to be known about their price.',
    ['flag'],
  )
  const reported = metrics.counter(
    'spanmeter_reported_cost_usd_total',
    'What calls cost by their own account, where they were priced here too.',
    [],
  )
  const computed = metrics.counter(
    'spanmeter_computed_cost_usd_total',
    'What the same calls cost by the prices here.',
    [],
  )
  const labelsOf = createLabels(maxUnpricedModels)
  return (tally) => {
    for (const [status, count] of tally.statuses) priced.inc({ status }, count)
    for (const [flag, count] of tally.flags) flagged.inc({ flag }, count)
    for (const [model, count] of tally.unpriced) unpriced.inc(labelsOf(model), count)
    if (tally.reportedPicoUsd > 0) reported.inc(tally.reportedPicoUsd / PICO_USD)
    if (tally.computedPicoUsd > 0) computed.inc(tally.computedPicoUsd / PICO_USD)
  }
}

/** The first models have labels of their own, all others share some. */
function createLabels(max: number): (model: UnpricedModel) => UnpricedModel {
  const known = new Map<string, UnpricedModel>()
  return ({ provider, model }) => {
    const labels = {
      provider: provider.slice(0, MAX_LABEL_LENGTH),
      model: model.slice(0, MAX_LABEL_LENGTH),
    }
    const key = JSON.stringify(labels)
    const found = known.get(key)
    if (found !== undefined) return found
    if (known.size >= max) return OTHER
    known.set(key, labels)
    return labels
  }
}
