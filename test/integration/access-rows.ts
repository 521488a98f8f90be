import type { AccessServer } from './access-server.ts'

/** A column of a table, as system.columns tells it. */
interface Column {
  readonly table: string
  readonly name: string
  readonly type: string
}

/** What some columns must hold so that views look at their rows. */
const VALUES: Readonly<Record<string, string>> = {
  kind: 'llm',
  operation: 'chat',
  price_status: 'priced',
  state: 'firing',
  status: 'error',
}
const ROWS = 4

/** When the rows are of: the middle of a recent hour, so that they are within every retention. */
export const AT_S = Math.floor(Date.now() / 3_600_000 - 2) * 3_600 + 1_800

/**
 * Fills every table of a database that keeps rows, whatever its columns are: every text in a row of a
 * tenant says whose it is, so that it can be found wherever it turns up.
 */
export async function fillTables(
  server: AccessServer,
  database: string,
  tenantsOf: (table: string) => readonly string[],
): Promise<void> {
  const lines = await server.rows(
    `SELECT table, name, type FROM system.columns
     WHERE database = '${database}' AND default_kind NOT IN ('ALIAS', 'MATERIALIZED') AND table IN (
         SELECT name FROM system.tables WHERE database = '${database}' AND engine LIKE '%MergeTree'
     )
     ORDER BY table, position FORMAT JSONEachRow`,
  )
  const columns = lines.map((line): Column => JSON.parse(line))
  const tables = Map.groupBy(columns, (column) => column.table)
  for (const [table, own] of tables) {
    if (table === 'schema_migrations') continue
    const rows = tenantsOf(table).flatMap((tenant) =>
      Array.from({ length: ROWS }, (_, i) => JSON.stringify(rowOf(own, tenant, i))),
    )
    await server.rows(`INSERT INTO ${database}.${table} FORMAT JSONEachRow ${rows.join('\n')}`)
  }
}

function rowOf(columns: readonly Column[], tenant: string, i: number): Record<string, unknown> {
  const fields = columns.flatMap(({ name, type }) => {
    const value = valueOf(name, type, tenant, i)
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(fields)
}

/** The text that stands in a column of a tenant's rows. */
export function textOf(column: string, tenant: string): string {
  return `${column} of ${tenant === '' ? 'nobody' : tenant}`
}

function valueOf(name: string, type: string, tenant: string, i: number): unknown {
  if (name === 'tenant') return tenant
  // The first span of a trace is the root of the others.
  if (name === 'span_id') return `${i} ${textOf(name, tenant)}`
  if (name === 'parent_span_id') return i === 0 ? '' : `0 ${textOf('span_id', tenant)}`
  const plain = type.replace(/^SimpleAggregateFunction\(\w+, (.*)\)$/, '$1')
  const inner = plain.replaceAll(/(?:LowCardinality|Nullable)\(([^()]+(?:\([^()]*\))?)\)/g, '$1')
  if (inner === 'String') return VALUES[name] ?? textOf(name, tenant)
  if (inner === 'Array(String)') return [textOf(name, tenant)]
  if (inner === 'Map(String, String)') return { tenant, model: textOf('model', tenant) }
  if (inner.startsWith('Date')) return timeText(AT_S + i).slice(0, inner === 'Date' ? 10 : 19)
  if (inner.startsWith('Map(UInt')) return { 1: 1, 2: i }
  if (/^U?Int\d+$/.test(inner)) return name.endsWith('_nano') ? (i + 1) * 1_000_000_000 : i + 1
  if (/^(?:Float|Decimal)/.test(inner)) return (i + 1) / 8
  if (inner === 'Bool') return true
  return undefined
}

function timeText(timeS: number): string {
  return new Date(timeS * 1_000).toISOString().replace('T', ' ')
}
