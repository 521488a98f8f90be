import { binOf } from '../../services/alert/bins.ts'
import type { View } from '../../services/alert/condition-view.ts'
import { GroupHistory } from '../../services/alert/history.ts'
import type { Measure, Read } from '../../services/alert/rule.ts'
import { SUM_BASE, type SeriesSpec, type ValueField } from '../../services/alert/series.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
/** The end of the windows: a Wednesday. */
export const END = Date.parse('2026-06-17T12:00:00Z')

export function seriesOf(value?: ValueField, more: Partial<SeriesSpec> = {}): SeriesSpec {
  return {
    id: value ?? 'count',
    source: 'spans',
    where: [],
    by: ['tenant'],
    keyLength: 1,
    ...(value === undefined ? {} : { value }),
    hasBins: false,
    bucketMs: MINUTE,
    retainMs: 40 * DAY,
    maxGroups: 100,
    ...more,
  }
}

export function measureOf(read: Read['type'] | number, value?: ValueField): Measure {
  const unit = value === 'cost' ? 'USD' : ''
  if (typeof read === 'number') {
    const series = seriesOf(value, { hasBins: true })
    return { series, read: { type: 'quantile', q: read }, unit }
  }
  if (read === 'quantile') throw new Error('say which')
  return { series: seriesOf(value), read: { type: read }, unit }
}

/** Records of one bucket, in units. */
export interface Records {
  /** Time within the bucket. */
  readonly atMs: number
  readonly values?: readonly (bigint | number)[]
  /** Of so many records without values … */
  readonly count?: number
  /** … or with, so many are bad. */
  readonly bad?: number
}

export function historyOf(measure: Measure, records: readonly Records[]): GroupHistory {
  const history = new GroupHistory(measure.series)
  const base = BigInt(SUM_BASE)
  for (const { atMs, values = [], count = values.length, bad = 0 } of records) {
    const sum = values.reduce<bigint>((all, value) => all + BigInt(value), 0n)
    const low = ((sum % base) + base) % base
    const bins = new Map<number, number>()
    for (const value of measure.series.hasBins ? values : []) {
      const bin = binOf(Number(value))
      bins.set(bin, (bins.get(bin) ?? 0) + 1)
    }
    history.add(Math.floor(atMs / measure.series.bucketMs), {
      count,
      bad,
      high: Number((sum - low) / base),
      low: Number(low),
      bins: [...bins].toSorted((a, b) => a[0] - b[0]).flat(),
      traceId: '',
      traceValue: 0,
    })
  }
  return history
}

/** Records of each bucket of a stretch of time, `stepMs` apart. */
export function every(
  stepMs: number,
  fromMs: number,
  toMs: number,
  records: Omit<Records, 'atMs'>,
): readonly Records[] {
  const all: Records[] = []
  for (let atMs = fromMs; atMs < toMs; atMs += stepMs) all.push({ ...records, atMs })
  return all
}

export function viewOf(history: GroupHistory | undefined, more: Partial<View> = {}): View {
  return { endMs: END, minCount: 1, group: {}, historyOf: () => history, ...more }
}

export const usd = (amount: number): bigint => BigInt(Math.round(amount * 1e6)) * 1_000_000n
export const seconds = (amount: number): bigint => BigInt(Math.round(amount * 1e9))
