import { readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { type ClickHouse, connectClickHouse } from '#runtime/clickhouse.ts'
import { type Env, parseCommonConfig } from '#runtime/config.ts'
import { messageOf } from '#runtime/errors.ts'
import { connectKafka } from '#runtime/kafka.ts'
import type { Logger } from '#runtime/log.ts'
import { readTime } from '#runtime/time-option.ts'
import { DeadLettersError } from './dead-letters-error.ts'
import { formatLetter, formatList, readable } from './letter-text.ts'
import {
  type Choice,
  type Letter,
  type LetterHead,
  readGroups,
  readHeads,
  readLetters,
} from './letters.ts'
import { sendLetters, type SendOutcome } from './send.ts'

interface Dependencies {
  readonly env: Env
  readonly logger: Logger
}

interface ChoiceFlags {
  readonly worker?: string
  readonly reason?: string
  readonly tenant?: string
  readonly from?: number
  readonly to?: number
}

interface SendFlags extends ChoiceFlags {
  readonly all?: boolean
  readonly file?: string
  readonly dryRun?: boolean
  readonly json?: boolean
  readonly wait: number
}

const DEFAULT_LIMIT = 20
const MAX_LIMIT = 100_000
/** More than this is sent by several commands, by time. */
const MAX_SENT = 1_000_000
const DEFAULT_WAIT_SECONDS = 60
const MAX_PROBLEMS = 20

/** `spanmeter dead-letters`: what was refused, and sending it again. */
export function createDeadLettersCommand(dependencies: Dependencies): Command {
  return new Command('dead-letters')
    .description('look at what was refused, mend it and send it again (see docs/dead-letters.md)')
    .addCommand(listCommand(dependencies))
    .addCommand(showCommand(dependencies))
    .addCommand(exportCommand(dependencies))
    .addCommand(sendCommand(dependencies))
}

function listCommand(dependencies: Dependencies): Command {
  return withChoice(new Command('list'))
    .description('show dead letters: their causes, then the newest of them')
    .option('--limit <n>', 'at most so many letters', readLimit, DEFAULT_LIMIT)
    .option('--json', 'print one line of JSON')
    .action(async (flags: ChoiceFlags & { readonly limit: number; readonly json?: boolean }) => {
      const choice = choiceOf(flags)
      await withClickHouse(dependencies, async (clickhouse) => {
        const groups = await readGroups(clickhouse, choice)
        const letters = await readHeads(clickhouse, choice, flags.limit)
        await print(
          flags.json === true ? [JSON.stringify({ groups, letters })] : formatList(groups, letters),
        )
      })
    })
}

function showCommand(dependencies: Dependencies): Command {
  return new Command('show')
    .description('show all of a dead letter')
    .argument('<id>', 'name of the letter, as list shows it')
    .option('--json', 'print one line of JSON')
    .action(async (id: string, { json }: { readonly json?: boolean }) => {
      const letter = await withClickHouse(dependencies, (clickhouse) => readOne(clickhouse, id))
      const { payload, ...head } = letter
      const text = readable(letter)
      const request: unknown = text === undefined ? null : JSON.parse(text)
      const all = { ...head, payload_base64: payload.toString('base64'), payload: request }
      await print(json === true ? [JSON.stringify(all)] : formatLetter(letter))
    })
}

function exportCommand(dependencies: Dependencies): Command {
  return new Command('export')
    .description(
      'write what was refused to a file, as JSON that can be mended where it can be read',
    )
    .argument('<id>', 'name of the letter, as list shows it')
    .argument('<file>', 'is written over')
    .option('--raw', 'the bytes as they came')
    .action(async (id: string, file: string, { raw }: { readonly raw?: boolean }) => {
      const letter = await withClickHouse(dependencies, (clickhouse) => readOne(clickhouse, id))
      const text = raw === true ? undefined : readable(letter)
      write(file, text === undefined ? letter.payload : Buffer.from(`${text}\n`))
      await print([
        text === undefined && raw !== true
          ? `${file} holds the bytes as they came: they cannot be read as ${letter.format}.`
          : `${file} is written. Send it with: npm run spanmeter -- dead-letters send ${id} --file ${file}`,
      ])
    })
}

function sendCommand(dependencies: Dependencies): Command {
  const command = withChoice(new Command('send'))
    .description('send dead letters again, each once, however often this is run')
    .argument('[ids...]', 'names of letters; else say which by the options')
    .option('--all', 'all there are')
    .option('--file <file>', 'send what is in this file in place of the bytes of one letter')
    .option('--dry-run', 'tell how many, and send none')
    .option('--json', 'print one line of JSON')
    .option(
      '--wait <seconds>',
      'give up when none has gone for this long',
      readSeconds,
      DEFAULT_WAIT_SECONDS,
    )
  return command.action(async (ids: readonly string[], flags: SendFlags) => {
    const choice = choiceOf(flags)
    const hasChoice = Object.values(choice).some((value) => value !== undefined)
    if ([ids.length > 0, hasChoice, flags.all === true].filter(Boolean).length !== 1) {
      command.error(
        'error: say which letters: by their names, by options such as --reason, or --all',
      )
    }
    if (flags.file !== undefined && ids.length !== 1) {
      command.error('error: --file goes with the name of one letter')
    }
    const fixed = flags.file === undefined ? undefined : read(flags.file)
    await send(dependencies, flags, { ids, choice, fixed })
  })
}

interface Chosen {
  readonly ids: readonly string[]
  readonly choice: Choice
  readonly fixed: Buffer | undefined
}

async function send(
  dependencies: Dependencies,
  flags: SendFlags,
  { ids, choice, fixed }: Chosen,
): Promise<void> {
  const { env, logger } = dependencies
  const kafka = connectKafka(parseCommonConfig(env).kafka, 'spanmeter-dead-letters', logger)
  const isDryRun = flags.dryRun === true
  try {
    const outcome = await withClickHouse(dependencies, async (clickhouse) =>
      sendLetters(
        {
          heads:
            ids.length > 0
              ? await readNamed(clickhouse, ids)
              : await readChosen(clickhouse, choice),
          fixed,
          isDryRun,
        },
        {
          clickhouse,
          kafka,
          logger,
          author: userInfo().username,
          now: Date.now,
          quietMs: flags.wait * 1_000,
        },
      ),
    )
    await print(
      flags.json === true
        ? [JSON.stringify({ dry_run: isDryRun, ...outcome })]
        : formatOutcome(outcome, isDryRun),
    )
    if (outcome.problems.length > 0) process.exitCode = 1
  } finally {
    await kafka.close()
  }
}

function formatOutcome(
  { sent, before, problems }: SendOutcome,
  isDryRun: boolean,
): readonly string[] {
  const letters = sent === 1 ? '1 letter' : `${sent} letters`
  return [
    isDryRun ? `${letters} would be sent.` : `${letters} sent again.`,
    ...(before > 0 ? [`${before} had been sent before and count once.`] : []),
    ...problems.slice(0, MAX_PROBLEMS).map((problem) => `Not sent: ${problem}.`),
    ...(problems.length > MAX_PROBLEMS ? [`… and ${problems.length - MAX_PROBLEMS} more.`] : []),
    ...(sent > 0 && !isDryRun
      ? ['What is refused once more comes back as a letter of its own.']
      : []),
  ]
}

async function readNamed(
  clickhouse: ClickHouse,
  ids: readonly string[],
): Promise<readonly LetterHead[]> {
  const letters = await readLetters(clickhouse, ids)
  const missing = ids.filter((id) => !letters.some((letter) => letter.id === id))
  if (missing.length > 0) throw noLetter(missing.join(', '))
  return letters
}

async function readChosen(clickhouse: ClickHouse, choice: Choice): Promise<readonly LetterHead[]> {
  const heads = await readHeads(clickhouse, choice, MAX_SENT)
  if (heads.length < MAX_SENT) return heads.toReversed()
  throw new DeadLettersError(
    `These are ${MAX_SENT} letters or more: send them in parts, with --from and --to.`,
  )
}

async function readOne(clickhouse: ClickHouse, id: string): Promise<Letter> {
  const [letter] = await readLetters(clickhouse, [id])
  if (letter === undefined) throw noLetter(id)
  return letter
}

function noLetter(ids: string): DeadLettersError {
  return new DeadLettersError(
    `There is no dead letter ${ids}. See: npm run spanmeter -- dead-letters list`,
  )
}

function withChoice(command: Command): Command {
  return command
    .option('--reason <reason>', 'of this reason')
    .option('--tenant <tenant>', 'of this tenant; "" for those whose tenant is not known')
    .option('--worker <worker>', 'refused by this worker')
    .option('--from <time>', 'refused at this time or later, ISO 8601', readTime)
    .option('--to <time>', 'refused before this time', readTime)
}

function choiceOf({ worker, reason, tenant, from, to }: ChoiceFlags): Choice {
  return { worker, reason, tenant, fromMs: from, toMs: to }
}

async function withClickHouse<T>(
  { env, logger }: Dependencies,
  task: (clickhouse: ClickHouse) => Promise<T>,
): Promise<T> {
  const clickhouse = connectClickHouse(parseCommonConfig(env).clickhouse, logger)
  try {
    return await task(clickhouse)
  } finally {
    await clickhouse.close()
  }
}

/** Resolves when all of it is out: the process ends right afterwards, and a reader may be slow. */
function print(lines: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(`${lines.join('\n')}\n`, () => resolve())
  })
}

function read(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new DeadLettersError(`${file} cannot be read (${messageOf(error)}).`)
  }
}

function write(file: string, bytes: Buffer): void {
  try {
    // It may hold what people wrote.
    writeFileSync(file, bytes, { mode: 0o600 })
  } catch (error) {
    throw new DeadLettersError(`${file} cannot be written (${messageOf(error)}).`)
  }
}

function readLimit(text: string): number {
  const limit = /^\d+$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= MAX_LIMIT) return limit
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_LIMIT}.`)
}

function readSeconds(text: string): number {
  const seconds = /^\d+$/.test(text) ? Number(text) : 0
  if (seconds >= 1 && seconds <= 86_400) return seconds
  throw new InvalidArgumentError('It must be a whole number of seconds from 1 to 86400.')
}
