import { createHash } from 'node:crypto'
import { DIMENSIONS, isDimension } from './dimensions.ts'
import { describeQuantity, parseQuantity, type Unit } from './quantities.ts'
import type { Place } from './rule-place.ts'
import type { Measure, Read } from './rule.ts'
import type { MeasuredData } from './rule-shape.ts'
import {
  type Badness,
  type Match,
  type SeriesSpec,
  type Source,
  UNITS_PER_ONE,
  type ValueField,
} from './series.ts'

/** What is measured, before it is known by what and in which buckets. */
export interface Counted {
  readonly source: Source
  readonly where: readonly Match[]
  readonly bad?: Badness
  readonly value?: ValueField
  readonly read: Read
  readonly unit: Unit
}

/** How a rule's series are kept. */
export interface Keeping {
  readonly by: readonly string[]
  readonly bucketMs: number
  readonly retainMs: number
  readonly maxGroups: number
}

const FIELDS: Readonly<Record<Source, readonly ValueField[]>> = {
  spans: ['cost', 'tokens', 'input_tokens', 'output_tokens', 'duration', 'ttft', 'skew'],
  evaluations: ['score'],
  dead_letters: [],
  system: ['gauge'],
}
const SUMMED: readonly string[] = ['cost', 'tokens', 'input_tokens', 'output_tokens']
const UNITS: Readonly<Record<ValueField, Unit>> = {
  cost: 'USD',
  tokens: 'tokens',
  input_tokens: 'tokens',
  output_tokens: 'tokens',
  duration: 's',
  ttft: 's',
  skew: 's',
  score: 'score',
  gauge: '',
}
/** Figures about the pipeline itself, and their units. */
const OBSERVATIONS: Readonly<Record<string, Unit>> = {
  lag: '',
  watermark_lag: 's',
  price_list_age: '',
  groups_overflow: '',
}

const METRIC = /^(?<read>sum|mean|p(?<percent>\d{1,2}(?:\.\d{1,3})?))\((?<field>\w+)\)$/
const ERROR_RATE: Badness = {
  matches: [{ dimension: 'error_type', values: [''], isNegated: true }],
}

/** Reads what a rule, or a part of one, measures; undefined where its metric is none. */
export function readCounted(data: MeasuredData, place: Place): Counted | undefined {
  const { metric, source } = data
  const where = readMatches(source, data.where, place.at('where'))
  const bad = data.bad === undefined ? undefined : readBadness(source, data.bad, place.at('bad'))
  if (metric === undefined) {
    place.refuse('needs a metric, such as p95(duration)')
    return undefined
  }
  if (data.bad !== undefined && metric !== 'rate') {
    place.at('bad').refuse('belongs to the metric rate alone')
  }
  if (metric === 'count') return { source, where, read: { type: 'count' }, unit: '' }
  if (metric === 'rate' || metric === 'error_rate') {
    return readRate(data, bad, where, place)
  }
  const found = readField(metric, source, place.at('metric'))
  if (found === undefined) return undefined
  const { read, value } = found
  const unit = value === 'gauge' ? readObservation(where, place.at('where')) : UNITS[value]
  return { source, where, value, read, unit }
}

function readRate(
  { metric, source }: MeasuredData,
  bad: Badness | undefined,
  where: readonly Match[],
  place: Place,
): Counted | undefined {
  const rate = { source, where, read: { type: 'rate' }, unit: 'ratio' } as const
  if (metric === 'error_rate') {
    if (source !== 'spans') place.at('metric').refuse('error_rate is one of spans alone')
    return { ...rate, bad: ERROR_RATE }
  }
  if (bad === undefined) {
    place.at('metric').refuse('needs bad: what it is the share of, such as { status: error }')
    return undefined
  }
  // Of what has no such value, nobody can say that it was good.
  return bad.above === undefined ? { ...rate, bad } : { ...rate, bad, value: bad.above.field }
}

function readField(
  metric: string,
  source: Source,
  place: Place,
): { readonly read: Read; readonly value: ValueField } | undefined {
  const { read = '', percent, field = '' } = METRIC.exec(metric)?.groups ?? {}
  const value = FIELDS[source].find((known) => known === field)
  if (read === '' || Number(percent) === 0) {
    place.refuse(
      `"${metric}" is none of count, rate, error_rate, sum(…), mean(…) and p1(…) to p99.999(…)`,
    )
  } else if (value === undefined) {
    const known = FIELDS[source].join(', ')
    const all = known === '' ? 'they can only be counted' : `they have ${known}`
    place.refuse(`${source} have no value "${field}"; ${all}`)
  } else if (read === 'sum' && !SUMMED.includes(value)) {
    place.refuse(`sum(${value}) says nothing; sums are of ${SUMMED.join(', ')}`)
  } else if (percent !== undefined) {
    return { read: { type: 'quantile', q: Number(`${percent}e-2`) }, value }
  } else {
    return { read: { type: read === 'sum' ? 'sum' : 'mean' }, value }
  }
  return undefined
}

/** The unit of the figures that are looked at. Different ones together would mean nothing. */
function readObservation(where: readonly Match[], place: Place): Unit {
  const match = where.find(({ dimension }) => dimension === 'observation')
  const [name = ''] = match?.values ?? []
  const unit = OBSERVATIONS[name]
  if (match?.values.length === 1 && !match.isNegated && unit !== undefined) return unit
  place.refuse(`needs an observation: one of ${Object.keys(OBSERVATIONS).join(', ')}`)
  return ''
}

function readBadness(
  source: Source,
  bad: Exclude<MeasuredData['bad'], undefined>,
  place: Place,
): Badness {
  const isField = (name: string) => FIELDS[source].some((field) => field === name)
  const limits = FIELDS[source].flatMap((field) => {
    const given = bad[field]
    return given === undefined ? [] : [{ field, given }]
  })
  const matches = Object.entries(bad).filter(([name]) => !isField(name))
  const badness = { matches: readMatches(source, Object.fromEntries(matches), place) }
  if (limits.length > 1) place.refuse('has more than one value; only one can have a limit')
  if (Object.keys(bad).length === 0) place.refuse('says nothing')
  const [limit] = limits
  if (limit === undefined) return badness
  const { field, given } = limit
  const [text = ''] = given.values
  const units = readUnits(field, text, place.at(field))
  return { ...badness, above: { field, units } }
}

function readUnits(field: ValueField, text: string, place: Place): number {
  const [, quantity = ''] = /^above +(.+)$/.exec(text) ?? []
  const what = `"above" and ${describeQuantity(UNITS[field])}`
  const limit = place.number(parseQuantity(quantity, UNITS[field]), text, what)
  const units = Math.round(limit * UNITS_PER_ONE[field])
  if (units > Number.MAX_SAFE_INTEGER) place.refuse(`"${text}" is more than can be told apart`)
  return units
}

/** Sorted, so that the same tests are the same series however they are written. */
function readMatches(source: Source, given: MeasuredData['where'], place: Place): readonly Match[] {
  return Object.entries(given)
    .map(([dimension, { values, isNegated }]) => {
      requireDimension(source, dimension, place.at(dimension))
      return { dimension, values: [...new Set(values)].toSorted(), isNegated }
    })
    .toSorted((a, b) => (a.dimension < b.dimension ? -1 : 1))
}

export function requireDimension(source: Source, dimension: string, place: Place): void {
  if (isDimension(source, dimension)) return
  const keyed = source === 'spans' ? ', attributes.KEY, resource.KEY' : ''
  const known = `${DIMENSIONS[source].join(', ')}${keyed}`
  place.refuse(`${source} have no dimension "${dimension}"; they have ${known}`)
}

export function toMeasure(counted: Counted, keeping: Keeping): Measure {
  const { read, unit } = counted
  const hasBins = read.type === 'quantile'
  const keyLength = keeping.by.length
  return { series: toSeries(counted, { ...keeping, keyLength, hasBins }), read, unit }
}

export function toSeries(
  { source, where, bad, value }: Counted | SeriesSpec,
  keeping: Keeping & Pick<SeriesSpec, 'keyLength' | 'hasBins'>,
): SeriesSpec {
  const spec = {
    source,
    where,
    ...keeping,
    ...(bad === undefined ? {} : { bad }),
    ...(value === undefined ? {} : { value }),
  }
  return { id: seriesId(spec), ...spec }
}

/** The same for all that counts the same, in every process and version. */
function seriesId(spec: Omit<SeriesSpec, 'id'>): string {
  const { source, where, by, keyLength, bad, value = null, bucketMs } = spec
  const above = bad?.above === undefined ? null : [bad.above.field, bad.above.units]
  const badness = bad === undefined ? null : [bad.matches.map(toList), above]
  const counted = [source, where.map(toList), by, keyLength, badness, value, bucketMs]
  return createHash('sha256').update(JSON.stringify(counted)).digest('hex').slice(0, 16)
}

function toList({ dimension, isNegated, values }: Match): readonly unknown[] {
  return [dimension, isNegated, values]
}
