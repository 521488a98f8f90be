import { describe, expect, test } from 'vitest'
import type { Alert } from '../../schemas/items.ts'
import { alerts } from '../../schemas/topics.ts'
import { type AlertParts, toAlert } from '../../services/alert/alert-record.ts'
import { TEMPLATE_VARIABLES } from '../../services/alert/templates.ts'
import type { Change } from '../../services/alert/state-machine.ts'
import { MINUTE, NOON, ruleOf, verdictOf } from './alert-samples.ts'

const FIRING: Change = {
  state: 'firing',
  previous: 'pending',
  reason: 'condition',
  timeMs: NOON,
  firingSinceMs: NOON,
  notify: true,
  mutedBy: '',
}
const WINDOW = { windowStartMs: NOON - 5 * MINUTE }

const PARTS: AlertParts = {
  rule: ruleOf({
    id: 'slow/p95',
    level: 'p95',
    severity: 'critical',
    annotations: { runbook: 'https://example.com/{{model}}', team: 'for {{tenant}}' },
  }),
  group: { tenant: 'acme', model: 'gpt-4o' },
  change: FIRING,
  verdict: verdictOf('bad', NOON, { ...WINDOW, baseline: 2.5 }),
  evidence: {
    contributors: [
      { dimension: 'endpoint', name: '/chat', value: 120 },
      { dimension: 'endpoint', name: '', value: 3.5 },
    ],
    traceIds: ['0af7651916cd43dd8448eb211c80319c'],
  },
  grafanaUrl: 'https://grafana.example.com',
}

const nanos = (ms: number): bigint => BigInt(ms) * 1_000_000n

describe('the record of a change', () => {
  test('has all that is known of it', () => {
    const from = NOON - 20 * MINUTE
    const to = NOON + 5 * MINUTE
    const expected: Alert = {
      // Digits of SHA-256 of ["slow/p95",["acme","gpt-4o"],"firing","condition",NOON,NOON,NOON].
      alert_id: 'f778a884483345f9438e0359b8e58d5b',
      incident_id: '5a59d05a2acb663517d01b1c10063cbc',
      rule: 'slow',
      level: 'p95',
      group: { tenant: 'acme', model: 'gpt-4o' },
      state: 'firing',
      previous_state: 'pending',
      reason: 'condition',
      severity: 'critical',
      notify: true,
      muted_by: '',
      time_unix_nano: nanos(NOON),
      firing_since_unix_nano: nanos(NOON),
      window_start_unix_nano: nanos(NOON - 5 * MINUTE),
      window_end_unix_nano: nanos(NOON),
      value: 6.2,
      threshold: 5,
      baseline: 2.5,
      count: 1_234n,
      unit: 's',
      summary: 'P95 of gpt-4o is 6.2 s, more than 5 s',
      labels: { area: 'latency' },
      annotations: { runbook: 'https://example.com/gpt-4o', team: 'for acme' },
      contributors: PARTS.evidence.contributors,
      trace_ids: PARTS.evidence.traceIds,
      link: `https://grafana.example.com/d/latency?from=${from}&to=${to}&var-tenant=acme`,
    }
    expect(toAlert(PARTS)).toEqual(expected)
  })

  test('comes back from its bytes as it was, evidence and all', () => {
    const alert = toAlert(PARTS)
    const [decoded] = alerts.codec.decode(alerts.codec.encode([alert]))
    expect(decoded).toEqual(alert)
    expect(decoded?.contributors).toHaveLength(2)
    expect(decoded?.trace_ids).toHaveLength(1)
    expect(decoded?.link).toMatch(
      /^https:\/\/grafana\.example\.com\/d\/latency\?from=\d{13}&to=\d{13}&/,
    )
    expect([decoded?.value, decoded?.threshold, decoded?.baseline]).toEqual([6.2, 5, 2.5])
  })

  test('has no incident, no values and no link where there are none', () => {
    const change: Change = {
      state: 'inactive',
      previous: 'pending',
      reason: 'rule_removed',
      timeMs: NOON,
      firingSinceMs: 0,
      notify: false,
      mutedBy: '',
    }
    const nothing = { value: null, threshold: null, count: 0, windowStartMs: 0, windowEndMs: 0 }
    const verdict = verdictOf('nothing', 0, nothing)
    const evidence = { contributors: [], traceIds: [] }
    const alert = toAlert({ ...PARTS, change, verdict, evidence, grafanaUrl: '' })
    expect(alert).toMatchObject({
      incident_id: '',
      state: 'inactive',
      notify: false,
      firing_since_unix_nano: 0n,
      window_start_unix_nano: 0n,
      window_end_unix_nano: 0n,
      value: null,
      threshold: null,
      count: 0n,
      summary: 'P95 of gpt-4o is no data, more than ',
      link: '',
    })
    expect(alerts.codec.decode(alerts.codec.encode([alert]))).toEqual([alert])
  })

  test('says who keeps it quiet', () => {
    const change = { ...FIRING, notify: false, mutedBy: 'inhibited:14.4x' }
    expect(toAlert({ ...PARTS, change })).toMatchObject({
      notify: false,
      muted_by: 'inhibited:14.4x',
    })
  })
})

describe('ids', () => {
  const idsOf = (more: Partial<AlertParts>) => toAlert({ ...PARTS, ...more })
  const first = toAlert(PARTS)

  test('are the same for the same change, whatever is said of it', () => {
    const again = idsOf({
      rule: { ...PARTS.rule, summary: 'another', severity: 'info', labels: {} },
      change: { ...FIRING, notify: false, mutedBy: 'silence:s' },
      group: { model: 'gpt-4o', tenant: 'acme' },
      evidence: { contributors: [], traceIds: [] },
      grafanaUrl: '',
    })
    expect([again.alert_id, again.incident_id]).toEqual([first.alert_id, first.incident_id])
    expect(first.alert_id).toMatch(/^[0-9a-f]{32}$/)
    expect(first.incident_id).toMatch(/^[0-9a-f]{32}$/)
  })

  test('of an incident are the same from firing to resolved, those of its changes are not', () => {
    const verdict = verdictOf('good', NOON + MINUTE)
    const timeMs = NOON + MINUTE
    const later: readonly Change[] = [
      { ...FIRING, previous: 'firing', reason: 'reminder', timeMs },
      { ...FIRING, previous: 'firing', reason: 'unmuted', timeMs },
      { ...FIRING, state: 'resolved', previous: 'firing', timeMs },
    ]
    const all = [first, ...later.map((change) => idsOf({ change, verdict }))]
    expect(new Set(all.map(({ incident_id: id }) => id)).size).toBe(1)
    expect(new Set(all.map(({ alert_id: id }) => id)).size).toBe(4)
  })

  test('differ by rule, level, group, time and incident', () => {
    const others = [
      idsOf({ rule: { ...PARTS.rule, id: 'slow/p99' } }),
      idsOf({ group: { tenant: 'acme', model: 'gpt-4' } }),
      // Not told apart by the order of the values alone.
      idsOf({ group: { tenant: 'gpt-4o', model: 'acme' } }),
      idsOf({ change: { ...FIRING, timeMs: NOON + 1, firingSinceMs: NOON + 1 } }),
    ]
    for (const key of ['alert_id', 'incident_id'] as const) {
      expect(new Set([first, ...others].map((alert) => alert[key])).size).toBe(5)
    }
    const window = idsOf({ verdict: verdictOf('bad', NOON + MINUTE) })
    expect(window.alert_id).not.toBe(first.alert_id)
    expect(window.incident_id).toBe(first.incident_id)
  })
})

const summaryOf = (summary: string, more: Partial<AlertParts> = {}): string =>
  toAlert({ ...PARTS, rule: { ...PARTS.rule, summary }, ...more }).summary
const show = (tenant: string): string =>
  summaryOf('[{{tenant}}]', { group: { ...PARTS.group, tenant } })

describe('texts', () => {
  test('may name all that a rule file may', () => {
    const summary = TEMPLATE_VARIABLES.map((name) => `${name}={{${name}}}`).join(' ')
    expect(summaryOf(summary)).toBe(
      'value=6.2 s threshold=5 s baseline=2.5 s count=1,234 rule=slow level=p95 severity=critical ' +
        `from=${NOON - 20 * MINUTE} to=${NOON + 5 * MINUTE} grafana=https://grafana.example.com`,
    )
  })

  test('show an empty value as none, and one that is long or has lines within a line', () => {
    expect(show('')).toBe('[(none)]')
    expect(show(' \n ')).toBe('[(none)]')
    expect(show('a\r\n\u2028b\u0000c')).toBe('[a b c]')
    expect(show('<a> & "b"')).toBe('[<a> & "b"]')
    expect(show('x'.repeat(200))).toBe(`[${'x'.repeat(200)}]`)
    expect(show('x'.repeat(201))).toBe(`[${'x'.repeat(199)}…]`)
    // Nothing of a character that is cut in two.
    expect(show(`${'x'.repeat(198)}😀${'x'.repeat(9)}`)).toBe(`[${'x'.repeat(198)}…]`)
    expect(show('a\uD800')).toBe('[a\uFFFD]')
  })

  test('the group, and the link to it, keep a value as it is', () => {
    const group = { tenant: '', model: 'a\nb' }
    const rule = { ...PARTS.rule, link: '{{grafana}}/d?t={{tenant}}&m={{model}}' }
    const alert = toAlert({ ...PARTS, rule, group })
    expect(alert.group).toEqual(group)
    expect(alert.link).toBe('https://grafana.example.com/d?t=&m=a%0Ab')
  })

  test('a part about what there is not can be left out', () => {
    const text = '{{value}}{{#baseline}}, usually {{baseline}}{{/baseline}}'
    expect(summaryOf(text)).toBe('6.2 s, usually 2.5 s')
    expect(summaryOf(text, { verdict: verdictOf('bad', NOON, WINDOW) })).toBe('6.2 s')
  })
})
