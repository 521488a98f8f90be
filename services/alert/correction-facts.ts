import { createLayout } from '#schemas/layout.ts'
import type { PriceCorrection } from '#schemas/items.ts'
import { schemas } from '#schemas/topics.ts'
import type { Row } from './facts.ts'
import { msOfNanos } from './facts-time.ts'
import type { SeriesSpec } from './series.ts'

/** Dimensions of spans that a correction tells, too. */
const DIMENSIONS: ReadonlySet<string> = createLayout(schemas.priceCorrection).strings.union(
  new Set(['model']),
)

/**
 * Series that a correction can be added to: those of costs, whose every dimension it tells. Costs of
 * others stay as they were first counted.
 */
export function isCorrected({ value, where, by, bad }: SeriesSpec): boolean {
  const matched = [...where, ...(bad?.matches ?? [])].map(({ dimension }) => dimension)
  return value === 'cost' && [...matched, ...by].every((dimension) => DIMENSIONS.has(dimension))
}

/** The call with its price before the correction, which is taken back, and with the one that it has now. */
export function correctionRows(correction: PriceCorrection): {
  readonly old: Row
  readonly now: Row
} {
  const { request_model, response_model, trace_id, cost_pico_usd } = correction
  const model = request_model === '' ? response_model : request_model
  const now: Row = {
    // It does not tell how long the call took, so that it counts at the call's start.
    eventMs: msOfNanos(correction.start_time_unix_nano),
    traceId: trace_id,
    texts: { ...correction, model },
    values: { cost: cost_pico_usd },
  }
  const oldPrice = {
    price_status: correction.old_price_status,
    price_version: correction.old_price_version,
    price_model: correction.old_price_model,
  }
  const old: Row = {
    ...now,
    texts: { ...now.texts, ...oldPrice },
    values: { cost: correction.old_cost_pico_usd },
  }
  return { old, now }
}
