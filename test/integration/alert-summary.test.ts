import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type ClickHouse, connectClickHouse } from '#runtime/clickhouse.ts'
import { migrate, parseMigrationVariables } from '#runtime/migrations.ts'
import { formatAlerts, incidentsSince, readAlertChanges } from '../../services/cli/alert-summary.ts'

/**
 * Goal: the summary says of alerts what ClickHouse has of them, and nothing of other times. Method:
 * changes as the sink lands them, three minutes apart, read back over part of that time.
 */

const START_MS = Date.parse('2026-11-21T10:00:00Z')
const MINUTE_MS = 60_000
const minute = (n: number) => `${START_MS + n * MINUTE_MS}000000`

let clickhouse: ClickHouse

beforeAll(async () => {
  const database = `alerts_${randomBytes(4).toString('hex')}`
  const url = inject('clickhouseUrl')
  clickhouse = connectClickHouse({ url, user: 'default', password: '', database })
  await migrate(clickhouse, { variables: parseMigrationVariables({}) })
  // Minute, incident, state, severity, whether channels are told, start, value.
  const changes = [
    [0, 'old', 'firing', 'warning', true, minute(0), 0.5],
    [3, '', 'pending', 'warning', true, 0, 0.06],
    [6, 'one', 'firing', 'warning', true, minute(6), 0.0884],
    [9, 'two', 'firing', 'critical', true, minute(9), 0.31],
    [12, 'mute', 'firing', 'info', false, minute(12), 0.07],
    [15, 'one', 'resolved', 'warning', true, minute(6), 0.02],
  ] as const
  const rows = changes.map(
    ([n, incident, state, severity, notify, since, value]) =>
      `('${n}', '${incident}', 'error-rate', '', map('model', 'claude-haiku-4-5'), '${state}', '${severity}', ` +
      `${notify}, ${minute(n)}, ${since}, ${value}, 0.05, 'ratio')`,
  )
  await clickhouse.command(
    `INSERT INTO ${database}.alerts_landing (alert_id, incident_id, rule, level, \`group\`, state, severity,
       notify, time_unix_nano, firing_since_unix_nano, value, threshold, unit)
     VALUES ${rows.join(', ')}`,
  )
})

afterAll(async () => {
  await clickhouse.command(`DROP DATABASE IF EXISTS ${clickhouse.database}`)
  await clickhouse.close()
})

test('Alerts of a time are read back and told of, the start included and the end not', async () => {
  const changes = await readAlertChanges(
    clickhouse,
    START_MS + 3 * MINUTE_MS,
    START_MS + 15 * MINUTE_MS + 1,
  )
  expect(changes.map(({ state }) => state)).toEqual([
    'pending',
    'firing',
    'firing',
    'firing',
    'resolved',
  ])
  const text = [
    'severity  rule        group                   fired (UTC)  resolved   value  threshold',
    'warning   error-rate  model=claude-haiku-4-5     10:06:00  10:15:00  8.84 %        5 %',
    'critical  error-rate  model=claude-haiku-4-5     10:09:00    firing    31 %        5 %',
    '',
    '2 alerts fired, 1 resolved, 1 more told nobody (muted).',
  ]
  expect(formatAlerts(incidentsSince([], changes))).toEqual(text)
  const cut = await readAlertChanges(clickhouse, START_MS, START_MS + 15 * MINUTE_MS)
  expect(cut.map(({ state }) => state)).not.toContain('resolved')
  expect(incidentsSince(changes, cut).alerts).toMatchObject([
    { firedAt: '2026-11-21T10:00:00.000Z', resolvedAt: null, value: 0.5 },
  ])
})
