import type { ClickHouse } from '#runtime/clickhouse.ts'
import { toDateTime64 } from '#runtime/iso-time.ts'
import { readQuery } from '#runtime/queries.ts'
import { textTable } from '#runtime/text-table.ts'

/** Of what, and of whom, the log is asked. */
export interface LogAsked {
  readonly fromMs: number
  readonly toMs: number
  /** Empty for everybody. */
  readonly user: string
  readonly limit: number
}

/** A query that reached content. */
export interface ContentRead {
  readonly time: string
  readonly user: string
  readonly address: string
  readonly client: string
  readonly outcome: string
  readonly read_columns: readonly string[]
  readonly rows: string
  readonly query: string
}

/** The log that a server keeps, if it is set to. */
export const SERVER_LOG = 'system.query_log'

/**
 * Columns with what people said, as the log names them: database, table, column. Those of spans may hold
 * some too, where an instrumentation put it among attributes.
 */
const CONTENT =
  String.raw`^\w+\.(?:span_content\.(?:prompt|completion|content)|dead_letters\.(?:payload|detail)` +
  String.raw`|evaluations\.explanation|spans\.(?:attributes|events|status_message))`

/** Reads who read content; undefined where the server keeps no log, or this user may not see it. */
export async function readAccessLog(
  clickhouse: ClickHouse,
  { fromMs, toMs, user, limit }: LogAsked,
  log: string = SERVER_LOG,
): Promise<{ readonly since: string; readonly reads: readonly ContentRead[] } | undefined> {
  const statement = (name: string) => readQuery(name).replaceAll('${LOG}', log)
  if (log === SERVER_LOG) {
    const [found] = await clickhouse.query<{ tables: string }>(statement('access_log_there'))
    if (Number(found?.tables ?? 0) === 0) return undefined
  }
  const [first] = await clickhouse.query<{ first: string }>(statement('access_log_first'))
  const reads = await clickhouse.query<ContentRead>(statement('access_log'), {
    database: clickhouse.database,
    content: CONTENT,
    from: toDateTime64(fromMs),
    to: toDateTime64(toMs),
    user,
    limit,
  })
  return { since: first?.first ?? '', reads }
}

const MAX_QUERY = 100

/** The log as a table. */
export function formatReads(reads: readonly ContentRead[]): readonly string[] {
  if (reads.length === 0) return ['Nobody read content.']
  const rows = reads.map((read) => [
    read.time.slice(0, 19),
    read.user,
    read.address.replace(/^::ffff:/, ''),
    read.client,
    read.outcome,
    read.read_columns.join(' '),
    read.query.replaceAll(/\s+/g, ' ').slice(0, MAX_QUERY),
    read.rows,
  ])
  const head = ['time (UTC)', 'user', 'from', 'with', 'outcome', 'columns', 'query', 'rows']
  return textTable([head, ...rows], head.length - 1)
}
