import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { rootCertificates } from 'node:tls'
import {
  ClickHouseError as ServerError,
  ClickHouseLogLevel,
  createClient,
  type ClickHouseClient,
  type ClickHouseClientConfigOptions,
  type ClickHouseSettings,
  type ErrorLogParams,
  type Logger as ClientLogger,
  type LogParams,
  type WarnLogParams,
} from '@clickhouse/client'
import {
  ClickHouseError,
  classifyForeignException,
  classifyServerCode,
} from './clickhouse-error.ts'
import type { ClickHouseConfig } from './config.ts'
import type { Logger } from './log.ts'

/**
 * ClickHouse over HTTP. Every method rejects with ClickHouseError when the server or the network
 * fails, and is safe to call concurrently. Nothing is retried here: who calls knows what a repeat does.
 */
export interface ClickHouse {
  /** The database that queries and inserts mean by a plain table name. */
  readonly database: string
  /**
   * Appends an Avro object container file to a table. Resolves when the rows and all that materialized
   * views make of them are in ClickHouse's tables. Repeating a call with the same token and the same
   * bytes completes or drops it; so after a failure, repeat until it resolves.
   */
  insertAvro(insert: AvroInsert): Promise<void>
  /** Rows of a SELECT without FORMAT. 64-bit integers and decimals arrive as strings, exact. */
  query<Row>(sql: string, params?: QueryParams): Promise<readonly Row[]>
  /** As query, with what the server read for it. */
  measuredQuery<Row>(sql: string, params?: QueryParams): Promise<MeasuredResult<Row>>
  /** Runs a statement without a result. Names in it are qualified: it may run before the database exists. */
  command(sql: string, params?: QueryParams): Promise<void>
  /** Resolves if the server answers and accepts the user. */
  ping(): Promise<void>
  /** Closes idle and open connections; requests under way fail. */
  close(): Promise<void>
}

/** Values for `{name:Type}` in the text of a query. */
export type QueryParams = Readonly<
  Record<string, string | number | bigint | boolean | Date | readonly string[]>
>

export interface AvroInsert {
  readonly table: string
  /** The whole file, or its parts in order, so that nobody has to join them. */
  readonly file: Buffer | Iterable<Buffer> | Readable
  /** Names these bytes for ever: equal tokens mean equal bytes. */
  readonly token: string
}

export interface MeasuredResult<Row> {
  readonly rows: readonly Row[]
  readonly readRows: number
  readonly readBytes: number
}

export interface ConnectOptions {
  /** How long a request may be silent. An insert is silent until all its views are written. */
  readonly requestTimeoutMs?: number
  /** Requests at once; more wait for a connection. */
  readonly maxConnections?: number
}

const DEFAULT_REQUEST_TIMEOUT_MS = 60_000
const DEFAULT_MAX_CONNECTIONS = 10
/** Below any server's keep_alive_timeout (3 s in old versions), so that no socket is used as it closes. */
const IDLE_SOCKET_MS = 2_000
/** More rows and bytes than any batch, so that an insert is one block and a repeat is cut alike. */
const ONE_BLOCK_ROWS = '100000000'
const ONE_BLOCK_BYTES = '100000000000'

/**
 * What makes a repeated insert count once, together with non_replicated_deduplication_window on every
 * table and rollup: one block on one thread, written before the answer, dropped by its token in every
 * materialized view on its own.
 */
export const insertSettings: ClickHouseSettings = {
  async_insert: 0,
  wait_end_of_query: 1,
  insert_deduplicate: 1,
  deduplicate_blocks_in_dependent_materialized_views: 1,
  materialized_views_ignore_errors: 0,
  max_insert_threads: '1',
  max_insert_block_size: ONE_BLOCK_ROWS,
  min_insert_block_size_rows: ONE_BLOCK_ROWS,
  min_insert_block_size_bytes: ONE_BLOCK_BYTES,
  min_insert_block_size_rows_for_materialized_views: ONE_BLOCK_ROWS,
  min_insert_block_size_bytes_for_materialized_views: ONE_BLOCK_BYTES,
  max_partitions_per_insert_block: '0',
  input_format_avro_allow_missing_fields: 1,
}

/** 64-bit integers and decimals do not fit JSON's numbers. */
const querySettings: ClickHouseSettings = {
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_decimals: 1,
}

/** Opens no connection yet. The log gets the client's warnings; failures are thrown, not logged. */
export function connectClickHouse(
  config: ClickHouseConfig,
  logger?: Logger,
  options: ConnectOptions = {},
): ClickHouse {
  const base = clientOptions(config, logger, options)
  const client = createClient({ ...base, database: config.database })
  const withoutDatabase = createClient(base)
  return {
    database: config.database,
    insertAvro: (insert) => attempt(() => insertAvro(client, insert)),
    query: (sql, params = {}) =>
      attempt(async () => {
        const result = await client.query({
          query: sql,
          query_params: params,
          format: 'JSONEachRow',
          clickhouse_settings: querySettings,
        })
        return result.json()
      }),
    measuredQuery: (sql, params = {}) => attempt(() => measuredQuery(client, sql, params)),
    command: (sql, params = {}) =>
      attempt(async () => {
        await withoutDatabase.command({
          query: sql,
          query_params: params,
          clickhouse_settings: { wait_end_of_query: 1 },
        })
      }),
    ping: () =>
      attempt(async () => {
        const answer = await withoutDatabase.ping({ select: true })
        if (!answer.success) throw answer.error
      }),
    close: async () => {
      await Promise.all([client.close(), withoutDatabase.close()])
    },
  }
}

function clientOptions(
  config: ClickHouseConfig,
  logger: Logger | undefined,
  options: ConnectOptions,
) {
  return {
    url: config.url,
    username: config.user,
    password: config.password,
    application: 'spanmeter',
    ...tlsOptions(config),
    request_timeout: options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS,
    max_open_connections: options.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
    keep_alive: {
      enabled: true,
      idle_socket_ttl: IDLE_SOCKET_MS,
      eagerly_destroy_stale_sockets: true,
    },
    log:
      logger === undefined
        ? { level: ClickHouseLogLevel.OFF }
        : { level: ClickHouseLogLevel.WARN, LoggerClass: clientLogger(logger) },
  }
}

/** The client takes an authority with or without a certificate of one's own, and no certificate without one. */
function tlsOptions({ tls }: ClickHouseConfig): Pick<ClickHouseClientConfigOptions, 'tls'> {
  if (tls === undefined) return {}
  const ca_cert = tls.ca ?? Buffer.from(rootCertificates.join('\n'))
  const { cert, key } = tls
  return { tls: cert === undefined || key === undefined ? { ca_cert } : { ca_cert, cert, key } }
}

async function insertAvro(client: ClickHouseClient, insert: AvroInsert): Promise<void> {
  const { file } = insert
  const answer = await client.exec({
    query: `INSERT INTO ${insert.table} FORMAT Avro`,
    values: file instanceof Readable ? file : Readable.from(Buffer.isBuffer(file) ? [file] : file),
    clickhouse_settings: { ...insertSettings, insert_deduplication_token: insert.token },
  })
  // Until the empty answer is read, its socket is not free for the next request.
  await text(answer.stream)
}

async function measuredQuery<Row>(
  client: ClickHouseClient,
  sql: string,
  params: QueryParams,
): Promise<MeasuredResult<Row>> {
  const result = await client.query({
    query: sql,
    query_params: params,
    format: 'JSONEachRow',
    // The summary in the answer's head is only complete if the server waits for the end.
    clickhouse_settings: { ...querySettings, wait_end_of_query: 1 },
  })
  const rows = await result.json<Row>()
  const summary: { read_rows?: string; read_bytes?: string } = JSON.parse(
    String(result.response_headers['x-clickhouse-summary'] ?? '{}'),
  )
  return {
    rows,
    readRows: Number(summary.read_rows ?? 0),
    readBytes: Number(summary.read_bytes ?? 0),
  }
}

async function attempt<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request()
  } catch (error) {
    throw toClickHouseError(error)
  }
}

/** Bugs of ours pass as they are; all else that a request can throw becomes a ClickHouseError. */
function toClickHouseError(error: unknown): unknown {
  if (error instanceof ServerError) {
    const kind = classifyServerCode(Number(error.code))
    return new ClickHouseError(`ClickHouse: ${error.message}`, error.code, kind, { cause: error })
  }
  if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError)
    return error
  const foreign = classifyForeignException(error.message)
  if (foreign !== undefined) {
    const message = `ClickHouse: ${error.message}`
    return new ClickHouseError(message, foreign.code, foreign.kind, { cause: error })
  }
  const code = 'code' in error ? String(error.code) : ''
  const said = error.message === '' ? code : error.message
  return new ClickHouseError(`ClickHouse cannot be reached: ${said}`, code, 'unavailable', {
    cause: error,
  })
}

/** The client wants a class to make its logger from. It reports at levels that are ours to choose. */
function clientLogger(logger: Logger): new () => ClientLogger {
  return class {
    trace(params: LogParams): void {
      logger.trace(params.args, params.message)
    }
    debug(params: LogParams): void {
      logger.debug(params.args, params.message)
    }
    info(params: LogParams): void {
      logger.debug(params.args, params.message)
    }
    warn(params: WarnLogParams): void {
      logger.warn({ err: params.err }, params.message)
    }
    error(params: ErrorLogParams): void {
      logger.debug({ err: params.err }, params.message)
    }
  }
}
