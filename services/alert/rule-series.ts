import type { Condition, Rule, RuleSet } from './rule.ts'
import type { SeriesSpec } from './series.ts'

/** Rules whose series count the same share one, which is kept as long as any of them asks for. */
export function shareSeries(rules: readonly Rule[]): Pick<RuleSet, 'rules' | 'series'> {
  const shared = new Map<string, SeriesSpec>()
  const note = (spec: SeriesSpec) => {
    const other = shared.get(spec.id)
    shared.set(spec.id, other === undefined ? spec : merge(other, spec))
    return spec
  }
  for (const { condition, contributors } of rules) {
    mapSeries(condition, note)
    if (contributors !== undefined) note(contributors)
  }
  const sharedOf = (spec: SeriesSpec) => shared.get(spec.id) ?? spec
  return {
    rules: rules.map((rule) => ({
      ...rule,
      condition: mapSeries(rule.condition, sharedOf),
      ...(rule.contributors === undefined ? {} : { contributors: sharedOf(rule.contributors) }),
    })),
    series: [...shared.values()],
  }
}

function merge(a: SeriesSpec, b: SeriesSpec): SeriesSpec {
  return {
    ...a,
    hasBins: a.hasBins || b.hasBins,
    retainMs: Math.max(a.retainMs, b.retainMs),
    maxGroups: Math.max(a.maxGroups, b.maxGroups),
  }
}

/** A condition with other series in the place of its own. */
export function mapSeries(
  condition: Condition,
  toSeries: (series: SeriesSpec) => SeriesSpec,
): Condition {
  switch (condition.type) {
    case 'all':
      return {
        ...condition,
        conditions: condition.conditions.map((part) => mapSeries(part, toSeries)),
      }
    case 'not':
      return { ...condition, condition: mapSeries(condition.condition, toSeries) }
    default: {
      const { measure } = condition
      return { ...condition, measure: { ...measure, series: toSeries(measure.series) } }
    }
  }
}
