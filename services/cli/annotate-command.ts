import { randomUUID } from 'node:crypto'
import { userInfo } from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type ClickHouse, connectClickHouse } from '#runtime/clickhouse.ts'
import { type Env, parseCommonConfig } from '#runtime/config.ts'
import type { Logger } from '#runtime/log.ts'
import { textTable } from '#runtime/text-table.ts'
import { readTime } from '#runtime/time-option.ts'
import {
  type Annotation,
  annotationKinds,
  readAnnotations,
  writeAnnotation,
} from './annotations.ts'

interface Flags {
  readonly kind: string
  readonly title?: string
  readonly at?: number
  readonly until?: number
  readonly tenant?: string
  readonly environment?: string
  readonly tag: Readonly<Record<string, string>>
  readonly author?: string
  readonly id?: string
  readonly list?: boolean
  readonly limit: number
  readonly json?: boolean
}

/** The clock is `now`; `author` is who runs the command. */
export interface Writing {
  readonly nowMs: number
  readonly author: string
  readonly freshId: () => string
}

const DEFAULT_LIMIT = 20
const MAX_LIMIT = 10_000
const COLUMNS = ['time (UTC)', 'until', 'kind', 'where', 'title', 'text', 'tags', 'by', 'id']

/** `spanmeter annotate`: what people did, to be laid over graphs. */
export function createAnnotateCommand(options: { env: Env; logger: Logger }): Command {
  const command = new Command('annotate')
    .description('mark a deploy, a change or an incident on the dashboards (see docs/traces.md)')
    .argument('[text]', 'what was done')
    .addOption(new Option('--kind <kind>', 'what it was').choices(annotationKinds).default('note'))
    .option('--title <title>', 'a few words (default: the kind)')
    .option('--at <time>', 'when it was or began, ISO 8601 (default: now)', readTime)
    .option('--until <time>', 'when it ended (default: it was a moment)', readTime)
    .option('--tenant <tenant>', 'of one tenant (default: of all)')
    .option('--environment <name>', 'of one environment (default: of all)')
    .option('--tag <name=value>', 'whatever else is to be known; may be given again', readTag, {})
    .option('--author <name>', 'who says so (default: the user of this machine)')
    .option(
      '--id <id>',
      'writing again with the same id has no effect (default: a new one)',
      readId,
    )
    .option('--list', 'show the newest instead of writing')
    .option('--limit <n>', 'with --list: at most so many', readLimit, DEFAULT_LIMIT)
    .option('--json', 'print one line of JSON')
  return command.action(async (text: string | undefined, flags: Flags) => {
    const isList = flags.list === true
    if (isList === (text !== undefined)) {
      command.error(isList ? 'error: --list takes no text' : 'error: say what was done, or --list')
    }
    const clickhouse = connectClickHouse(parseCommonConfig(options.env).clickhouse, options.logger)
    try {
      const lines = isList
        ? await list(clickhouse, flags)
        : await write(clickhouse, text ?? '', flags, (message) => command.error(message))
      process.stdout.write(`${lines.join('\n')}\n`)
    } finally {
      await clickhouse.close()
    }
  })
}

async function list(clickhouse: ClickHouse, flags: Flags): Promise<readonly string[]> {
  const { tenant = '', limit, id = '' } = flags
  const found = await readAnnotations(clickhouse, { id, tenant, limit })
  if (flags.json === true) return [JSON.stringify({ annotations: found })]
  return found.length === 0 ? ['Nothing has been annotated yet.'] : formatAnnotations(found)
}

async function write(
  clickhouse: ClickHouse,
  text: string,
  flags: Flags,
  fail: (message: string) => never,
): Promise<readonly string[]> {
  const asked = annotationOf(text, flags, {
    nowMs: Date.now(),
    author: flags.author ?? userInfo().username,
    freshId: randomUUID,
  })
  if (typeof asked === 'string') return fail(`error: ${asked}`)
  const written = await writeAnnotation(clickhouse, asked)
  if (written === undefined) return fail('error: it was written, but cannot be read again')
  const difference = differenceOf(asked, written, flags.at !== undefined)
  if (difference !== undefined) {
    return fail(
      `error: ${written.id} is there already with another ${difference}: give another --id, or none`,
    )
  }
  return flags.json === true ? [JSON.stringify(written)] : formatAnnotations([written])
}

/** The annotation that flags ask for, or what is wrong with them. */
export function annotationOf(
  text: string,
  flags: Pick<Flags, 'kind' | 'title' | 'at' | 'until' | 'tenant' | 'environment' | 'tag' | 'id'>,
  { nowMs, author, freshId }: Writing,
): Annotation | string {
  const { kind, tenant = '', environment = '', tag: tags, until } = flags
  const atMs = flags.at ?? nowMs
  if (text.trim() === '') return 'say what was done'
  if (until !== undefined && until < atMs) return '--until must not be before --at'
  return {
    id: flags.id ?? freshId(),
    kind,
    tenant,
    environment,
    tags,
    author,
    text: text.trim(),
    title: flags.title ?? kind,
    time: new Date(atMs).toISOString(),
    endTime: until === undefined ? null : new Date(until).toISOString(),
  }
}

/** The first thing in which two annotations of one id differ; a time that nobody gave is none. */
export function differenceOf(
  asked: Annotation,
  written: Annotation,
  isTimed: boolean,
): string | undefined {
  const { kind, title, text, tenant, environment, time, endTime } = written
  const facts = { kind, title, text, tenant, environment, endTime, ...(isTimed ? { time } : {}) }
  const wanted = new Map<string, unknown>(Object.entries(asked))
  const fact = Object.entries(facts).find(([name, value]) => wanted.get(name) !== value)
  if (fact !== undefined) return fact[0] === 'endTime' ? 'end' : fact[0]
  const names = new Set([...Object.keys(asked.tags), ...Object.keys(written.tags)])
  return [...names].some((name) => asked.tags[name] !== written.tags[name]) ? 'tag' : undefined
}

/** Annotations as a table. */
export function formatAnnotations(annotations: readonly Annotation[]): readonly string[] {
  const rows = annotations.map((each) => [
    minute(each.time),
    each.endTime === null ? '' : minute(each.endTime),
    each.kind,
    [each.tenant, each.environment].filter((name) => name !== '').join(' ') || 'everywhere',
    each.title,
    each.text.replaceAll(/\s+/g, ' '),
    Object.entries(each.tags)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
    each.author,
    each.id,
  ])
  return textTable([COLUMNS, ...rows], COLUMNS.length)
}

function minute(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ')
}

/** Adds `name=value` to the tags before it. */
export function readTag(
  text: string,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It must be name=value, such as version=1.4.2.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

function readId(text: string): string {
  if (/^[\w.:/-]{1,200}$/.test(text)) return text
  throw new InvalidArgumentError('It may have 200 letters, digits and any of _ . : / - at most.')
}

function readLimit(text: string): number {
  const limit = /^\d+$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= MAX_LIMIT) return limit
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_LIMIT}.`)
}
