import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createCheckCommand, nameOf } from '../../../services/alert/commands/check-command.ts'
import { runCommand } from './command-runs.ts'

const folder = mkdtempSync(join(tmpdir(), 'alert-check-'))
afterAll(() => rmSync(folder, { recursive: true }))
function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const GOOD = file(
  'good.yaml',
  'rules: [{ name: spend, metric: sum(cost), window: 1h, condition: { above: 1 USD } }]',
)
const BAD = file('bad.yaml', 'rules: [{ name: spend, metric: sum(money), window: 1h }]')
const OWN = { SPANMETER_ALERT_SHIPPED_RULES: 'false' }

test('Files that are right are summed up', async () => {
  const { out, error } = await runCommand(createCheckCommand(OWN), [GOOD])
  expect(error).toBe('')
  expect(out.split('\n')).toEqual([
    '1 rules are right: 1 with their levels, 1 of which fire before their windows end.',
    'They count 1 series; records may be 30 s late.',
    'Channels: none.',
    '',
  ])
})

test('Without files, those of the environment are read, and channels', async () => {
  const channels = file(
    'channels.yaml',
    'channels: [{ name: hook, type: webhook, url: "https://example.com/", secret: "a long secret" }]',
  )
  const env = { ...OWN, SPANMETER_ALERT_RULES: GOOD, SPANMETER_ALERT_CHANNELS: channels }
  const { out } = await runCommand(createCheckCommand(env), [])
  expect(out).toContain('1 rules are right')
  expect(out).toContain('Channels: hook.')
})

test('A mistake is told with its file and line, and nothing is said to be right', async () => {
  const { out, error } = await runCommand(createCheckCommand(OWN), [GOOD, BAD])
  expect(out).toBe('')
  expect(error).toContain('ConfigError: SPANMETER_ALERT_RULES')
  expect(error).toContain('bad.yaml line 1')
})

test.each([
  [{ name: 'slow', level: '' }, 'slow'],
  [{ name: 'slo', level: '14.4x' }, 'slo 14.4x'],
])('%j is written %s', (rule, text) => {
  expect(nameOf(rule)).toBe(text)
})
