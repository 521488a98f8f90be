/** Options of the server's own configuration file. */
export interface ServerOptions {
  readonly folder: string
  readonly usersFile: string
  readonly logFile: string
  readonly httpPort: number
  readonly nativePort: number
  readonly memoryBytes: number
}

/** A user beside `default`. Everything about it stands in the users file: SQL cannot add users here. */
export interface ClickHouseUser {
  readonly name: string
  /** SHA-256 of the password, in hex. */
  readonly passwordSha256: string
  /** Networks the user may come from, such as `::/0`. */
  readonly networks: readonly string[]
  /** A read-only user may change settings of its queries, which Grafana's plugin does, and nothing else. */
  readonly readOnly: boolean
  /** GRANT statements; with none the user may do everything. */
  readonly grants: readonly string[]
  /** Rows that the user sees of a table. */
  readonly filters: readonly RowFilter[]
}
interface RowFilter {
  readonly database: string
  readonly table: string
  /** An SQL condition. */
  readonly condition: string
}

const LOOPBACK = ['127.0.0.1', '::1']

// An embedded engine has the pools of a desk tool by default: two merges at a time, and timers that stall.
// These are the server's defaults. Caches are cut down because they count towards the memory cap.
const SERVER_DEFAULTS: readonly (readonly [string, string | number])[] = [
  ['timezone', 'UTC'],
  ['background_pool_size', 16],
  ['background_schedule_pool_size', 16],
  ['background_common_pool_size', 8],
  ['background_buffer_flush_schedule_pool_size', 4],
  ['background_distributed_schedule_pool_size', 4],
  ['max_concurrent_queries', 1_000],
  ['max_server_memory_usage_to_ram_ratio', 0.5],
  ['mark_cache_size', 268_435_456],
  ['primary_index_cache_size', 268_435_456],
  ['keep_alive_timeout', 30],
]

/** config.xml of the embedded server: loopback only, one log that is rotated, no system log tables. */
export function serverXml(options: ServerOptions): string {
  const { folder, memoryBytes } = options
  const values: readonly (readonly [string, string | number])[] = [
    ['listen_host', '127.0.0.1'],
    ['http_port', options.httpPort],
    ['tcp_port', options.nativePort],
    ['users_config', options.usersFile],
    ['tmp_path', `${folder}/tmp/`],
    ['user_files_path', `${folder}/user_files/`],
    ['format_schema_path', `${folder}/format_schemas/`],
    ['max_server_memory_usage', memoryBytes],
    ...SERVER_DEFAULTS,
  ]
  const logger = [
    element('log', options.logFile),
    element('size', '10M'),
    element('count', 2),
  ].join('')
  return clickhouse([
    `<logger>${logger}</logger>`,
    ...values.map(([name, value]) => element(name, value)),
  ])
}

/**
 * users.xml: `default` without a password, from loopback only (the session that opens the listeners
 * is that user), and the given users with their grants and row filters.
 */
export function usersXml(users: readonly ClickHouseUser[]): string {
  return clickhouse([
    '<profiles><default></default><read_only><readonly>2</readonly></read_only></profiles>',
    '<quotas><default></default></quotas>',
    '<users>',
    user('default', '<password></password>', LOOPBACK, 'default', ''),
    ...users.map((given) =>
      user(
        tag(given.name),
        element('password_sha256_hex', given.passwordSha256),
        given.networks,
        given.readOnly ? 'read_only' : 'default',
        grants(given.grants) + filters(given.filters),
      ),
    ),
    '</users>',
  ])
}

function user(
  name: string,
  password: string,
  networks: readonly string[],
  profile: string,
  rights: string,
): string {
  const from = networks.map((network) => element('ip', network)).join('')
  return `<${name}>${password}<networks>${from}</networks>${element('profile', profile)}${element('quota', 'default')}${rights}</${name}>`
}

function grants(statements: readonly string[]): string {
  if (statements.length === 0) return ''
  return `<grants>${statements.map((statement) => element('query', statement)).join('')}</grants>`
}

function filters(rows: readonly RowFilter[]): string {
  if (rows.length === 0) return ''
  const byDatabase = Map.groupBy(rows, (row) => row.database)
  const databases = [...byDatabase].map(([database, tables]) => {
    const inside = tables.map(({ table, condition }) => {
      return `<${tag(table)}>${element('filter', condition)}</${tag(table)}>`
    })
    return `<${tag(database)}>${inside.join('')}</${tag(database)}>`
  })
  return `<databases>${databases.join('')}</databases>`
}

function clickhouse(lines: readonly string[]): string {
  return `<clickhouse>\n${lines.map((line) => `  ${line}\n`).join('')}</clickhouse>\n`
}

function element(name: string, value: string | number): string {
  return `<${name}>${escapeXml(String(value))}</${name}>`
}

// Names of users, databases and tables become XML tags, which nothing can escape.
function tag(name: string): string {
  if (!/^[A-Za-z_][\w.-]*$/.test(name)) {
    throw new Error(`"${name}" cannot stand in ClickHouse's users file: use letters, digits and _`)
  }
  return name
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
