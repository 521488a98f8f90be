import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import {
  commaList,
  commonVariables,
  type CommonConfig,
  ConfigError,
  type Env,
  parseCommonConfig,
  readVariables,
  wholeNumber,
} from '#runtime/config.ts'
import { messageOf } from '#runtime/errors.ts'
import { type Channel, parseChannels } from './channel-file.ts'
import { METRIC_LABELS, type MetricLabel } from './llm-label-sets.ts'
import type { RuleSet } from './rule.ts'
import { parseRuleFiles, shippedRuleFiles } from './rule-file.ts'

/** The variables that say which rules hold. */
export const ruleVariables = {
  SPANMETER_ALERT_RULES: commaList()
    .default([])
    .describe(
      'Files of alert rules, or folders of them, separated by commas; see docs/alerts.md. They are read after the rules that ship, and replace those of the same name.',
    ),
  SPANMETER_ALERT_SHIPPED_RULES: z
    .enum(['true', 'false'])
    .default('true')
    .describe('Whether the rules that ship hold.'),
} as const

/** The variables that alert reads beside the common ones. */
export const alertVariables = {
  ...ruleVariables,
  SPANMETER_ALERT_CHANNELS: z
    .string()
    .optional()
    .describe(
      'File of the channels that are told of alerts; see docs/notifications.md. Unset: none.',
    ),
  SPANMETER_GRAFANA_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
    .optional()
    .describe('Address of Grafana, for the links of alerts. Unset: alerts carry no link.'),
  SPANMETER_ALERT_IDLE_MS: wholeNumber(1_000, 3_600_000)
    .default(15_000)
    .describe('A partition from which nothing came for this long does not hold alerts back.'),
  SPANMETER_ALERT_METRICS_PORT: wholeNumber(0, 65_535)
    .default(9467)
    .describe('Port of /metrics and /healthz of alert; 0 for any free one.'),
  SPANMETER_METRICS_LABELS: commaList()
    .pipe(z.array(z.enum(METRIC_LABELS, `may name ${METRIC_LABELS.join(', ')}`)))
    .default([])
    .describe(
      'Labels that the metrics of model calls have beside those of docs/metrics.md, separated by commas, such as tenant,feature.',
    ),
  SPANMETER_METRICS_MAX_SERIES: wholeNumber(3, 20_000)
    .default(2_000)
    .describe(
      'Most label sets of each of those metrics in one worker; what comes beyond has labels "(other)".',
    ),
} as const

/** Settings of alert. */
export interface AlertConfig extends CommonConfig {
  readonly metricsPort: number
  /** Labels of calls and scores beside those that are always there, and most label sets of each. */
  readonly metricsLabels: readonly MetricLabel[]
  readonly metricsMaxSeries: number
  readonly rules: RuleSet
  readonly channels: readonly Channel[]
  readonly grafanaUrl: string
  readonly idleMs: number
  /** Files and folders whose change is worth reading everything again. */
  readonly watched: readonly string[]
}

/** Reads alert's configuration, rules and channels. Throws ConfigError. */
export function parseConfig(env: Env): AlertConfig {
  const v = readVariables({ ...commonVariables, ...alertVariables }, env)
  const channels = v.SPANMETER_ALERT_CHANNELS
  return {
    ...parseCommonConfig(env),
    metricsPort: v.SPANMETER_ALERT_METRICS_PORT,
    metricsLabels: [...new Set(v.SPANMETER_METRICS_LABELS)],
    metricsMaxSeries: v.SPANMETER_METRICS_MAX_SERIES,
    rules: readRules(env),
    channels:
      channels === undefined
        ? []
        : complaining('SPANMETER_ALERT_CHANNELS', () =>
            parseChannels(readFileSync(channels, 'utf8'), channels, env),
          ),
    grafanaUrl: (v.SPANMETER_GRAFANA_URL ?? '').replace(/\/$/, ''),
    idleMs: v.SPANMETER_ALERT_IDLE_MS,
    watched: [...v.SPANMETER_ALERT_RULES, ...(channels === undefined ? [] : [channels])],
  }
}

/** The rules that ship and those of the user's own. Throws ConfigError. */
export function readRules(env: Env): RuleSet {
  const v = readVariables(ruleVariables, env)
  return complaining('SPANMETER_ALERT_RULES', () => {
    const shipped = v.SPANMETER_ALERT_SHIPPED_RULES === 'true' ? shippedRuleFiles() : []
    const files = [...shipped, ...v.SPANMETER_ALERT_RULES.flatMap(filesOf)]
    return parseRuleFiles(files.map((file) => ({ file, text: readFileSync(file, 'utf8') })))
  })
}

function filesOf(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .filter((name) => /\.ya?ml$/.test(name))
    .toSorted()
    .map((name) => join(path, name))
}

function complaining<T>(variable: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    const message = messageOf(cause)
    throw new ConfigError(`${variable}: ${message}`, { cause })
  }
}
