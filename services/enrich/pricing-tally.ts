/** A model as calls without a price name it. */
export interface UnpricedModel {
  readonly provider: string
  readonly model: string
}

/** What became of the spans of one record. */
export class PricingTally {
  readonly statuses = new Map<string, number>()
  readonly flags = new Map<string, number>()
  readonly unpriced = new Map<UnpricedModel, number>()
  /** Sums in pico-USD over calls that have both costs, for metrics: near enough, and no bill. */
  reportedPicoUsd = 0
  computedPicoUsd = 0

  clear(): void {
    this.statuses.clear()
    this.flags.clear()
    this.unpriced.clear()
    this.reportedPicoUsd = 0
    this.computedPicoUsd = 0
  }
}

/** Counts one more. */
export function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
