import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { migrationsFolder, parseMigrationVariables, readMigrations } from '#runtime/migrations.ts'
import type {
  ClickHouseUser,
  ProfileSetting,
  RowFilter,
  SettingsProfile,
  UsersFile,
} from '../../embedded/users-xml.ts'
import { UNLIMITED_PROFILE } from '../../embedded/users-xml.ts'
import type { AccessConfig, QueryLimits } from './access-config.ts'
import { ANYWHERE, type Reader } from './access-file.ts'
import { readGrants } from './grants.ts'
import { enginesIn, readRelations, type Relations, type Table } from './relations.ts'

const READER_PROFILE = 'reader'

/**
 * clickhouse-go, with which Grafana's plugin asks, sets max_execution_time to what is left of the
 * plugin's own time limit and five seconds more (its context.go); a lower bound would refuse the query.
 */
const CLIENT_GRACE_SECONDS = 5

/**
 * Functions that show what is in the primary keys of a table, whatever the row filters of the table
 * say. They obey row filters of their own, by the name that the server gives to every table function.
 */
const INDEX_READERS = [
  'mergeTreeIndex',
  'mergeTreeProjection',
  'mergeTreeTextIndex',
  'mergeTreeAnalyzeIndexes',
  'mergeTreeAnalyzeIndexesUUID',
]
const TABLE_FUNCTIONS_DATABASE = '_table_function'

/** Tables of which a row without a tenant is for everyone. */
const FOR_EVERYONE = new Set(['annotations'])
/** Tables that name tenants and yet are for those alone who run the pipeline: a refused request may hold anything. */
const FOR_OPERATORS = new Set(['dead_letters'])

/** Users and profiles of ClickHouse by the configuration; the tables are those of the migrations. */
export function accessUsers(config: AccessConfig): Pick<UsersFile, 'users' | 'profiles'> {
  const relations = projectRelations(config.database)
  return {
    users: [
      ...ownUsers(config, relations),
      ...config.readers.map((reader) => readerUser(reader, config.database, relations)),
    ],
    profiles: [readerProfile(config.limits)],
  }
}

/** What this project's migrations make, and the engines that its other statements ask for. */
function projectRelations(database: string): Relations {
  const variables = { ...parseMigrationVariables({}), DATABASE: database }
  const statements = readMigrations(migrationsFolder, variables).flatMap(
    (migration) => migration.statements,
  )
  const relations = readRelations(statements, database)
  const folder = join(migrationsFolder, 'queries')
  const further = readdirSync(folder).flatMap((file) =>
    enginesIn(readFileSync(join(folder, file), 'utf8')),
  )
  return { ...relations, engines: new Set([...relations.engines, ...further]) }
}

function ownUsers(config: AccessConfig, relations: Relations): readonly ClickHouseUser[] {
  const { tables, materializedViews, engines: ENGINE } = relations
  const LANDING = [...tables].filter(([, table]) => keepsNothing(table)).map(([name]) => name)
  const SOURCE = new Set(materializedViews.flatMap((view) => view.reads))
  const own = [
    { name: 'migrator', role: 'migrator', hash: config.migrator, profile: UNLIMITED_PROFILE },
    { name: 'writer', role: 'writer', hash: config.writer, profile: UNLIMITED_PROFILE },
    { name: 'grafana', role: 'viewer', hash: config.grafana, profile: READER_PROFILE },
  ] as const
  return own.flatMap(({ name, role, hash: passwordSha256, profile }) => {
    if (passwordSha256 === undefined) return []
    const grants = readGrants(role, config.database, { ENGINE, LANDING, SOURCE })
    return [{ name, passwordSha256, networks: [ANYWHERE], profile, grants, filters: [] }]
  })
}

function readerUser(reader: Reader, database: string, relations: Relations): ClickHouseUser {
  const { name, passwordSha256, networks, tenants } = reader
  const base = { name, passwordSha256, networks, profile: READER_PROFILE }
  if (tenants === undefined) {
    return { ...base, grants: readGrants('viewer', database, {}), filters: [] }
  }
  const conditions = tenantConditions(relations, tenants)
  const READABLE = [...conditions.keys(), ...readableViews(relations, new Set(conditions.keys()))]
  return {
    ...base,
    grants: readGrants('tenant', database, { READABLE }),
    filters: [
      ...[...conditions].map(([table, condition]) => ({ database, table, condition })),
      ...INDEX_READERS.map(closed),
    ],
  }
}

function closed(table: string): RowFilter {
  return { database: TABLE_FUNCTIONS_DATABASE, table, condition: '0' }
}

/** The tables that tell rows of tenants apart, with the condition by which they do. */
function tenantConditions(
  { tables }: Relations,
  tenants: readonly string[],
): ReadonlyMap<string, string> {
  const given = [...tables].flatMap(([name, table]) => {
    const place = keepsNothing(table) || FOR_OPERATORS.has(name) ? undefined : tenantPlace(table)
    if (place === undefined) return []
    const seen = FOR_EVERYONE.has(name) ? [...tenants, ''] : tenants
    return [[name, `${place} IN (${seen.map(quote).join(', ')})`] as const]
  })
  return new Map(given)
}

/** Where a row of a table names its tenant: in a column, or among the dimensions of an alert's group. */
function tenantPlace({ columns }: Table): string | undefined {
  if (columns.has('tenant')) return 'tenant'
  return columns.get('group')?.startsWith('Map(String, String)') === true
    ? "group['tenant']"
    : undefined
}

function keepsNothing({ engine }: Table): boolean {
  return engine === 'Null'
}

/** Views that read nothing but what may be read, at any depth; they ask as who asks them. */
function readableViews({ views }: Relations, tables: ReadonlySet<string>): readonly string[] {
  const isReadable = (name: string, above: readonly string[]): boolean => {
    const view = views.get(name)
    if (view === undefined) return tables.has(name)
    if (!view.asInvoker || above.includes(name)) return false
    return view.reads.every((read) => isReadable(read, [...above, name]))
  }
  return [...views.keys()].filter((name) => isReadable(name, []))
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/** A limit that may be lowered: 0 would be none. */
function limit(name: string, value: number, max = value): ProfileSetting {
  return { name, value, min: 1, max }
}

function fixed(name: string, value: number): ProfileSetting {
  return { name, value, fixed: true }
}

/** Reads only; settings may change, as Grafana's plugin changes some, within limits. */
function readerProfile(limits: QueryLimits): SettingsProfile {
  return {
    name: READER_PROFILE,
    settings: [
      { name: 'readonly', value: 2 },
      limit('max_execution_time', limits.seconds, limits.seconds + CLIENT_GRACE_SECONDS),
      limit('max_memory_usage', limits.memoryBytes),
      limit('max_rows_to_read', limits.rows),
      limit('max_bytes_to_read', limits.bytes),
      limit('max_result_rows', limits.resultRows),
      // What a reader has asked stands in the log, and what it was answered is its own.
      fixed('log_queries', 1),
      fixed('log_queries_probability', 1),
      fixed('log_queries_min_query_duration_ms', 0),
      fixed('query_cache_share_between_users', 0),
      fixed('allow_introspection_functions', 0),
    ],
  }
}
