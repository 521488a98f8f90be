import { Calendar } from '../../services/alert/calendar.ts'
import { Histories } from '../../services/alert/histories.ts'
import type { Rule } from '../../services/alert/rule.ts'
import { type Decision, RuleFamily, type Surroundings } from '../../services/alert/rule-family.ts'
import type { SeriesSpec } from '../../services/alert/series.ts'
import { seriesOf } from './condition-samples.ts'
import { deltaOf } from './delta-samples.ts'
import { MINUTE, ruleOf } from './alert-samples.ts'

/** Calls by tenant; each window of a minute with more than ten of them is bad. */
export const CALLS: SeriesSpec = seriesOf()

export function countRule(more: Partial<Rule> = {}, limit = 10, windowMs = MINUTE): Rule {
  return ruleOf({
    id: 'busy',
    name: 'busy',
    by: ['tenant'],
    condition: {
      type: 'threshold',
      measure: { series: CALLS, read: { type: 'count' }, unit: '' },
      windowMs,
      direction: 'above',
      limit,
      resolveLimit: limit,
    },
    ...more,
  })
}

/** A family with histories of its own. */
export class FamilyRun {
  readonly histories = new Histories()
  readonly family: RuleFamily
  readonly around: Surroundings
  readonly decisions: Decision[] = []
  /** Each time that somebody asked whether a rule is muted. */
  looks = 0

  constructor(rules: readonly Rule[]) {
    this.histories.configure([CALLS])
    this.family = new RuleFamily(rules)
    this.around = {
      histories: this.histories,
      calendar: new Calendar(),
      mutedBy: (rule, _group, _timeMs, isFiring) => {
        this.looks++
        const worse = rule.inhibitedBy.find(isFiring)
        return worse === undefined ? '' : `inhibited:${worse}`
      },
    }
  }

  calls(tenant: string, atMs: number, count: number): void {
    this.histories.add(deltaOf(CALLS, [tenant], atMs, { count }))
  }

  advance(watermarkMs: number): void {
    this.decisions.push(...this.family.advance(watermarkMs, this.around))
  }

  early(tenant: string, endMs: number): void {
    this.decisions.push(...this.family.early(tenant, endMs, this.around))
  }

  /** Changes as `rule group state minute`, and why nobody is told of one. */
  told(sinceMs: number): readonly string[] {
    return this.decisions.map(({ rule, group, change }) => {
      const { state, timeMs, mutedBy } = change
      const minute = (timeMs - sinceMs) / MINUTE
      return [rule.id, group, state, minute, ...(mutedBy === '' ? [] : [mutedBy])].join(' ')
    })
  }
}
