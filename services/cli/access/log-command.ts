import { Command, InvalidArgumentError } from 'commander'
import { connectClickHouse } from '#runtime/clickhouse.ts'
import { ConfigError, type Env, parseCommonConfig } from '#runtime/config.ts'
import { readTime } from '#runtime/time-option.ts'
import { formatReads, readAccessLog } from './access-log.ts'

interface Flags {
  readonly from?: number
  readonly to?: number
  readonly user?: string
  readonly limit: number
  readonly json?: boolean
}

const DAY_MS = 86_400_000
const DEFAULT_LIMIT = 100
const MAX_LIMIT = 100_000

/** `spanmeter access log`: who read what people said, when, and from where. */
export function createAccessLogCommand(env: Env): Command {
  return new Command('log')
    .description(
      'show who read prompts, completions, dead letters and the like (docs/retention.md)',
    )
    .option('--from <time>', 'since then, ISO 8601 (default: a day ago)', readTime)
    .option('--to <time>', 'up to then (default: now)', readTime)
    .option('--user <name>', 'of one user of ClickHouse')
    .option('--limit <n>', 'at most so many, the newest', readLimit, DEFAULT_LIMIT)
    .option('--json', 'print one line of JSON')
    .action(async (flags: Flags) => {
      const config = parseCommonConfig(env).clickhouse
      const clickhouse = connectClickHouse(config)
      try {
        const toMs = flags.to ?? Date.now()
        const fromMs = flags.from ?? toMs - DAY_MS
        const { user = '', limit } = flags
        const found = await readAccessLog(clickhouse, { fromMs, toMs, user, limit })
        if (found === undefined) throw noLog(config.user)
        const page = [...formatReads(found.reads), `The log begins at ${found.since} (UTC).`]
        const lines = flags.json === true ? [JSON.stringify(found)] : page
        process.stdout.write(`${lines.join('\n')}\n`)
      } finally {
        await clickhouse.close()
      }
    })
}

function noLog(user: string): ConfigError {
  return new ConfigError(
    `ClickHouse keeps no log of queries that ${user} may see. The embedded server keeps none; on a server ` +
      'of your own give it a query_log (services/compose/clickhouse.xml has one), and ask as migrator.',
  )
}

function readLimit(text: string): number {
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_LIMIT}.`)
}
