import { Command } from 'commander'
import { connectClickHouse } from '#runtime/clickhouse.ts'
import { type Env, parseCommonConfig } from '#runtime/config.ts'
import { createLogger } from '#runtime/log.ts'
import { readQuery } from '#runtime/queries.ts'
import { readRules } from '../config.ts'
import { nameOf } from './check-command.ts'
import { groupText, table } from './table.ts'

interface FiringRow {
  readonly rule: string
  readonly level: string
  readonly group: Readonly<Record<string, string>>
  readonly severity: string
  readonly firing_since: string
  readonly summary: string
}

/** `spanmeter alerts list`: the rules, and what fires. */
export function createListCommand(env: Env): Command {
  return new Command('list')
    .description('list the rules, and what fires now')
    .option('--firing', 'only what fires')
    .option('--json', 'print one line of JSON')
    .action(async (flags: { readonly firing?: boolean; readonly json?: boolean }) => {
      const { rules } = readRules(env)
      const logger = createLogger('alerts', env['SPANMETER_LOG_LEVEL'] ?? 'error')
      const clickhouse = connectClickHouse(parseCommonConfig(env).clickhouse, logger)
      try {
        const firing = await clickhouse.query<FiringRow>(readQuery('alerts_firing'))
        if (flags.json === true) {
          const known = rules.map(({ name, level, severity, by }) => ({
            name,
            level,
            severity,
            by,
          }))
          process.stdout.write(`${JSON.stringify({ rules: known, firing })}\n`)
          return
        }
        const ruleRows = rules.map((rule) => [
          nameOf(rule),
          rule.severity,
          rule.by.join(', ') || '-',
          String(
            firing.filter(({ rule: r, level }) => r === rule.name && level === rule.level).length,
          ),
        ])
        const lines = [
          ...(flags.firing === true
            ? []
            : [...table([['rule', 'severity', 'by', 'firing'], ...ruleRows]), '']),
          ...firingPage(firing),
        ]
        process.stdout.write(`${lines.join('\n')}\n`)
      } finally {
        await clickhouse.close()
      }
    })
}

function firingPage(firing: readonly FiringRow[]): readonly string[] {
  if (firing.length === 0) return ['Nothing fires.']
  const rows = firing.map(({ rule, level, group, severity, firing_since, summary }) => [
    firing_since,
    severity,
    nameOf({ name: rule, level }),
    groupText(group),
    summary,
  ])
  return table([['firing since (UTC)', 'severity', 'rule', 'group', 'summary'], ...rows])
}
