import { expect, test } from 'vitest'
import { isFor, type Route } from '../../../services/alert/notify/route.ts'
import { alertOf } from './samples.ts'

const everything: Route = { severities: [], rules: [], labels: {}, groups: {} }

test.each<[string, Partial<Route>, boolean]>([
  ['nothing', {}, true],
  ['its severity', { severities: ['warning', 'critical'] }, true],
  ['another severity', { severities: ['info'] }, false],
  ['its rule', { rules: ['cost-spike'] }, true],
  ['another rule', { rules: ['cost-spikes', 'cost'] }, false],
  ['a pattern of its rule', { rules: ['cost-*'] }, true],
  ['a pattern that is the rule with an empty star', { rules: ['*cost-spike*'] }, true],
  ['its rule and level', { rules: ['cost-spike/2x'] }, true],
  ['any level of its rule', { rules: ['cost-spike/*'] }, true],
  ['another level', { rules: ['cost-spike/4x'] }, false],
  ['a pattern whose ends overlap', { rules: ['cost-spike*spike'] }, false],
  ['a pattern with parts in another order', { rules: ['*spike*cost*'] }, false],
  ['a pattern with parts in order', { rules: ['c*t-*k*'] }, true],
  ['its label', { labels: { team: ['search', 'pay*'] } }, true],
  ['another label', { labels: { team: ['search'] } }, false],
  ['a label that it has not', { labels: { owner: ['*'] } }, false],
  ['its group', { groups: { tenant: ['acme'] } }, true],
  ['two values of its group', { groups: { tenant: ['acme'], model: ['gpt-*'] } }, true],
  ['a value that differs', { groups: { tenant: ['acme'], model: ['claude-*'] } }, false],
  ['a dimension that it has not', { groups: { feature: ['*'] } }, false],
  ['severity and rule, of which one differs', { severities: ['info'], rules: ['*'] }, false],
])('A route that names %s', (_, route, expected) => {
  expect(isFor({ ...everything, ...route }, alertOf())).toBe(expected)
})
