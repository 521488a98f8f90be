import type { RuleSet } from '../services/alert/rule.ts'
import type { Match, SeriesSpec } from '../services/alert/series.ts'

/** A series as bench/streams reads it, see Series.java. */
interface StreamsSeries {
  readonly id: string
  readonly where: readonly Match[]
  readonly by: readonly string[]
  readonly bad: {
    readonly matches: readonly Match[]
    readonly above: { readonly field: string; readonly units: number } | null
  } | null
  readonly value: string | null
  readonly hasBins: boolean
  readonly bucketMs: number
}

/** The series that count spans. */
export function spanSeries({ series }: RuleSet): readonly SeriesSpec[] {
  return series.filter(({ source }) => source === 'spans')
}

/** Series as JSON for Kafka Streams, so that both sides count the very same. */
export function seriesJson(series: readonly SeriesSpec[]): string {
  return JSON.stringify(series.map(toStreams), undefined, 2)
}

function toStreams({ id, where, by, bad, value, hasBins, bucketMs }: SeriesSpec): StreamsSeries {
  // Values are whole: above 1.5 is above 1.
  const above =
    bad?.above === undefined ? null : { field: bad.above.field, units: Math.floor(bad.above.units) }
  return {
    id,
    where,
    by,
    bad: bad === undefined ? null : { matches: bad.matches, above },
    value: value ?? null,
    hasBins,
    bucketMs,
  }
}
