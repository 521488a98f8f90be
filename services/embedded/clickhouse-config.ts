import { clickhouseXml, textElement } from './xml.ts'

/** Options of the server's own configuration file. */
export interface ServerOptions {
  readonly folder: string
  readonly usersFile: string
  readonly logFile: string
  readonly httpPort: number
  readonly nativePort: number
  readonly memoryBytes: number
}

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

// As in the configuration that comes with the server: what is not granted is not there. A user without a
// row filter sees all rows of the tables that it may read.
const ACCESS_CONTROL = [
  'users_without_row_policies_can_read_rows',
  'select_from_system_db_requires_grant',
  'select_from_information_schema_requires_grant',
  'table_engines_require_grant',
]

/**
 * The library takes no notice of a write that fails, and puts the part in place that lacks it. So it
 * must not come to that: with less room than this, inserts and merges are refused before they write.
 */
const KEEP_FREE_BYTES = 256 * 1024 * 1024

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
    textElement('log', options.logFile),
    textElement('size', '10M'),
    textElement('count', 2),
  ].join('')
  const disk = textElement('keep_free_space_bytes', KEEP_FREE_BYTES)
  return clickhouseXml([
    `<logger>${logger}</logger>`,
    ...values.map(([name, value]) => textElement(name, value)),
    `<storage_configuration><disks><default>${disk}</default></disks></storage_configuration>`,
    `<access_control_improvements>${ACCESS_CONTROL.map((name) => textElement(name, 'true')).join('')}</access_control_improvements>`,
  ])
}
