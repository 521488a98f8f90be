import type { ClickHouse } from '#runtime/clickhouse.ts'
import { type Person, personParams } from './person.ts'
import { readStatement } from './statements.ts'

/** A column with texts that name a person. */
export interface FoundColumn {
  readonly table: string
  readonly column: string
  readonly rows: number
  /** Whether its rows may be removed: those of a rollup are parts of sums. */
  readonly isRemovable: boolean
  readonly remove: () => Promise<void>
}

interface ColumnRow {
  readonly table: string
  readonly column: string
  readonly type: string
  readonly engine: string
  readonly has_tenant: number
}

/** Hashes in one statement: parameters travel in the address of a request. */
const MAX_HASHES = 1_000

/** Columns of bytes that were refused: what stands before and after a name there may be anything. */
const ANY_BYTES = new Set(['dead_letters.payload'])

/** Looks through every text of every table that keeps rows. */
export async function searchTables(
  clickhouse: ClickHouse,
  person: Person,
): Promise<readonly FoundColumn[]> {
  const { database } = clickhouse
  const columns = await clickhouse.query<ColumnRow>(readStatement('erase_columns', {}), {
    database,
  })
  const found: FoundColumn[] = []
  for (const column of columns) {
    const place = placeOf(column, database)
    const { word, anywhere } = person.mentions
    const pattern = ANY_BYTES.has(`${column.table}.${column.column}`) ? anywhere : word
    const texts = await clickhouse.query<FoundText>(readStatement('erase_search', place), {
      ...personParams(person),
      pattern,
    })
    if (texts.length > 0) found.push(foundColumn(clickhouse, person, column, texts))
  }
  return found
}

/** Dead letters with spans of the person's traces, whether they name the person or not. */
export async function searchLetters(
  clickhouse: ClickHouse,
  person: Person,
): Promise<readonly FoundColumn[]> {
  const { database } = clickhouse
  const sql = readStatement('erase_letters_by_trace', { DATABASE: database })
  const texts = await clickhouse.query<FoundText>(sql, { hash: person.hash })
  const column = {
    table: 'dead_letters',
    column: 'payload',
    type: 'String',
    engine: '',
    has_tenant: 0,
  }
  return texts.length === 0 ? [] : [foundColumn(clickhouse, person, column, texts)]
}

interface FoundText {
  readonly hash: string
  readonly rows: string
}

function foundColumn(
  clickhouse: ClickHouse,
  person: Person,
  column: ColumnRow,
  texts: readonly FoundText[],
): FoundColumn {
  const sql = readStatement('erase_found', placeOf(column, clickhouse.database))
  return {
    table: column.table,
    column: column.column,
    rows: texts.reduce((sum, { rows }) => sum + Number(rows), 0),
    isRemovable: !column.engine.includes('Aggregating'),
    async remove() {
      for (let from = 0; from < texts.length; from += MAX_HASHES) {
        const hashes = texts.slice(from, from + MAX_HASHES).map(({ hash }) => hash)
        await clickhouse.command(sql, { ...personParams(person), hashes })
      }
    },
  }
}

/** What names a column in a statement, and the tenant of its rows. */
function placeOf(
  { table, column, type, has_tenant: hasTenant }: ColumnRow,
  database: string,
): Readonly<Record<string, string>> {
  const isText =
    /^(?:LowCardinality\(|SimpleAggregateFunction\(\w+, )?(?:Nullable\()?String\)*$/.test(type)
  const ownTenant = table === 'alerts' ? "`group`['tenant']" : "''"
  return {
    DATABASE: database,
    TABLE: table,
    TEXT: isText ? `ifNull(toString(\`${column}\`), '')` : textOfNested(column, type),
    TENANT: hasTenant === 1 ? 'tenant' : ownTenant,
  }
}

/** States of aggregates are read through what they hold. */
function textOfNested(column: string, type: string): string {
  return type.startsWith('AggregateFunction')
    ? `toJSONString(finalizeAggregation(\`${column}\`))`
    : `toJSONString(\`${column}\`)`
}
