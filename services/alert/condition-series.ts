import type { Condition } from './rule.ts'
import type { SeriesSpec } from './series.ts'

/** Every series that a condition reads, that of its evidence first. */
export function seriesOf(condition: Condition): readonly SeriesSpec[] {
  switch (condition.type) {
    case 'all':
      return condition.conditions.flatMap(seriesOf)
    case 'not':
      return seriesOf(condition.condition)
    default:
      return [condition.measure.series]
  }
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
