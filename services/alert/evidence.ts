import { measuresOf, seriesOf } from './condition-series.ts'
import type { GroupHistory } from './history.ts'
import type { Histories } from './histories.ts'
import type { Measure, Rule, Verdict } from './rule.ts'
import { type SeriesSpec, splitGroup, UNITS_PER_ONE } from './series.ts'

/** What shows a person where to look. */
export interface Evidence {
  readonly contributors: readonly {
    readonly dimension: string
    readonly name: string
    readonly value: number
  }[]
  readonly traceIds: readonly string[]
}

const MAX_CONTRIBUTORS = 5
const MAX_TRACES = 5

/** The groups that contributed most to a verdict's value, and the worst traces of its window. */
export function findEvidence(
  rule: Rule,
  group: string,
  verdict: Verdict,
  histories: Histories,
): Evidence {
  const { windowStartMs, windowEndMs } = verdict
  const [series] = seriesOf(rule.condition)
  const history = series === undefined ? undefined : histories.of(series, group)
  return {
    traceIds: history?.traces(windowStartMs, windowEndMs, MAX_TRACES) ?? [],
    contributors:
      rule.contributors === undefined
        ? []
        : contributorsOf(rule.contributors, rule, group, verdict, histories),
  }
}

function contributorsOf(
  series: SeriesSpec,
  rule: Rule,
  group: string,
  { windowStartMs, windowEndMs }: Verdict,
  histories: Histories,
): Evidence['contributors'] {
  const [measure] = measuresOf(rule.condition)
  const dimension = series.by.at(-1) ?? ''
  return [...histories.parts(series, group)]
    .flatMap((part) => {
      const history = histories.of(series, part)
      const name = splitGroup(part, series.by.length).at(-1) ?? ''
      if (history === undefined) return []
      return [{ dimension, name, value: partOf(measure, history, windowStartMs, windowEndMs) }]
    })
    .filter(({ value }) => value > 0)
    .toSorted((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1))
    .slice(0, MAX_CONTRIBUTORS)
}

/** A contributor's share: its sum, the bad ones of it, or its count. */
function partOf(
  measure: Measure | undefined,
  history: GroupHistory,
  fromMs: number,
  toMs: number,
): number {
  const { count, bad, sum } = history.totals(fromMs, toMs)
  if (measure?.read.type === 'rate') return bad
  const field = measure?.series.value
  if (measure?.read.type !== 'sum' || field === undefined) return count
  return Number(sum) / UNITS_PER_ONE[field]
}
