import { Command } from 'commander'
import { connectClickHouse } from '#runtime/clickhouse.ts'
import type { Env } from '#runtime/config.ts'
import { createLogger } from '#runtime/log.ts'
import { readTime } from '#runtime/time-option.ts'
import type { Alert } from '#schemas/items.ts'
import { backtest } from '../backtest/backtest.ts'
import { parseConfig } from '../config.ts'
import { isoTime } from '../notify/alert-text.ts'
import { isFor } from '../notify/route.ts'
import { shareSeries } from '../rule-series.ts'
import { nameOf } from './check-command.ts'
import { CommandError } from './command-error.ts'
import { groupText, table } from './table.ts'

interface Flags {
  readonly from?: number
  readonly to?: number
  readonly rules?: readonly string[]
  readonly rule?: string
  readonly pending?: boolean
  readonly json?: boolean
}

const TELL_EVERY_MS = 1_000

/** `spanmeter alerts backtest`: what rules would have said of the past. */
export function createBacktestCommand(env: Env, signal: AbortSignal): Command {
  const command = new Command('backtest')
    .description(
      'put the spans and scores of the past through the rules, and print what would have fired',
    )
    .option('--from <time>', 'first end of a window: ISO 8601, such as 2026-11-01 (UTC)', readTime)
    .option('--to <time>', 'last end of a window (default: now)', readTime)
    .option('--rules <files...>', 'rule files (default: those of SPANMETER_ALERT_RULES)')
    .option('--rule <name>', 'only this rule')
    .option('--pending', 'print pending changes too')
    .option('--json', 'print one line of JSON last')
    .action(async (flags: Flags) => {
      const range = rangeOf(flags)
      if (range === undefined) command.error('error: give --from, a time before --to')
      else await run(env, flags, range, signal)
    })
  return command
}

function rangeOf({ from, to = Date.now() }: Flags) {
  return from === undefined || from >= to ? undefined : { fromMs: from, toMs: to }
}

async function run(
  env: Env,
  flags: Flags,
  range: { readonly fromMs: number; readonly toMs: number },
  signal: AbortSignal,
): Promise<void> {
  const given = flags.rules === undefined ? {} : { SPANMETER_ALERT_RULES: flags.rules.join(',') }
  const config = parseConfig({ ...env, ...given })
  const rules = onlyRule(config.rules, flags.rule)
  const logger = createLogger('alerts', env['SPANMETER_LOG_LEVEL'] ?? 'error')
  const clickhouse = connectClickHouse(config.clickhouse, logger)
  const onProgress = createProgress()
  try {
    const { grafanaUrl, channels } = config
    const found = await backtest({ clickhouse, rules, range, grafanaUrl, onProgress, signal })
    const shown = found.alerts.filter(
      ({ state }) => flags.pending === true || state === 'firing' || state === 'resolved',
    )
    const rows = shown.map((alert) => {
      const told = channels.filter(({ route }) => isFor(route, alert)).map(({ name }) => name)
      const tells = !alert.notify ? alert.muted_by || '-' : told.join(', ') || 'nobody'
      return { alert, tells }
    })
    process.stdout.write(`${page(rows, found.records)}\n`)
    if (flags.json === true) {
      const alerts = rows.map(({ alert, tells }) => ({ ...toJson(alert), tells }))
      process.stdout.write(`${JSON.stringify({ records: found.records, alerts })}\n`)
    }
  } finally {
    await clickhouse.close()
  }
}

function onlyRule(rules: ReturnType<typeof parseConfig>['rules'], name: string | undefined) {
  if (name === undefined) return rules
  const own = rules.rules.filter((rule) => rule.name === name)
  // Without the series of others, no more is read than this one looks back at.
  if (own.length > 0) return { ...rules, ...shareSeries(own) }
  const names = [...new Set(rules.rules.map((rule) => rule.name))]
  throw new CommandError(`There is no rule ${name}. There are: ${names.join(', ')}`)
}

function page(
  rows: readonly { readonly alert: Alert; readonly tells: string }[],
  records: number,
): string {
  const counted = `${records.toLocaleString('en-US')} records were looked at.`
  if (rows.length === 0) return `Nothing would have fired. ${counted}`
  const lines = rows.map(({ alert, tells }) => [
    isoTime(alert.time_unix_nano),
    alert.state,
    alert.severity,
    nameOf({ name: alert.rule, level: alert.level }),
    groupText(alert.group),
    tells,
    alert.summary,
  ])
  const head = ['time', 'state', 'severity', 'rule', 'group', 'tells', 'summary']
  return [...table([head, ...lines]), '', counted].join('\n')
}

function toJson(alert: Alert) {
  return {
    time: isoTime(alert.time_unix_nano),
    windowEnd: isoTime(alert.window_end_unix_nano),
    rule: alert.rule,
    level: alert.level,
    group: alert.group,
    state: alert.state,
    reason: alert.reason,
    severity: alert.severity,
    notify: alert.notify,
    value: alert.value,
    threshold: alert.threshold,
    baseline: alert.baseline,
    unit: alert.unit,
    summary: alert.summary,
  }
}

/** Tells a terminal how far it has come. */
function createProgress(): (timeMs: number, records: number) => void {
  let toldMs = performance.now()
  return (timeMs, records) => {
    if (!process.stderr.isTTY || performance.now() - toldMs < TELL_EVERY_MS) return
    toldMs = performance.now()
    const seen = records.toLocaleString('en-US')
    process.stderr.write(`${new Date(timeMs).toISOString()}: ${seen} records\n`)
  }
}
