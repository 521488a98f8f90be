import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ClickHouse } from './clickhouse.ts'
import { isView, onCluster, readingDatabase, tablesThatKeep } from './cluster.ts'
import type { Env } from './config.ts'
import { isDays, parseRetention } from './retention.ts'

/** The folder of this project's migrations. */
export const migrationsFolder = fileURLToPath(new URL('../../clickhouse/', import.meta.url))

/** Something about the migrations themselves is wrong; a person has to mend it. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
}

export interface MigrateOptions {
  readonly folder?: string
  /** Values for `${NAME}` in the files, beside DATABASE, which is the connection's. */
  readonly variables: MigrationVariables
  /** The cluster whose servers all get the tables; undefined for the one server. */
  readonly cluster?: string | undefined
  /** Told in a sentence what happens, so that a person who waits knows on what. */
  readonly onProgress?: (message: string) => void
}
export type MigrationVariables = Readonly<Record<string, string>>

/** The variables of this project's migrations, from the environment. */
export function parseMigrationVariables(env: Env): MigrationVariables {
  return parseRetention(env)
}

/** One file of a folder of migrations. */
export interface Migration {
  readonly file: string
  /** Numbered files are applied once; the others again whenever their text has changed. */
  readonly numbered: boolean
  /** With its variables filled in. */
  readonly statements: readonly string[]
  readonly checksum: string
}

/**
 * Brings the database up to the files of the folder and returns the names of those it applied. Creates
 * the database. A run that was stopped is completed by the next one: statements can be repeated, and a
 * file is recorded when all of its statements are done. Runs at the same time do no harm.
 * Throws MigrationError if an applied file has changed, and ClickHouseError if a statement fails.
 */
export async function migrate(
  clickhouse: ClickHouse,
  options: MigrateOptions,
): Promise<readonly string[]> {
  const onProgress = options.onProgress ?? (() => {})
  const variables = { ...options.variables, DATABASE: clickhouse.database }
  const migrations = readMigrations(options.folder ?? migrationsFolder, variables)
  const bookkeeping = readBookkeeping(variables)
  const { cluster } = options
  const run = (statement: string) =>
    clickhouse.command(cluster === undefined ? statement : onCluster(statement, cluster))
  for (const statement of bookkeeping.create) await run(statement)
  const applied = await appliedChecksums(clickhouse, bookkeeping.applied)
  const pending = migrations.filter((migration) => isPending(migration, applied))
  for (const { file, statements, checksum } of pending) {
    onProgress(`Applying ${file} to database ${clickhouse.database}.`)
    for (const statement of statements) await run(statement)
    await clickhouse.command(bookkeeping.record, { file, checksum })
  }
  if (cluster !== undefined && pending.length > 0) {
    onProgress(`Making database ${readingDatabase(clickhouse.database)}, which reads all shards.`)
    for (const statement of readingStatements(options, variables, cluster)) {
      await clickhouse.command(statement)
    }
  }
  const rest = migrations.length - pending.length
  onProgress(
    `Database ${clickhouse.database}: ${pending.length} files applied, ${rest} were already.`,
  )
  return pending.map(({ file }) => file)
}

/** What makes the database that reads all shards: a table over each that keeps rows, and the views. */
function readingStatements(
  { folder = migrationsFolder }: MigrateOptions,
  variables: MigrationVariables & { readonly DATABASE: string },
  cluster: string,
): readonly string[] {
  const READING = readingDatabase(variables.DATABASE)
  const query = (name: string, more: MigrationVariables) => {
    const file = `queries/${name}.sql`
    const text = readFileSync(join(migrationsFolder, file), 'utf8')
    return splitStatements(fillVariables(text, { ...variables, READING, ...more }, file))
  }
  const own = readMigrations(folder, variables).flatMap(({ statements }) => statements)
  const views = readMigrations(folder, { ...variables, DATABASE: READING })
    .flatMap(({ statements }) => statements)
    .filter(isView)
  return [
    ...query('cluster_reading_database', { CLUSTER: cluster }),
    ...tablesThatKeep(own).flatMap((TABLE) =>
      query('cluster_reading_table', { CLUSTER: cluster, TABLE }),
    ),
    ...views.map((statement) => onCluster(statement, cluster)),
  ]
}

function isPending(migration: Migration, applied: ReadonlyMap<string, string>): boolean {
  const before = applied.get(migration.file)
  if (before === undefined || before === migration.checksum) return before === undefined
  if (!migration.numbered) return true
  throw new MigrationError(
    `${migration.file} has been applied to this database and has changed since. Undo the change and ` +
      'write what you want to change into a new file with the next number.',
  )
}

async function appliedChecksums(
  clickhouse: ClickHouse,
  sql: string,
): Promise<ReadonlyMap<string, string>> {
  const rows = await clickhouse.query<{ file: string; checksum: string }>(sql)
  return new Map(rows.map(({ file, checksum }) => [file, checksum]))
}

/** These live with the project, whatever folder is applied. */
function readBookkeeping(variables: MigrationVariables) {
  const statements = (name: string) => {
    const file = `queries/${name}`
    const text = readFileSync(join(migrationsFolder, file), 'utf8')
    return splitStatements(fillVariables(text, variables, file))
  }
  return {
    create: statements('migrations_create.sql'),
    applied: statements('migrations_applied.sql').join(),
    record: statements('migrations_record.sql').join(),
  }
}

const NUMBERED = /^(\d{3})_\w+\.sql$/

/** The folder's .sql files in the order of their application: numbered ones by number, then the others. */
export function readMigrations(
  folder: string,
  variables: MigrationVariables,
): readonly Migration[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'))
  if (files.length === 0) throw new MigrationError(`${folder} holds no .sql files.`)
  const migrations = files.sort().map((file) => readMigration(folder, file, variables))
  const numbered = migrations.filter((migration) => migration.numbered)
  for (const [index, { file }] of numbered.entries()) {
    const next = numbered[index + 1]?.file
    if (next?.slice(0, 3) === file.slice(0, 3)) {
      throw new MigrationError(`${file} and ${next} have the same number: give one another.`)
    }
  }
  return [...numbered, ...migrations.filter((migration) => !migration.numbered)]
}

function readMigration(folder: string, file: string, variables: MigrationVariables): Migration {
  const text = readFileSync(join(folder, file), 'utf8')
  const filled = fillVariables(text, variables, file)
  const numbered = NUMBERED.test(file)
  // A numbered file has run once and for all, whatever its variables are now.
  const checksum = createHash('sha256')
    .update(numbered ? text : filled)
    .digest('hex')
  return { file, numbered, statements: splitStatements(filled), checksum }
}

/** Puts values in for `${NAME}`. Throws MigrationError for a name or a value that cannot be. */
export function fillVariables(text: string, variables: MigrationVariables, file: string): string {
  return text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = variables[name]
    if (value === undefined) throw new MigrationError(`${file}: no value for \${${name}} is given.`)
    if (/^\w+$/.test(value) || isDays(value)) return value
    throw new MigrationError(
      `${file}: the value of \${${name}} is "${value}"; it may hold letters, digits and "_" only.`,
    )
  })
}

/** Comments, quoted text (with doubled or escaped quotes), a semicolon, or a stretch of anything else. */
const TOKENS = /--[^\n]*|\/\*[^]*?\*\/|(['"`])(?:\\[^]|(?!\1)[^])*\1|;|[^;'"`/-]+|[^]/g

/** Statements of a text, without comments and the semicolons between them. */
export function splitStatements(text: string): readonly string[] {
  const statements = ['']
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === ';') statements.push('')
    else if (token.startsWith('--') || token.startsWith('/*'))
      statements.push(`${statements.pop()} `)
    else statements.push(`${statements.pop()}${token}`)
  }
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== '')
}
