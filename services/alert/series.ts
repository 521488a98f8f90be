/** What a series counts comes from one of these. */
export type Source = 'spans' | 'evaluations' | 'dead_letters' | 'system'

/** Values that a series may sum. Each is a whole number of units, so that sums are exact. */
export type ValueField =
  | 'cost'
  | 'input_tokens'
  | 'output_tokens'
  | 'tokens'
  | 'duration'
  | 'ttft'
  | 'score'
  | 'skew'
  | 'gauge'

/** Units to one of what people read: pico-USD to a USD, nanoseconds to a second. */
export const UNITS_PER_ONE: Readonly<Record<ValueField, number>> = {
  cost: 1e12,
  input_tokens: 1,
  output_tokens: 1,
  tokens: 1,
  duration: 1e9,
  ttft: 1e9,
  score: 1e9,
  skew: 1e9,
  gauge: 1e3,
}

/** A test of one dimension: its text is one of the values, or none of them. */
export interface Match {
  readonly dimension: string
  readonly values: readonly string[]
  readonly isNegated: boolean
}

/** Which records of a series are bad: all matches hold, and the value is above the limit, if there is one. */
export interface Badness {
  readonly matches: readonly Match[]
  readonly above?: { readonly field: ValueField; readonly units: number }
}

/**
 * What the first stage counts and by what: the one thing that both stages know. A group is a value
 * for each dimension of `by`; a bucket is a piece of event time, whole multiples of bucketMs since
 * the epoch. The event time of a span is its end, as it is sent only then.
 */
export interface SeriesSpec {
  /** 16 hexadecimal digits of a hash of what is counted; the same in every process. */
  readonly id: string
  readonly source: Source
  /** All must hold for a record to count. */
  readonly where: readonly Match[]
  readonly by: readonly string[]
  /** The first so many values of a group choose its partition: series of one rule stand together. */
  readonly keyLength: number
  readonly bad?: Badness
  /** Records without this value do not count. */
  readonly value?: ValueField
  /** Whether percentiles of the value are asked for. */
  readonly hasBins: boolean
  readonly bucketMs: number
  /** How far back a rule looks; older buckets are forgotten. */
  readonly retainMs: number
  /** Groups beyond this many, in one partition, count as one that is named OTHER_GROUP. */
  readonly maxGroups: number
}

/** Parts of a group, and the name of what has no room in one. */
export const GROUP_SEPARATOR = '\u001F'
export const OTHER_GROUP = '(other)'

/** A group as one text, and back. */
export function joinGroup(values: readonly string[]): string {
  return values.join(GROUP_SEPARATOR)
}
export function splitGroup(group: string, dimensions: number): readonly string[] {
  return dimensions === 0 ? [] : group.split(GROUP_SEPARATOR)
}

/** What is added to one bucket: whole numbers alone, so that neither order nor grouping matters. */
export interface Tally {
  readonly count: number
  readonly bad: number
  /** The sum is high * SUM_BASE + low, in units of the value's field. */
  readonly high: number
  readonly low: number
  /** DDSketch bins: index, count, index, count … by rising index. */
  readonly bins: readonly number[]
  /** A trace to look at, and how bad it is; empty for none. */
  readonly traceId: string
  readonly traceValue: number
}

/** Where a sum is cut in two, so that neither half leaves the whole numbers of a double. */
export const SUM_BASE = 1e9

/** One addition to one bucket of one group of one series. */
export interface Delta extends Tally {
  readonly series: string
  readonly group: string
  readonly bucket: number
}
