/** What the statements of the migrations leave in the database, as far as access goes. */
export interface Relations {
  readonly tables: ReadonlyMap<string, Table>
  readonly views: ReadonlyMap<string, View>
  readonly materializedViews: readonly MaterializedView[]
  /** Table engines that any statement asks for. */
  readonly engines: ReadonlySet<string>
}
export interface Table {
  readonly engine: string
  /** Names of columns with the texts of their types. */
  readonly columns: ReadonlyMap<string, string>
}
export interface View {
  /** Tables and views of the database that its text names. */
  readonly reads: readonly string[]
  /** Whether it reads with the rights of who asks, which is so unless it says otherwise. */
  readonly asInvoker: boolean
}
interface MaterializedView {
  readonly name: string
  readonly reads: readonly string[]
}

const CREATED =
  /^CREATE\s+(?:OR\s+REPLACE\s+)?(?<kind>TABLE|MATERIALIZED\s+VIEW|VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?(?<database>\w+)\.(?<name>\w+)\s*/i
const DROPPED = /^DROP\s+(?:TABLE|VIEW)\s+(?:IF\s+EXISTS\s+)?(?<database>\w+)\.(?<name>\w+)/i
const ADDED_COLUMN =
  /\bADD\s+COLUMN\s+(?:IF\s+NOT\s+EXISTS\s+)?`?(?<column>\w+)`?\s+(?<type>[^,]+)/gi
const ALTERED = /^ALTER\s+TABLE\s+(?<database>\w+)\.(?<name>\w+)/i
const ENGINE = /\bENGINE\s*=\s*(?<engine>\w+)/gi
/** What stands in the parentheses of a table and is no column. */
const NO_COLUMN = /^(?:INDEX|PROJECTION|CONSTRAINT|PRIMARY\s+KEY)\s/i
const BORROWED_RIGHTS = /\bSQL\s+SECURITY\s+(?:DEFINER|NONE)\b|\bDEFINER\s*=/i

/**
 * Reads statements without comments, in order, every name with its database. What a statement does
 * that is not understood here leaves no relation, and so no rights: what is missing is refused.
 */
export function readRelations(statements: readonly string[], database: string): Relations {
  const tables = new Map<string, Table>()
  const views = new Map<string, View>()
  const materializedViews = new Map<string, MaterializedView>()
  for (const statement of statements) {
    const created = groupsOf(CREATED, statement, database)
    const dropped = groupsOf(DROPPED, statement, database)
    const altered = groupsOf(ALTERED, statement, database)
    if (created !== undefined) {
      const { name, kind, rest } = created
      const reads = namesIn(rest, database)
      for (const known of [tables, views, materializedViews]) known.delete(name)
      if (/^TABLE$/i.test(kind)) tables.set(name, readTable(rest, reads[0], tables))
      else if (/^VIEW$/i.test(kind)) {
        views.set(name, { reads, asInvoker: !BORROWED_RIGHTS.test(rest) })
      } else materializedViews.set(name, { name, reads: namesIn(selectOf(rest), database) })
    } else if (dropped !== undefined) {
      for (const known of [tables, views, materializedViews]) known.delete(dropped.name)
    } else if (altered !== undefined) {
      const table = tables.get(altered.name)
      if (table !== undefined) tables.set(altered.name, addColumns(table, altered.rest))
    }
  }
  const engines = new Set(statements.flatMap(enginesIn))
  return { tables, views, materializedViews: [...materializedViews.values()], engines }
}

/** The name in a statement on the database, and what follows it. */
function groupsOf(
  pattern: RegExp,
  statement: string,
  database: string,
): { readonly name: string; readonly kind: string; readonly rest: string } | undefined {
  const found = pattern.exec(statement)
  if (found?.groups?.['database'] !== database) return undefined
  const { name = '', kind = '' } = found.groups
  return { name, kind: kind.replaceAll(/\s+/g, ' '), rest: statement.slice(found[0].length) }
}

/** A materialized view's text begins with the table that it writes to. */
function selectOf(rest: string): string {
  return /\bAS\b(?<select>[^]*)$/i.exec(rest)?.groups?.['select'] ?? rest
}

/** Quoted texts may look like names. */
function namesIn(text: string, database: string): readonly string[] {
  const plain = text.replaceAll(QUOTED, "''")
  const names = [...plain.matchAll(new RegExp(`(?<![\\w.])${database}\\.(\\w+)`, 'g'))]
  return [...new Set(names.map(([, name = '']) => name))]
}

export function enginesIn(text: string): readonly string[] {
  return [...text.matchAll(ENGINE)].map((found) => found.groups?.['engine'] ?? '')
}

function readTable(
  rest: string,
  model: string | undefined,
  tables: ReadonlyMap<string, Table>,
): Table {
  const [engine] = enginesIn(rest)
  if (rest.startsWith('(')) {
    const columns = partsOf(rest).flatMap((part) => {
      const column = /^`?(?<name>\w+)`?\s+(?<type>[^]+)$/.exec(part)?.groups
      return column === undefined || NO_COLUMN.test(part)
        ? []
        : [[column['name'] ?? '', column['type'] ?? ''] as const]
    })
    return { engine: engine ?? '', columns: new Map(columns) }
  }
  // CREATE TABLE a AS b: the same columns, and the same engine unless it names one.
  const same = model === undefined ? undefined : tables.get(model)
  return { engine: engine ?? same?.engine ?? '', columns: same?.columns ?? new Map() }
}

function addColumns(table: Table, text: string): Table {
  const added = [...text.matchAll(ADDED_COLUMN)].map(
    ({ groups }) => [groups?.['column'] ?? '', groups?.['type'] ?? ''] as const,
  )
  return { ...table, columns: new Map([...table.columns, ...added]) }
}

const QUOTED = /'(?:\\[^]|''|[^'\\])*'/g
/** Quoted text, or a character. */
const PIECES = /'(?:\\[^]|''|[^'\\])*'|`[^`]*`|[^]/g

/** The parts, between commas, of the parentheses that a text begins with. */
function partsOf(text: string): readonly string[] {
  const parts = ['']
  let depth = 0
  for (const [piece] of text.matchAll(PIECES)) {
    if (piece === '(') depth++
    if (piece === ')') depth--
    if (depth === 0) break
    if (piece === ',' && depth === 1) parts.push('')
    else if (!(piece === '(' && depth === 1)) parts.push(`${parts.pop()}${piece}`)
  }
  return parts.map((part) => part.trim())
}
