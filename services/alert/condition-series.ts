import type { Condition, Measure } from './rule.ts'
import type { SeriesSpec } from './series.ts'

/** Everything that a condition measures, that of its evidence first. */
export function measuresOf(condition: Condition): readonly Measure[] {
  switch (condition.type) {
    case 'all':
      return condition.conditions.flatMap(measuresOf)
    case 'not':
      return measuresOf(condition.condition)
    default:
      return [condition.measure]
  }
}

/** Every series that a condition reads, that of its evidence first. */
export function seriesOf(condition: Condition): readonly SeriesSpec[] {
  return measuresOf(condition).map(({ series }) => series)
}

/** How long after the last record of a group its windows may still say something. */
export function windowMsOf(condition: Condition): number {
  switch (condition.type) {
    case 'all':
      return Math.max(...condition.conditions.map(windowMsOf))
    case 'not':
      return windowMsOf(condition.condition)
    case 'burn':
      return condition.longMs
    case 'budget':
      return condition.measure.series.retainMs
    default:
      return condition.windowMs
  }
}
