import { seriesOf } from './condition-samples.ts'
import type { Budget, Rule, Threshold, Verdict } from '../../services/alert/rule.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
/** A Wednesday, on the hour. */
export const NOON = Date.parse('2026-06-17T12:00:00Z')

const THRESHOLD: Threshold = {
  type: 'threshold',
  measure: { series: seriesOf('duration'), read: { type: 'quantile', q: 0.95 }, unit: 's' },
  windowMs: MINUTE,
  direction: 'above',
  limit: 5,
  resolveLimit: 4,
}

/** 80 % of 100 USD a day. */
export const BUDGET: Budget = {
  type: 'budget',
  measure: { series: seriesOf('cost'), read: { type: 'sum' }, unit: 'USD' },
  limit: 100,
  part: 0.8,
  isProjected: false,
  period: { unit: 'hour', timeZone: 'UTC', cycleDay: 1 },
  overrides: [],
}

/** A rule by tenant and model that looks each minute, fires and resolves at once, and never reminds. */
export function ruleOf(more: Partial<Rule> = {}): Rule {
  return {
    id: 'slow',
    name: 'slow',
    level: '',
    severity: 'warning',
    labels: { area: 'latency' },
    summary: 'P95 of {{model}} is {{value}}, more than {{threshold}}',
    annotations: {},
    link: '{{grafana}}/d/latency?from={{from}}&to={{to}}&var-tenant={{tenant}}',
    sources: ['spans'],
    by: ['tenant', 'model'],
    condition: THRESHOLD,
    everyMs: MINUTE,
    forCount: 1,
    resolveCount: 1,
    minCount: 1,
    noData: 'ok',
    renotifyMs: 0,
    flap: { firings: 0, withinMs: 0 },
    maintenance: [],
    isEarly: false,
    inhibitedBy: [],
    ...more,
  }
}

/** What a condition may say of the window that ends then. */
export function verdictOf(
  said: 'bad' | 'between' | 'good' | 'nothing',
  endMs: number,
  more: Partial<Verdict> = {},
): Verdict {
  return {
    holds: said === 'nothing' ? undefined : said === 'bad',
    isGood: said === 'good',
    value: 6.2,
    threshold: 5,
    baseline: null,
    count: 1_234,
    windowStartMs: endMs - MINUTE,
    windowEndMs: endMs,
    unit: 's',
    ...more,
  }
}
