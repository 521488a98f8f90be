import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError, type Env, readVariables, wholeNumber } from './config.ts'
import { messageOf } from './errors.ts'
import { parseYaml, requireShape } from './yaml.ts'

const MAX_DAYS = 36_500

/** How long tables keep their rows. */
export const retentionVariables = {
  SPANMETER_SPANS_TTL_DAYS: wholeNumber(1, MAX_DAYS)
    .default(90)
    .describe('Days that spans, traces, scores and observations are kept.'),
  SPANMETER_CONTENT_TTL_DAYS: wholeNumber(1, MAX_DAYS)
    .default(14)
    .describe('Days that prompts, completions and dead letters are kept.'),
  SPANMETER_ROLLUP_TTL_DAYS: wholeNumber(1, MAX_DAYS)
    .default(400)
    .describe('Days that rollups, alerts, annotations and corrections of prices are kept.'),
  SPANMETER_RETENTION: z
    .string()
    .optional()
    .describe('YAML file with days of their own for tenants (retention.md).'),
} as const

const CLASSES = ['content', 'spans', 'rollups', 'evaluations'] as const
type Class = (typeof CLASSES)[number]
type Days = Readonly<Record<Class, number>>

const days = z.int().min(1).max(MAX_DAYS).optional()
const someDays = z.strictObject({
  content: days,
  spans: days,
  rollups: days,
  evaluations: days,
})
const fileShape = z.strictObject({
  default: someDays.default({}),
  tenants: z.record(z.string().min(1), someDays).default({}),
})
type RetentionFile = z.output<typeof fileShape>

/** Where a table names its tenant. */
const TENANT = 'tenant'
const ALERT_TENANT = "`group`['tenant']"

/**
 * What retention.sql takes: days for all, and expressions of days by tenant, with whether parts can be
 * dropped whole. Reads the file that the environment names; throws ConfigError that says what is wrong.
 */
export function parseRetention(env: Env): Readonly<Record<string, string>> {
  const v = readVariables(retentionVariables, env)
  const file: RetentionFile =
    v.SPANMETER_RETENTION === undefined
      ? { default: {}, tenants: {} }
      : readFile(v.SPANMETER_RETENTION)
  const spans = file.default.spans ?? v.SPANMETER_SPANS_TTL_DAYS
  const own: Days = {
    content: file.default.content ?? v.SPANMETER_CONTENT_TTL_DAYS,
    spans,
    rollups: file.default.rollups ?? v.SPANMETER_ROLLUP_TTL_DAYS,
    evaluations: file.default.evaluations ?? spans,
  }
  const classes = CLASSES.flatMap((name) => {
    const NAME = name.toUpperCase()
    const others = othersOf(file, name, own[name])
    return [
      [`${NAME}_DAYS`, daysOf(TENANT, others, own[name])],
      [`${NAME}_WHOLE`, others.length === 0 ? '1' : '0'],
    ]
  })
  return {
    ...Object.fromEntries(classes),
    ALERTS_DAYS: daysOf(ALERT_TENANT, othersOf(file, 'rollups', own.rollups), own.rollups),
    SPANS_TTL_DAYS: String(own.spans),
    ROLLUP_TTL_DAYS: String(own.rollups),
  }
}

function readFile(file: string): RetentionFile {
  try {
    const value = parseYaml(readFileSync(file, 'utf8'), file)
    return requireShape(fileShape, value ?? {}, `${file} is no file of retention`)
  } catch (error) {
    throw new ConfigError(`SPANMETER_RETENTION: ${messageOf(error)}`, { cause: error })
  }
}

/** The tenants that have other days than the rest. */
function othersOf(
  { tenants }: RetentionFile,
  name: Class,
  rest: number,
): readonly (readonly [tenant: string, days: number])[] {
  return Object.entries(tenants).flatMap(([tenant, own]) => {
    const number = own[name] ?? rest
    return number === rest ? [] : [[tenant, number] as const]
  })
}

/** Days of a row as ClickHouse works them out: a number, or one for each tenant. */
function daysOf(
  place: string,
  others: readonly (readonly [tenant: string, days: number])[],
  rest: number,
): string {
  if (others.length === 0) return String(rest)
  const names = others.map(([tenant]) => quote(tenant)).join(', ')
  const numbers = others.map(([, number]) => number).join(', ')
  return `transform(${place}, [${names}], [${numbers}], ${rest})`
}

const DAYS =
  /^transform\((?:tenant|`group`\['tenant'\]), \[(?:'(?:[^'\\]|\\[\\'])*'(?:, (?!\]))?)+\], \[[\d, ]+\], \d+\)$/

/** Whether a text is one of those that stand for days, and may be put into a statement. */
export function isDays(text: string): boolean {
  return DAYS.test(text)
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
