import { z } from 'zod'
import { clusterVariables } from '#runtime/cluster.ts'
import {
  commonVariables,
  ConfigError,
  type Env,
  readNamedFile,
  readVariables,
  wholeNumber,
} from '#runtime/config.ts'
import { memorySize } from '../../embedded/config.ts'
import { hashPassword, parseAccessFile, type Reader, tooShort } from './access-file.ts'

const MAX_ROWS = 1_000_000_000_000
const MAX_SECONDS = 86_400

/** Environment variables of who may do what in ClickHouse. */
export const accessVariables = {
  SPANMETER_CLICKHOUSE_MIGRATOR_PASSWORD: z
    .string()
    .optional()
    .describe('Password of the user migrator, who makes and changes tables. Unset: no such user.'),
  SPANMETER_CLICKHOUSE_WRITER_PASSWORD: z
    .string()
    .optional()
    .describe('Password of the user writer, as whom sink inserts. Unset: no such user.'),
  SPANMETER_CLICKHOUSE_GRAFANA_PASSWORD: z
    .string()
    .optional()
    .describe('Password of the user grafana, who reads everything. Unset: no such user.'),
  SPANMETER_ACCESS: z
    .string()
    .optional()
    .describe(
      'YAML file of further users, who read everything or the rows of tenants (access.md).',
    ),
  SPANMETER_QUERY_MAX_SECONDS: wholeNumber(1, MAX_SECONDS)
    .default(60)
    .describe('A query of a user who reads is ended after this long.'),
  SPANMETER_QUERY_MAX_MEMORY: memorySize()
    .prefault('2g')
    .describe('Most memory that a query of such a user takes, such as 512m or 2g.'),
  SPANMETER_QUERY_MAX_ROWS: wholeNumber(1, MAX_ROWS)
    .default(2_000_000_000)
    .describe('Most rows that a query of such a user reads.'),
  SPANMETER_QUERY_MAX_BYTES: memorySize()
    .prefault('200g')
    .describe('Most data that a query of such a user reads, before compression, such as 200g.'),
  SPANMETER_QUERY_MAX_RESULT_ROWS: wholeNumber(1, MAX_ROWS)
    .default(1_000_000)
    .describe('Most rows that a query of such a user returns.'),
} as const

/** Who may do what; a user without a password is not made. */
export interface AccessConfig {
  readonly database: string
  /** Hashes of the passwords of Spanmeter's own users. */
  readonly migrator: string | undefined
  readonly writer: string | undefined
  readonly grafana: string | undefined
  readonly readers: readonly Reader[]
  readonly limits: QueryLimits
}
/** How much one query of a reader may take. */
export interface QueryLimits {
  readonly seconds: number
  readonly memoryBytes: number
  readonly rows: number
  readonly bytes: number
  readonly resultRows: number
}

/** Reads the file that the environment names, too. Throws ConfigError that says all that is wrong. */
export function parseAccessConfig(env: Env): AccessConfig {
  const { SPANMETER_CLICKHOUSE_DATABASE } = commonVariables
  requireOneServer(env)
  const v = readVariables({ ...accessVariables, SPANMETER_CLICKHOUSE_DATABASE }, env)
  const config = {
    database: v.SPANMETER_CLICKHOUSE_DATABASE,
    migrator: readHash('SPANMETER_CLICKHOUSE_MIGRATOR_PASSWORD', v),
    writer: readHash('SPANMETER_CLICKHOUSE_WRITER_PASSWORD', v),
    grafana: readHash('SPANMETER_CLICKHOUSE_GRAFANA_PASSWORD', v),
    readers: v.SPANMETER_ACCESS === undefined ? [] : readAccessFile(v.SPANMETER_ACCESS, env),
    limits: {
      seconds: v.SPANMETER_QUERY_MAX_SECONDS,
      memoryBytes: v.SPANMETER_QUERY_MAX_MEMORY,
      rows: v.SPANMETER_QUERY_MAX_ROWS,
      bytes: v.SPANMETER_QUERY_MAX_BYTES,
      resultRows: v.SPANMETER_QUERY_MAX_RESULT_ROWS,
    },
  }
  requireDistinctPasswords(config)
  return config
}

/** On a cluster there is a second database, and rights for it that are not made here. */
function requireOneServer(env: Env): void {
  const { SPANMETER_CLICKHOUSE_CLUSTER: cluster } = readVariables(clusterVariables, env)
  if (cluster === undefined) return
  throw new ConfigError(
    `Configuration is not valid:\n  SPANMETER_CLICKHOUSE_CLUSTER=${cluster}: the users of a cluster are not ` +
      'made from here; unset it to get those of one server as an example, and see deployment.md',
  )
}

type PasswordVariable = Extract<keyof typeof accessVariables, `${string}_PASSWORD`>

function readHash(
  variable: PasswordVariable,
  values: Readonly<Partial<Record<PasswordVariable, string | undefined>>>,
): string | undefined {
  const password = values[variable]
  if (password === undefined) return undefined
  const problem = tooShort(variable, password)
  if (problem !== undefined) throw new ConfigError(`Configuration is not valid:\n  ${problem}`)
  return hashPassword(password)
}

function readAccessFile(file: string, env: Env): readonly Reader[] {
  const text = readNamedFile('SPANMETER_ACCESS', file).toString('utf8')
  return parseAccessFile(text, file, env)
}

/** One password for two would make whoever knows the one the other as well. */
function requireDistinctPasswords({ migrator, writer, grafana, readers }: AccessConfig): void {
  const owners = new Map<string, string>()
  const all = [
    { name: 'migrator', passwordSha256: migrator },
    { name: 'writer', passwordSha256: writer },
    { name: 'grafana', passwordSha256: grafana },
    ...readers,
  ]
  for (const { name, passwordSha256 } of all) {
    if (passwordSha256 === undefined) continue
    const owner = owners.get(passwordSha256)
    if (owner !== undefined) {
      throw new ConfigError(`${owner} and ${name} have the same password: give each its own.`)
    }
    owners.set(passwordSha256, name)
  }
}
