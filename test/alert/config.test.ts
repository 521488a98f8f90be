import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parseConfig, readRules } from '../../services/alert/config.ts'
import { ConfigError } from '../../services/runtime/config.ts'

const folder = mkdtempSync(join(tmpdir(), 'alert-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  return path
}
const rule = (name: string, limit = '5s') =>
  `rules: [{ name: ${name}, metric: mean(duration), window: 1m, condition: { above: ${limit} } }]`
const CHANNELS = file(
  'channels.yaml',
  'channels: [{ name: hook, type: webhook, url: "https://example.com/hook", secret: "a long secret" }]',
)
const OWN = { SPANMETER_ALERT_SHIPPED_RULES: 'false' }

const namesOf = (env: Readonly<Record<string, string>>) => [
  ...new Set(readRules(env).rules.map(({ name }) => name)),
]
const labelsOf = (text: string) =>
  parseConfig({ ...OWN, SPANMETER_METRICS_LABELS: text }).metricsLabels

describe('The configuration of alert', () => {
  test('has the rules that ship and no channel, where nothing is set', () => {
    const config = parseConfig({})
    expect(config.rules.rules.length).toBeGreaterThan(20)
    expect(config).toMatchObject({
      channels: [],
      grafanaUrl: '',
      idleMs: 15_000,
      metricsPort: 9467,
      metricsLabels: [],
      metricsMaxSeries: 2_000,
      watched: [],
    })
  })

  test('watches the files and folders that it names', () => {
    const rules = file('watched.yaml', rule('a'))
    const config = parseConfig({
      SPANMETER_ALERT_RULES: `${rules},${folder}/none-else`.replace(/,.*/, ''),
      SPANMETER_ALERT_CHANNELS: CHANNELS,
    })
    expect(config.watched).toEqual([rules, CHANNELS])
    expect(config.channels.map(({ name }) => name)).toEqual(['hook'])
  })

  test('names labels of metrics that there are, each once', () => {
    expect(labelsOf('tenant, feature,tenant')).toEqual(['tenant', 'feature'])
    expect(() => labelsOf('tenant,user')).toThrow(/SPANMETER_METRICS_LABELS=.*may name tenant, /)
  })

  test('takes the slash from the end of Grafana’s address', () => {
    const { grafanaUrl } = parseConfig({ SPANMETER_GRAFANA_URL: 'https://grafana.example/a/' })
    expect(grafanaUrl).toBe('https://grafana.example/a')
  })
})

describe('Rules', () => {
  test('of one’s own come to those that ship', () => {
    const names = namesOf({ SPANMETER_ALERT_RULES: file('more.yaml', rule('mine')) })
    expect(names).toEqual(expect.arrayContaining(['mine', 'cost-spike']))
  })

  test('of one’s own may be all', () => {
    const SPANMETER_ALERT_RULES = file('alone.yaml', rule('mine'))
    expect(namesOf({ ...OWN, SPANMETER_ALERT_RULES })).toEqual(['mine'])
    expect(namesOf(OWN)).toEqual([])
  })

  test('replace those of the same name in files before', () => {
    const SPANMETER_ALERT_RULES = [
      file('one.yaml', rule('mine', '5s')),
      file('two.yaml', rule('mine', '7s')),
      file('three.yaml', rule('latency-p95', '9s')),
    ].join(', ')
    const limits = readRules({ SPANMETER_ALERT_RULES }).rules.flatMap(({ name, condition }) =>
      condition.type === 'threshold' ? [[name, condition.limit] as const] : [],
    )
    expect(Object.fromEntries(limits)).toMatchObject({ mine: 7, 'latency-p95': 9 })
    expect(limits.filter(([name]) => name === 'mine')).toHaveLength(1)
  })

  test('of a folder are those of its YAML files, in the order of their names', () => {
    file('many/b.yaml', rule('mine', '2s'))
    file('many/a.yml', rule('mine', '1s'))
    file('many/c.txt', 'no rules')
    const { rules } = readRules({ ...OWN, SPANMETER_ALERT_RULES: join(folder, 'many') })
    expect(rules.map(({ condition }) => condition)).toMatchObject([{ limit: 2 }])
  })
})

describe('What cannot be read', () => {
  test.each([
    ['SPANMETER_ALERT_RULES', join(folder, 'missing.yaml'), 'missing.yaml'],
    ['SPANMETER_ALERT_RULES', file('list.yaml', 'rules: ['), 'list.yaml'],
    ['SPANMETER_ALERT_RULES', file('bad.yaml', 'rules: [{ name: a }]'), 'bad.yaml line 1'],
    ['SPANMETER_ALERT_CHANNELS', join(folder, 'none.yaml'), 'none.yaml'],
    ['SPANMETER_ALERT_CHANNELS', file('bad-channels.yaml', 'channels: [{}]'), 'bad-channels.yaml'],
    ['SPANMETER_ALERT_SHIPPED_RULES', 'no', 'SPANMETER_ALERT_SHIPPED_RULES=no'],
    ['SPANMETER_GRAFANA_URL', 'grafana.example', 'https://'],
    ['SPANMETER_ALERT_IDLE_MS', '10', 'at least 1000'],
    ['SPANMETER_ALERT_METRICS_PORT', '70000', 'at most 65535'],
  ])('%s=%s is refused', (name, value, message) => {
    const read = () => parseConfig({ [name]: value })
    expect(read).toThrow(ConfigError)
    expect(read).toThrow(name)
    expect(read).toThrow(message)
  })
})
