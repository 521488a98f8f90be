import { Amount } from './fold-amount.ts'
import type { Place } from './fold-groups.ts'
import type { Delta } from './series.ts'

/** What a run of records adds to one bucket of one group of a series. */
export class Cell {
  count = 0
  bad = 0
  readonly sum = new Amount()
  traceId = ''
  traceValue = 0
  #bins: Map<number, number> | undefined

  addBin(bin: number, sign: number): void {
    this.#bins ??= new Map()
    this.#bins.set(bin, (this.#bins.get(bin) ?? 0) + sign)
  }

  /** Takes a trace that is worse, or as bad with a smaller id: the order of records does not matter. */
  offerTrace(traceId: string, worth: number): void {
    if (traceId === '') return
    if (this.traceId !== '' && worth === this.traceValue && traceId >= this.traceId) return
    this.traceId = traceId
    this.traceValue = worth
  }

  delta(series: string, { group, bucket }: Place): Delta {
    const { count, bad, sum, traceId, traceValue } = this
    const bins = [...(this.#bins ?? [])].filter(([, times]) => times !== 0)
    return {
      series,
      group,
      bucket,
      count,
      bad,
      high: sum.high,
      low: sum.low,
      bins: bins.toSorted(([left], [right]) => left - right).flat(),
      traceId,
      traceValue,
    }
  }
}
