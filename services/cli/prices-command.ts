import { Command } from 'commander'
import { type ClickHouse, connectClickHouse } from '#runtime/clickhouse.ts'
import { type Env, parseCommonConfig } from '#runtime/config.ts'
import { toDateTime64 } from '#runtime/iso-time.ts'
import type { Logger } from '#runtime/log.ts'
import { readQuery } from '#runtime/queries.ts'
import { textTable } from '#runtime/text-table.ts'
import { readTime } from '#runtime/time-option.ts'

interface Flags {
  readonly from?: number
  readonly to?: number
  readonly json?: boolean
}

/** Calls that have no price for the same reason. */
interface Missing {
  readonly provider: string
  readonly model: string
  readonly tier: string
  readonly reason: string
  readonly tenants: number
  readonly calls: number
  readonly input_tokens: number
  readonly output_tokens: number
  readonly first_seen: string
  readonly last_seen: string
}

interface MissingRow {
  readonly provider: string
  readonly model: string
  readonly tier: string
  readonly reason: string
  readonly tenants: string
  readonly calls: string
  readonly input_tokens: string
  readonly output_tokens: string
  readonly first_ms: string
  readonly last_ms: string
}

const DEFAULT_RANGE_MS = 7 * 86_400_000
const MAX_ROWS = 200
const TEXT_COLUMNS = 4

/** `spanmeter prices`: what is to be known about prices. */
export function createPricesCommand(options: { env: Env; logger: Logger }): Command {
  const missing = new Command('missing')
    .description('list the models that have no price, those with the most tokens first')
    .option(
      '--from <time>',
      'calls from this time on, ISO 8601 (default: 7 days before --to)',
      readTime,
    )
    .option('--to <time>', 'calls before this time (default: now)', readTime)
    .option('--json', 'print one line of JSON')
    .action(async (flags: Flags) => {
      const toMs = flags.to ?? Date.now()
      const fromMs = flags.from ?? toMs - DEFAULT_RANGE_MS
      if (fromMs >= toMs) missing.error('error: --from must be before --to')
      const clickhouse = connectClickHouse(
        parseCommonConfig(options.env).clickhouse,
        options.logger,
      )
      try {
        const found = await readMissing(clickhouse, { fromMs, toMs })
        const range = { from: iso(fromMs), to: iso(toMs) }
        const text =
          flags.json === true ? JSON.stringify({ ...range, missing: found }) : page(found, range)
        process.stdout.write(`${text}\n`)
      } finally {
        await clickhouse.close()
      }
    })
  return new Command('prices')
    .description('look after prices (see docs/repricing.md)')
    .addCommand(missing)
}

async function readMissing(
  clickhouse: ClickHouse,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Promise<readonly Missing[]> {
  const rows = await clickhouse.query<MissingRow>(readQuery('prices_missing'), {
    from: toDateTime64(Math.max(0, fromMs)),
    to: toDateTime64(toMs),
    limit: MAX_ROWS,
  })
  return rows.map((row) => ({
    provider: row.provider,
    model: row.model,
    tier: row.tier,
    reason: row.reason,
    tenants: Number(row.tenants),
    calls: Number(row.calls),
    input_tokens: Number(row.input_tokens),
    output_tokens: Number(row.output_tokens),
    first_seen: iso(Number(row.first_ms)),
    last_seen: iso(Number(row.last_ms)),
  }))
}

function page(
  missing: readonly Missing[],
  range: { readonly from: string; readonly to: string },
): string {
  const when = `from ${range.from} to ${range.to}`
  if (missing.length === 0) return `Every model call ${when} that tells its usage has a price.`
  const rows = missing.map((row) => [
    row.provider,
    row.model === '' ? '(not told)' : row.model,
    row.tier,
    row.reason,
    ...[row.tenants, row.calls, row.input_tokens, row.output_tokens].map(number),
    row.first_seen,
    row.last_seen,
  ])
  return [
    `Calls without a price ${when}:`,
    '',
    ...textTable([COLUMNS, ...rows], TEXT_COLUMNS),
    '',
    'Add their prices to the file that SPANMETER_PRICES names (docs/prices.md), restart enrich, and then:',
    '',
    `  npm run spanmeter -- reprice --from ${range.from} --to ${range.to} --dry-run`,
  ].join('\n')
}

const COLUMNS = [
  'provider',
  'model',
  'tier',
  'why',
  'tenants',
  'calls',
  'tokens in',
  'tokens out',
  'first seen',
  'last seen',
]

function number(value: number): string {
  return value.toLocaleString('en-US')
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
