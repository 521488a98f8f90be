import { Command, InvalidArgumentError } from 'commander'
import { type ClickHouse, connectClickHouse } from '#runtime/clickhouse.ts'
import { type Env, parseCommonConfig } from '#runtime/config.ts'
import type { Logger } from '#runtime/log.ts'
import { readTime } from '#runtime/time-option.ts'
import { formatLowQualityTraces, formatSlowTraces } from './list-text.ts'
import {
  countTraces,
  readLowQualityTraces,
  readPresence,
  readSlowTraces,
  readTraits,
  type TracesAsked,
  type Trait,
} from './trace-lists.ts'
import { formatTrace, readTrace } from './trace-tree.ts'

interface ListFlags {
  readonly from?: number
  readonly to?: number
  readonly tenant?: string
  readonly endpoint?: string
  readonly limit: number
  readonly json?: boolean
}

interface LowQualityFlags extends ListFlags {
  readonly below: number
  readonly evaluator: readonly string[]
}

interface ShowFlags {
  readonly limit: number
  readonly json?: boolean
}

/** What a command answers: what `--json` prints, and the page that a person reads. */
interface Answer {
  readonly json: unknown
  readonly page: readonly string[]
}

type Ask<Flags> = (
  clickhouse: ClickHouse,
  flags: Flags,
  fail: (message: string) => never,
) => Promise<Answer>

const DEFAULT_RANGE_MS = 3_600_000
const DEFAULT_LIMIT = 20
const DEFAULT_SPANS = 500
const MAX_LIMIT = 100_000
/** Below it the sample's evaluators, and the shipped alerts, call an answer bad. */
const DEFAULT_BELOW = 0.65

/** `spanmeter traces`: traces taken apart. */
export function createTracesCommand(options: { env: Env; logger: Logger }): Command {
  const { env, logger } = options
  const run =
    <Flags extends { readonly json?: boolean }>(command: Command, ask: Ask<Flags>) =>
    async (flags: Flags): Promise<void> => {
      const clickhouse = connectClickHouse(parseCommonConfig(env).clickhouse, logger)
      try {
        const { json, page } = await ask(clickhouse, flags, (message) => command.error(message))
        process.stdout.write(`${flags.json === true ? JSON.stringify(json) : page.join('\n')}\n`)
      } finally {
        await clickhouse.close()
      }
    }
  const slow = withListFlags(new Command('slow')).description(
    'list the traces above the P95 of their endpoint: where their time went, and what they share',
  )
  slow.action(run<ListFlags>(slow, askSlow))
  const lowQuality = withListFlags(new Command('low-quality'))
    .description('list the traces with a low score: what was found, and what they share')
    .option('--below <score>', 'a score below this is low', readScore, DEFAULT_BELOW)
    .option('--evaluator <name>', 'scores of this one; may be given again', collect, [])
  lowQuality.action(run<LowQualityFlags>(lowQuality, askLowQuality))
  const show = new Command('show')
    .description('show the spans of a trace as a tree, with what decided how long it took')
    .argument('<trace id>', '32 hexadecimal digits', readTraceId)
    .option('--limit <n>', 'at most so many spans', readLimit, DEFAULT_SPANS)
    .option('--json', 'print one line of JSON')
  show.action((traceId: string, flags: ShowFlags) =>
    run<ShowFlags>(show, (clickhouse, given, fail) => askTrace(clickhouse, traceId, given, fail))(
      flags,
    ),
  )
  return new Command('traces')
    .description('find slow traces and bad answers, and take them apart (see docs/traces.md)')
    .addCommand(slow)
    .addCommand(lowQuality)
    .addCommand(show)
}

function withListFlags(command: Command): Command {
  return command
    .option(
      '--from <time>',
      'traces that started at this time or later, ISO 8601 (default: an hour before --to)',
      readTime,
    )
    .option('--to <time>', 'traces that started before this time (default: now)', readTime)
    .option('--tenant <tenant>', 'of this tenant alone')
    .option('--endpoint <endpoint>', 'with this endpoint at their root, such as /v1/chat')
    .option('--limit <n>', 'at most so many', readLimit, DEFAULT_LIMIT)
    .option('--json', 'print one line of JSON')
}

const askSlow: Ask<ListFlags> = async (clickhouse, flags, fail) => {
  const asked = askedBy(flags, fail)
  const found = await readSlowTraces(clickhouse, asked)
  if (found.total === 0) await requireTraces(clickhouse, asked, fail)
  const traits = await traitsOf(asked, found.total, () => readTraits(clickhouse, asked))
  const none = `None of the traces from ${rangeOf(asked)} is slow: above the P95 of at least 20 of its endpoint.`
  return {
    json: { ...isoRange(asked), ...found, traits },
    page: found.total === 0 ? [none] : formatSlowTraces(found, traits),
  }
}

const askLowQuality: Ask<LowQualityFlags> = async (clickhouse, flags, fail) => {
  const asked = askedBy(flags, fail)
  const judgement = { below: flags.below, evaluators: flags.evaluator }
  const found = await readLowQualityTraces(clickhouse, asked, judgement)
  if (found.total === 0) await requireTraces(clickhouse, asked, fail)
  const traits = await traitsOf(asked, found.total, () => readTraits(clickhouse, asked, judgement))
  const none = `None of the traces from ${rangeOf(asked)} was given a score below ${flags.below}.`
  return {
    json: { ...isoRange(asked), below: flags.below, ...found, traits },
    page: found.total === 0 ? [none] : formatLowQualityTraces(found, traits),
  }
}

async function askTrace(
  clickhouse: ClickHouse,
  traceId: string,
  { limit }: ShowFlags,
  fail: (message: string) => never,
): Promise<Answer> {
  const trace = await readTrace(clickhouse, traceId)
  if (trace === undefined) {
    return fail(`error: there is no trace ${traceId}. ${await presenceText(clickhouse, '')}`)
  }
  const { total, spans } = trace
  return { json: { ...total, tree: spans }, page: formatTrace(total, spans, limit) }
}

/** Of traces of one endpoint there are none: they would be told against those of all endpoints. */
async function traitsOf(
  { endpoint }: TracesAsked,
  total: number,
  read: () => Promise<readonly Trait[]>,
): Promise<readonly Trait[] | undefined> {
  return total === 0 || endpoint !== '' ? undefined : read()
}

function askedBy(flags: ListFlags, fail: (message: string) => never): TracesAsked {
  const { tenant = '', endpoint = '', limit } = flags
  const toMs = flags.to ?? Date.now()
  const fromMs = flags.from ?? Math.max(0, toMs - DEFAULT_RANGE_MS)
  if (fromMs >= toMs) fail('error: --from must be before --to')
  return { fromMs, toMs, tenant, endpoint, limit }
}

/** Fails where no trace started in the range at all, and tells when some did. */
async function requireTraces(
  clickhouse: ClickHouse,
  asked: TracesAsked,
  fail: (message: string) => never,
): Promise<void> {
  if ((await countTraces(clickhouse, asked)) > 0) return
  const whose = [
    asked.tenant === '' ? '' : ` of tenant ${asked.tenant}`,
    asked.endpoint === '' ? '' : ` with endpoint ${asked.endpoint}`,
  ].join('')
  const there = await presenceText(clickhouse, asked.tenant)
  fail(`error: no trace${whose} started from ${rangeOf(asked)}. ${there}`)
}

async function presenceText(clickhouse: ClickHouse, tenant: string): Promise<string> {
  const there = await readPresence(clickhouse, tenant)
  const whose = tenant === '' ? '' : ` of tenant ${tenant}`
  if (there === undefined) return `There are no traces${whose} at all.`
  return `There are traces${whose} from ${there.from} to ${there.to}.`
}

function isoRange({ fromMs, toMs }: TracesAsked) {
  return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() }
}

function rangeOf(asked: TracesAsked): string {
  const { from, to } = isoRange(asked)
  return `${from} to ${to}`
}

function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text]
}

function readTraceId(text: string): string {
  if (/^[0-9a-f]{32}$/i.test(text)) return text.toLowerCase()
  throw new InvalidArgumentError('It must be 32 hexadecimal digits.')
}

function readScore(text: string): number {
  const score = text.trim() === '' ? Number.NaN : Number(text)
  if (score >= 0 && score <= 1) return score
  throw new InvalidArgumentError('It must be a number from 0 to 1.')
}

function readLimit(text: string): number {
  const limit = /^\d+$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= MAX_LIMIT) return limit
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_LIMIT}.`)
}
