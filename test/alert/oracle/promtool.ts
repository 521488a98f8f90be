import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sample, Series } from './random-series.ts'
import type { Scenario } from './scenarios.ts'

/** When an alert fires for a service: from..to (exclusive), in minutes since the first bucket. */
export interface Firing {
  /** Name and level of the rule. */
  readonly rule: string
  readonly service: string
  readonly from: number
  readonly to: number
}

/** What promtool said: nothing where it found what was expected. */
export type Complaint = string

/** Longest text of a complaint: thousands of minutes may differ. */
const MAX_COMPLAINT = 4_000
const MAX_OUTPUT_BYTES = 1_000_000_000

/** Whether promtool of the Debian package `prometheus` is here. */
export function hasPromtool(): boolean {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Asks promtool whether Prometheus fires at each minute for just the services that are expected. */
export function askPromtool(
  scenario: Scenario,
  series: readonly Series[],
  firings: readonly Firing[],
): Complaint {
  const folder = mkdtempSync(join(tmpdir(), 'spanmeter-promtool-'))
  try {
    // JSON is YAML.
    writeFileSync(join(folder, 'rules.yaml'), JSON.stringify(rulesOf(scenario)))
    writeFileSync(join(folder, 'tests.yaml'), JSON.stringify(testsOf(scenario, series, firings)))
    const { status, stdout, stderr, error } = spawnSync(
      'promtool',
      ['test', 'rules', join(folder, 'tests.yaml')],
      { encoding: 'utf8', maxBuffer: MAX_OUTPUT_BYTES },
    )
    if (error !== undefined) throw error
    if (status === 0) return ''
    return differences(`${stdout}${stderr}`).join('\n').slice(0, MAX_COMPLAINT)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const CASE =
  /alertname: (?<rule>\S+), time: (?<time>\S+),\s*exp:\[(?<ours>[^\]]*)\],\s*got:\[(?<theirs>[^\]]*)\]/g

/** What promtool writes of each minute that differs, a line for each service. */
function differences(output: string): readonly string[] {
  const found = [...output.matchAll(CASE)].flatMap(({ groups = {} }) => {
    const { rule = '', time = '', ours = '', theirs = '' } = groups
    const [expected, got] = [servicesIn(ours), servicesIn(theirs)]
    const line = (service: string, who: string) => `${time} ${rule} ${service}: only ${who}`
    return [
      ...[...expected.difference(got)].map((service) => line(service, 'Spanmeter fires')),
      ...[...got.difference(expected)].map((service) => line(service, 'Prometheus fires')),
    ]
  })
  return found.length > 0 ? found : [output]
}

function servicesIn(alerts: string): ReadonlySet<string> {
  return new Set([...alerts.matchAll(/service="([^"]+)"/g)].map(([, service = '']) => service))
}

function rulesOf({ stepMinutes, alerts }: Scenario): unknown {
  const rules = alerts.map(({ rule, expr, forMinutes, keepMinutes }) => ({
    alert: rule,
    expr,
    for: `${forMinutes}m`,
    keep_firing_for: `${keepMinutes}m`,
  }))
  return { groups: [{ name: 'ours', interval: `${stepMinutes}m`, rules }] }
}

function testsOf(
  { stepMinutes, alerts, buckets }: Scenario,
  series: readonly Series[],
  firings: readonly Firing[],
): unknown {
  const ends = Array.from({ length: buckets }, (_, i) => (i + 1) * stepMinutes)
  const byRule = Map.groupBy(firings, ({ rule }) => rule)
  const expected = alerts.flatMap(({ rule }) =>
    ends.map((end) => ({
      eval_time: `${end}m`,
      alertname: rule,
      exp_alerts: (byRule.get(rule) ?? [])
        .filter(({ from, to }) => from <= end && end < to)
        .map(({ service }) => ({ exp_labels: { service } })),
    })),
  )
  return {
    rule_files: ['rules.yaml'],
    evaluation_interval: `${stepMinutes}m`,
    tests: [
      {
        interval: `${stepMinutes}m`,
        input_series: series.flatMap(({ service, samples }) => [
          { series: `calls{service="${service}"}`, values: valuesOf(samples, 'count') },
          { series: `bad{service="${service}"}`, values: valuesOf(samples, 'bad') },
          { series: `cents{service="${service}"}`, values: valuesOf(samples, 'cents') },
        ]),
        alert_rule_test: expected,
      },
    ],
  }
}

/** A bucket's sample stands at its end: nothing stands at the start of the first one. */
function valuesOf(samples: readonly (Sample | undefined)[], key: keyof Sample): string {
  return ['_', ...samples.map((sample) => sample?.[key] ?? '_')].join(' ')
}
