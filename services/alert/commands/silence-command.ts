import { randomUUID } from 'node:crypto'
import { userInfo } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { type Env, parseCommonConfig } from '#runtime/config.ts'
import { connectKafka } from '#runtime/kafka.ts'
import { createLogger } from '#runtime/log.ts'
import { readTime } from '#runtime/time-option.ts'
import { requirePartitions } from '#runtime/topics.ts'
import { spanAggregates } from '#schemas/topics.ts'
import { readRules } from '../config.ts'
import { parseDuration } from '../duration.ts'
import { recordsWithoutDeltas } from '../partition-deltas.ts'
import { formatSilence, type Silence, SILENCE_HEADER } from '../silence.ts'
import { CommandError } from './command-error.ts'

interface Flags {
  readonly rule?: string
  readonly match: Readonly<Record<string, string>>
  readonly from?: number
  readonly until?: number
  readonly for: number
  readonly comment: string
  readonly end?: string
}

const DEFAULT_MS = 3_600_000
/** Windows are decided some time after they end: a silence that begins now holds for those too. */
const LEAD_MS = 600_000

/** `spanmeter alerts silence`: tells nobody of some alerts for a while. They are still decided and kept. */
export function createSilenceCommand(env: Env): Command {
  return new Command('silence')
    .description('tell nobody of some alerts for a while; prints the id of the silence')
    .option('--rule <name>', 'only alerts of this rule (default: of every rule)')
    .option(
      '--match <dimension=value>',
      'only groups with this value; may be repeated',
      addMatch,
      {},
    )
    .option('--for <duration>', 'how long: 30m, 2h, 3d', readDuration, DEFAULT_MS)
    .option('--from <time>', 'from this event time on (default: at once)', readTime)
    .option('--until <time>', 'up to this event time, instead of --for', readTime)
    .option('--comment <text>', 'why', '')
    .option('--end <id>', 'end the silence of this id now')
    .action((flags: Flags) => run(env, flags))
}

async function run(env: Env, flags: Flags): Promise<void> {
  const silence = flags.end === undefined ? newSilence(env, flags, Date.now()) : ended(flags.end)
  const logger = createLogger('alerts', env['SPANMETER_LOG_LEVEL'] ?? 'error')
  const kafka = connectKafka(parseCommonConfig(env).kafka, 'spanmeter-alerts', logger)
  try {
    const partitions = await requirePartitions(kafka, spanAggregates.name)
    const writer = await kafka.openWriter()
    // Every evaluator hears of it, at its place among the records, so that a second pass decides alike.
    await writer.write(
      spanAggregates.name,
      recordsWithoutDeltas(partitions, { [SILENCE_HEADER]: formatSilence(silence) }),
    )
    await writer.close()
  } finally {
    await kafka.close()
  }
  const until = new Date(silence.untilMs).toISOString()
  process.stdout.write(
    flags.end === undefined ? `${silence.id} until ${until}\n` : `${silence.id} has ended\n`,
  )
}

function newSilence(env: Env, flags: Flags, nowMs: number): Silence {
  const { rule = '', match, comment, from = nowMs - LEAD_MS } = flags
  const names = new Set(readRules(env).rules.map(({ name }) => name))
  if (rule !== '' && !names.has(rule)) {
    throw new CommandError(`There is no rule ${rule}. There are: ${[...names].join(', ')}`)
  }
  const untilMs = flags.until ?? (flags.from ?? nowMs) + flags.for
  if (untilMs <= from) throw new CommandError('The end of a silence must be after its start.')
  const createdBy = userInfo().username
  return { id: randomUUID(), rule, matchers: match, fromMs: from, untilMs, createdBy, comment }
}

/** A silence of the same id that is over takes the place of the one that is on. */
function ended(id: string): Silence {
  return { id, rule: '', matchers: {}, fromMs: 0, untilMs: 0, createdBy: '', comment: '' }
}

function addMatch(
  text: string,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It must be dimension=value, such as tenant=acme.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

function readDuration(text: string): number {
  const durationMs = parseDuration(text)
  if (durationMs !== undefined && durationMs > 0) return durationMs
  throw new InvalidArgumentError('It must be a duration such as 30m, 2h or 3d.')
}
