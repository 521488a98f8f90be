import { type Delta, joinGroup, type SeriesSpec, SUM_BASE } from '../../services/alert/series.ts'

/** What is added to the bucket that contains a time: one record, if nothing else is said. */
export function deltaOf(
  spec: SeriesSpec,
  group: readonly string[],
  atMs: number,
  { sum = 0n, ...more }: Partial<Omit<Delta, 'high' | 'low'>> & { readonly sum?: bigint } = {},
): Delta {
  const base = BigInt(SUM_BASE)
  const low = ((sum % base) + base) % base
  return {
    series: spec.id,
    group: joinGroup(group),
    bucket: Math.floor(atMs / spec.bucketMs),
    count: 1,
    bad: 0,
    high: Number((sum - low) / base),
    low: Number(low),
    bins: [],
    traceId: '',
    traceValue: 0,
    ...more,
  }
}
