import { describe, expect, test } from 'vitest'
import {
  type AlertChange,
  type AlertSummary,
  formatAlerts,
  incidentsSince,
} from '../../services/cli/alert-summary.ts'

const change = (told: Partial<AlertChange>): AlertChange => ({
  rule: 'error-rate',
  level: '',
  group: { model: 'claude-haiku-4-5' },
  state: 'firing',
  severity: 'warning',
  notify: true,
  time: '2026-11-21 10:22:00.000000000',
  firing_since: '2026-11-21 10:22:00.000000000',
  value: 0.088,
  threshold: 0.05,
  unit: 'ratio',
  incident_id: 'a',
  ...told,
})
const end = (told: Partial<AlertChange> = {}) =>
  change({ state: 'resolved', time: '2026-11-21 10:41:00.000000000', value: 0.048, ...told })

describe('Incidents', () => {
  test('last from firing to resolved, with the value that made them fire', () => {
    const reminder = change({ time: '2026-11-21 10:30:00.000000000', value: 0.38 })
    expect(incidentsSince([], [end(), reminder, change({})])).toEqual({
      alerts: [
        {
          rule: 'error-rate',
          level: '',
          group: { model: 'claude-haiku-4-5' },
          severity: 'warning',
          firedAt: '2026-11-21T10:22:00.000Z',
          resolvedAt: '2026-11-21T10:41:00.000Z',
          value: 0.088,
          threshold: 0.05,
          unit: 'ratio',
        },
      ],
      mutedAlerts: 0,
    })
  })

  test('that have not ended still fire', () => {
    expect(incidentsSince([], [change({})]).alerts).toMatchObject([{ resolvedAt: null }])
  })

  test('stand in the order of firing, those of one time by rule', () => {
    const early = '2026-11-21 10:05:00.000000000'
    const { alerts } = incidentsSince(
      [],
      [
        change({ incident_id: 'b', rule: 'zeta' }),
        change({ incident_id: 'c', rule: 'quality', level: 'low' }),
        change({ incident_id: 'd', rule: 'late', time: early, firing_since: early }),
      ],
    )
    expect(alerts.map(({ rule }) => rule)).toEqual(['late', 'quality', 'zeta'])
  })

  test('of an earlier run do not count, but what became of them since does', () => {
    const before = [change({}), change({ incident_id: 'b' }), end({ incident_id: 'b' })]
    const { alerts } = incidentsSince(before, [...before, end()])
    expect(alerts).toHaveLength(1)
    expect(alerts).toMatchObject([
      { firedAt: '2026-11-21T10:22:00.000Z', resolvedAt: '2026-11-21T10:41:00.000Z' },
    ])
  })

  test('that nobody was told of are counted alone', () => {
    const quiet = { incident_id: 'b', notify: false }
    const found = incidentsSince([], [change(quiet), end(quiet), change({})])
    expect([found.alerts.length, found.mutedAlerts]).toEqual([1, 1])
  })

  test('that were told of later are told of', () => {
    const reminder = change({ time: '2026-11-21 10:30:00.000000000' })
    const found = incidentsSince([], [change({ notify: false }), reminder])
    expect([found.alerts.length, found.mutedAlerts]).toEqual([1, 0])
  })

  test('are not made of what is pending or was', () => {
    const none = { incident_id: '', firing_since: null }
    const changes = [change({ ...none, state: 'pending' }), change({ ...none, state: 'inactive' })]
    expect(incidentsSince([], changes)).toEqual({ alerts: [], mutedAlerts: 0 })
  })
})

const alert = (told: Partial<AlertSummary>): AlertSummary => ({
  rule: 'error-rate',
  level: '',
  group: { model: 'gpt-4o' },
  severity: 'warning',
  firedAt: '2026-11-21T10:22:00.000Z',
  resolvedAt: null,
  value: 0.0884,
  threshold: 0.05,
  unit: 'ratio',
  ...told,
})
const format = (alerts: readonly AlertSummary[], mutedAlerts = 0) =>
  formatAlerts({ alerts, mutedAlerts })

describe('The table', () => {
  test('has a line for each alert, and the totals', () => {
    const resolved = alert({ resolvedAt: '2026-11-21T10:41:00.000Z' })
    const burn = alert({
      rule: 'error-budget',
      level: '14.4x',
      severity: 'critical',
      group: {},
      value: 21.456,
      threshold: 14.4,
      unit: 'x',
    })
    expect(format([resolved, burn], 2)).toEqual([
      'severity  rule                group         fired (UTC)  resolved   value  threshold',
      'warning   error-rate          model=gpt-4o     10:22:00  10:41:00  8.84 %        5 %',
      'critical  error-budget/14.4x                   10:22:00    firing   21.5x      14.4x',
      '',
      '2 alerts fired, 1 resolved, 2 more told nobody (muted).',
    ])
  })

  test('of no alert says so', () => {
    expect(format([])).toEqual(['No alerts fired.'])
    expect(format([], 3)).toEqual(['No alerts fired, 3 more told nobody (muted).'])
  })

  test('ends after twenty lines with the number of the others', () => {
    const many = Array.from({ length: 1_025 }, () => alert({}))
    const lines = format(many)
    expect(lines.slice(21)).toEqual(['… and 1,005 more', '', '1,025 alerts fired, 0 resolved.'])
    expect(format(many.slice(0, 20)).slice(21)).toEqual(['', '20 alerts fired, 0 resolved.'])
    expect(format(many.slice(0, 1)).at(-1)).toBe('1 alert fired, 0 resolved.')
  })

  test('cuts a long group short', () => {
    const [, line = ''] = format([alert({ group: { tenant: 'x'.repeat(200), model: 'y' } })])
    expect(line).toContain(`tenant=${'x'.repeat(52)}…  `)
  })

  test.each([
    [0.0884, 'ratio', '8.84 %'],
    [7.3456, 's', '7.35 s'],
    [12_345.6, 'USD', '12,346 USD'],
    [0.000_123_4, 'USD', '0.000123 USD'],
    [0.6456, 'score', '0.646'],
    [9_876_543, 'tokens', '9,876,543 tokens'],
    [42, '', '42'],
    [42, 'none', '42'],
    [null, 's', '-'],
  ])('writes %d in %s as %s', (value, unit, text) => {
    const [, line = ''] = format([alert({ value, unit, threshold: null })])
    expect(line.endsWith(`  ${text}          -`)).toBe(true)
  })
})
