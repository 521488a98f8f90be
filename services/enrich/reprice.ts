import { Command, InvalidArgumentError } from 'commander'
import { MODEL_CALL_KINDS } from '#schemas/topics.ts'
import { type ClickHouse, connectClickHouse } from '#runtime/clickhouse.ts'
import { ClickHouseError } from '#runtime/clickhouse-error.ts'
import { ConfigError } from '#runtime/config.ts'
import { describeError } from '#runtime/errors.ts'
import { connectKafka } from '#runtime/kafka.ts'
import { createLogger } from '#runtime/log.ts'
import { TransientError } from '#runtime/records.ts'
import { stopOnSignal } from '#runtime/stop-on-signal.ts'
import { readTime } from '#runtime/time-option.ts'
import { parseConfig } from './config.ts'
import { createCallPricer } from './price-call.ts'
import { formatHistory, historyJson, readHistory } from './reprice/history.ts'
import { runJob } from './reprice/job.ts'
import { takeLock } from './reprice/lock.ts'
import { createPagePricer } from './reprice/page-pricer.ts'
import { createProgress } from './reprice/progress.ts'
import { formatOutcome, outcomeJson } from './reprice/report.ts'
import { RepriceError } from './reprice/reprice-error.ts'

/** `spanmeter reprice`, a process of its own: prices calls of the past again by today's prices. */

interface Flags {
  readonly from?: number
  readonly to?: number
  readonly model?: string
  readonly tenant?: string
  readonly dryRun?: boolean
  readonly history?: boolean
  readonly json?: boolean
  readonly wait: number
}

/** Errors whose message tells a person all; of any other the stack is shown, as it is a bug. */
const PLAIN_ERRORS = [ClickHouseError, ConfigError, RepriceError, TransientError]
/** An update of a large day takes its time to be planned. */
const REQUEST_TIMEOUT_MS = 600_000

const command = new Command('spanmeter reprice')
  .description(
    'Price the model calls of a range of time again, by the prices as they are now, and correct every ' +
      'total by the difference. Can be cut off and run again at any point. See docs/repricing.md.',
  )
  .option('--from <time>', 'first start of a call: ISO 8601, such as 2026-11-01 (UTC)', readTime)
  .option('--to <time>', 'calls that start before this time', readTime)
  .option('--model <name>', 'only calls that asked for, or were answered by, this model')
  .option('--tenant <name>', 'only calls of this tenant')
  .option('--dry-run', 'tell the difference and change nothing')
  .option('--history', 'list the runs that corrected prices, and change nothing')
  .option('--json', 'print one line of JSON last')
  .option('--wait <seconds>', 'give up when nothing has landed for this long', readSeconds, 60)
  .showHelpAfterError('(see --help)')
  .allowExcessArguments(false)
  .action(run)

try {
  await command.parseAsync()
} catch (error) {
  if (process.exitCode === undefined) {
    process.stderr.write(`${describeError(error, PLAIN_ERRORS)}\n`)
    process.exitCode = 1
  }
}
// kafkajs may keep sockets open for a while; whatever matters is done.
process.exit()

async function run(flags: Flags): Promise<void> {
  const { env } = process
  const config = parseConfig(env)
  const logger = createLogger('reprice', env['SPANMETER_LOG_LEVEL'] ?? 'error')
  const clickhouse = connectClickHouse(config.clickhouse, logger, {
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
  })
  if (flags.history === true) return printHistory(clickhouse, flags)
  const range = readRange(flags)
  const lock = takeLock(env)
  const progress = createProgress(process.stderr)
  const kafka = connectKafka(config.kafka, 'spanmeter-reprice', logger)
  const isDryRun = flags.dryRun === true
  try {
    const result = await runJob(
      { ...range, isDryRun, model: flags.model, tenant: flags.tenant, kinds: MODEL_CALL_KINDS },
      {
        clickhouse,
        kafka,
        pricePage: createPagePricer(createCallPricer(config.prices)),
        progress,
        quietMs: flags.wait * 1_000,
        signal: stopOnSignal((message) => {
          progress.stop()
          process.stderr.write(`${message}\n`)
        }),
      },
    )
    progress.stop()
    const outcome = { ...result, job: result.job.id, isDryRun }
    process.stdout.write(`${formatOutcome(outcome)}\n`)
    if (flags.json === true) process.stdout.write(`${JSON.stringify(outcomeJson(outcome))}\n`)
  } finally {
    progress.stop()
    lock.release()
  }
}

function readRange({ from, to }: Flags): { readonly fromMs: number; readonly toMs: number } {
  if (from === undefined || to === undefined) {
    return command.error(
      'error: give the range with --from and --to, such as --from 2026-11-01 --to 2026-12-01',
    )
  }
  if (from >= to) return command.error('error: --from must be before --to')
  return { fromMs: from, toMs: to }
}

async function printHistory(clickhouse: ClickHouse, { json }: Flags): Promise<void> {
  const jobs = await readHistory(clickhouse)
  const text = json === true ? JSON.stringify({ jobs: historyJson(jobs) }) : formatHistory(jobs)
  process.stdout.write(`${text}\n`)
}

function readSeconds(text: string): number {
  const seconds = Number(text)
  if (/^\d+$/.test(text) && seconds >= 1 && seconds <= 86_400) return seconds
  throw new InvalidArgumentError('It must be a whole number of seconds from 1 to 86400.')
}
