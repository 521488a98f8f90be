import { isExtensive } from './condition-measure.ts'
import { seriesOf } from './condition-series.ts'
import { lookbackMs } from './conditions.ts'
import { formatDuration } from './duration.ts'
import { idOf } from './rule-level.ts'
import { readLevels } from './rule-condition.ts'
import { readMaintenance } from './rule-maintenance.ts'
import { type Keeping, requireDimension, toSeries } from './rule-measure.ts'
import type { Place } from './rule-place.ts'
import { mapSeries } from './rule-series.ts'
import type { RuleData } from './rule-shape.ts'
import { readStep } from './rule-steps.ts'
import { readTexts } from './rule-text.ts'
import type { Condition, Rule } from './rule.ts'
import type { SeriesSpec } from './series.ts'

/** Buckets that one group of one series may keep. */
const MAX_BUCKETS = 50_000
/** Contributors that evidence names, and so the room that they need for each group. */
const CONTRIBUTORS = 5
/** By how much one source may lag behind another whose series must wait for it. */
const SOURCE_LAG_MS = 6 * 3_600_000
const COMPARED = ['above', 'below', 'up', 'down', 'resolve', 'floor', 'baseline'] as const

/**
 * Makes a rule of each level of a rule file's rule. Mistakes are noted at the place; what is given
 * then is of no use. The series are the rule's own yet: shareSeries makes those that are equal one.
 */
export function compileRule(
  data: RuleData,
  place: Place,
  allowedLatenessMs: number,
): readonly Rule[] {
  const { name, labels } = data
  requireFit(data, place)
  const everyMs = readStep(data, place)
  const keeping: Keeping = {
    by: data.by,
    bucketMs: everyMs,
    retainMs: 0,
    maxGroups: data.max_groups,
  }
  const { first, levels, sources } = readLevels(data, keeping, place)
  requireDimensions(data, sources, place)
  const common = {
    name,
    labels,
    sources,
    everyMs,
    by: data.by,
    ...readTexts(data, first, place),
    ...readTimes(data, place),
    forCount: data.for ?? 1,
    // A sum of nothing is 0, while there is neither a mean nor a share of nothing.
    minCount: data.min_count ?? (first !== undefined && isExtensive(first.read) ? 0 : 1),
    noData: data.no_data,
  }
  return levels.map((level) => {
    const condition = kept(level.condition, sources.length, place)
    const isEarly = common.forCount === 1 && isEarlyCondition(condition)
    return {
      ...common,
      ...level,
      id: idOf(name, level.level),
      condition,
      isEarly,
      resolveCount: resolveCount(data, isEarly, everyMs, allowedLatenessMs, condition),
      inhibitedBy: level.inhibitedBy.map((other) => idOf(name, other)),
      ...readContributors(data, condition),
    }
  })
}

/** What stands in a rule must be of use to its kind of condition. */
function requireFit({ condition, window, metric, ...data }: RuleData, place: Place): void {
  const { burn, budget, all } = condition
  const kinds = [burn, budget, all].filter((kind) => kind !== undefined).length
  const isCompared = COMPARED.some((key) => condition[key] !== undefined)
  if (kinds > 1 || (kinds === 1 && isCompared)) {
    place.at('condition').refuse('must be one kind: a comparison, burn, budget or all')
  }
  if (kinds === 1 && window !== undefined) {
    place.at('window').refuse('belongs to a condition that compares a value')
  }
  if (all !== undefined && (metric !== undefined || data.bad !== undefined)) {
    place.at(metric === undefined ? 'bad' : 'metric').refuse('belongs to each part of all')
  }
  if (all !== undefined && (Object.keys(data.where).length > 0 || data.source !== 'spans')) {
    place.at(data.source === 'spans' ? 'where' : 'source').refuse('belongs to each part of all')
  }
  if (budget !== undefined && data.for !== undefined) {
    place.at('for').refuse('says nothing of a budget, which has one value for its period')
  }
}

function requireDimensions({ by, contributors }: RuleData, sources: Rule['sources'], place: Place) {
  if (new Set(by).size < by.length) place.at('by').refuse('has a dimension twice')
  by.forEach((dimension, i) => {
    for (const source of sources) requireDimension(source, dimension, place.at('by', i))
  })
  const [first] = sources
  if (contributors === undefined || first === undefined) return
  requireDimension(first, contributors, place.at('contributors'))
  if (by.includes(contributors)) {
    place.at('contributors').refuse('is in by already: a group has one value of it')
  }
}

function readTimes(
  { renotify, flap, maintenance }: RuleData,
  place: Place,
): Pick<Rule, 'renotifyMs' | 'flap' | 'maintenance'> {
  const withinMs = place.at('flap', 'within').duration(flap.within)
  return {
    renotifyMs: renotify === 'never' ? 0 : place.at('renotify').duration(renotify),
    flap: { firings: flap.firings, withinMs },
    maintenance: readMaintenance(maintenance, place),
  }
}

/** What later records cannot undo: it only grows. */
function isEarlyCondition(condition: Condition): boolean {
  if (condition.type === 'budget') return !condition.isProjected
  if (condition.type !== 'threshold' || condition.direction !== 'above') return false
  return isExtensive(condition.measure.read)
}

/**
 * What fires early does so ahead of the watermark, by a window that is decided only later. Until then
 * older windows are decided, as many as fit in the allowed lateness, in which the value may not have
 * been over the limit yet: so many good ones in a row must not resolve it.
 */
function resolveCount(
  { resolve_after: given }: RuleData,
  isEarly: boolean,
  everyMs: number,
  allowedLatenessMs: number,
  { type }: Condition,
): number {
  if (!isEarly || type === 'budget') return given
  return Math.max(given, Math.ceil(allowedLatenessMs / everyMs) + 1)
}

/** The condition with series that are kept as long as it looks back. */
function kept(condition: Condition, sources: number, place: Place): Condition {
  return mapSeries(condition, (series) => {
    const own = ownLookbackMs(condition, series.id)
    // Time of several sources is that of the slowest, and series expire by their own source's.
    const retainMs = own + (sources > 1 ? SOURCE_LAG_MS : 0)
    const most = MAX_BUCKETS * series.bucketMs
    if (retainMs > most) {
      const least = formatDuration(Math.ceil(retainMs / MAX_BUCKETS / 60_000) * 60_000)
      place.refuse(`looks back at more than ${MAX_BUCKETS} steps; every must be at least ${least}`)
    }
    return { ...series, retainMs }
  })
}

/** How far the parts that read a series look back. */
function ownLookbackMs(condition: Condition, id: string): number {
  if (condition.type === 'not') return ownLookbackMs(condition.condition, id)
  if (condition.type === 'all') {
    const parts = condition.conditions.filter((part) => seriesOf(part).some((s) => s.id === id))
    return Math.max(...parts.map((part) => ownLookbackMs(part, id)))
  }
  return lookbackMs(condition)
}

/** The series of what evidence names; it is read over the window of the value alone. */
function readContributors(
  { contributors, by, max_groups }: RuleData,
  condition: Condition,
): { readonly contributors?: SeriesSpec } {
  const [series] = seriesOf(condition)
  if (contributors === undefined || series === undefined) return {}
  const keeping = {
    by: [...by, contributors],
    keyLength: by.length,
    hasBins: false,
    bucketMs: series.bucketMs,
    retainMs: evidenceMs(condition),
    maxGroups: max_groups * CONTRIBUTORS,
  }
  return { contributors: toSeries(series, keeping) }
}

function evidenceMs(condition: Condition): number {
  if (condition.type === 'all') return Math.max(...condition.conditions.slice(0, 1).map(evidenceMs))
  return condition.type === 'baseline' ? condition.windowMs : lookbackMs(condition)
}
