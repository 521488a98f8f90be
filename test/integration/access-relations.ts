import { AT_S, textOf } from './access-rows.ts'
import { type AccessServer, DATABASE } from './access-server.ts'

/** A table or view, with all that it may be asked: itself, or calls of it with parameters. */
export interface Relation {
  readonly name: string
  readonly engine: string
  /** Names of columns, each with its type. */
  readonly columns: readonly string[]
  readonly text: string
  readonly calls: readonly string[]
}

/** Every table and view of the database, by name. */
export async function readRelations(server: AccessServer): Promise<readonly Relation[]> {
  const lines = await server.rows(
    `SELECT name, engine, create_table_query AS text,
         (SELECT groupArray((table, concat(name, ' ', type))) FROM system.columns WHERE database = '${DATABASE}') AS all,
         arrayMap(c -> c.2, arrayFilter(c -> c.1 = tables.name, all)) AS columns
     FROM system.tables AS tables WHERE database = '${DATABASE}' ORDER BY name FORMAT JSONEachRow`,
  )
  return lines.map((line) => {
    const found: Omit<Relation, 'calls'> = JSON.parse(line)
    return { ...found, calls: callsOf(found) }
  })
}

/** Whether a table keeps rows. */
export const isTable = ({ engine }: Relation): boolean => engine.endsWith('MergeTree')

/** Where a relation's rows say whose they are; undefined where they do not. */
export function tenantPlace({ name, columns }: Relation): string | undefined {
  if (name === 'dead_letters') return undefined
  if (columns.some((column) => column.startsWith('tenant '))) return 'tenant'
  return columns.includes('group Map(String, String)') ? "`group`['tenant']" : undefined
}

/** Whether all that a view's text names, at any depth, is among these tables. */
export function readsOnly(
  { text, name }: Relation,
  tables: readonly Relation[],
  relations: readonly Relation[],
): boolean {
  const [, select = ''] = /\sAS\s([^]*)$/.exec(text) ?? []
  const named = relations.filter(
    (other) => other.name !== name && new RegExp(`\\b${DATABASE}\\.${other.name}\\b`).test(select),
  )
  return named.every((other) =>
    other.engine === 'View' ? readsOnly(other, tables, relations) : tables.includes(other),
  )
}

/** A view that takes parameters is asked with sound ones, with another tenant's, and with odd ones. */
function callsOf({ name, text }: Omit<Relation, 'calls'>): readonly string[] {
  const parameters = new Map(
    [...text.matchAll(/\{(\w+):\s*([^}]+)\}/g)].map(([, key = '', type = '']) => [key, type]),
  )
  if (parameters.size === 0) return [name]
  const choices = [...parameters].map(([key, type]) => [key, argumentsFor(key, type)] as const)
  const most = Math.max(...choices.map(([, choice]) => choice.length))
  return Array.from({ length: most }, (_, i) => {
    const given = choices.map(([key, choice]) => `${key} = ${choice[i % choice.length]}`)
    return `${name}(${given.join(', ')})`
  })
}

function argumentsFor(name: string, type: string): readonly string[] {
  const [sound, others] = [textOf(name, 'acme'), textOf(name, 'globex')]
  if (type.startsWith('DateTime')) {
    return [`toDateTime(${AT_S + (name === 'from' ? -7_200 : 7_200)}, 'UTC')`]
  }
  if (type === 'String') return [sound, others, "x\\') OR 1=1 --", ''].map((text) => `'${text}'`)
  if (type.startsWith('Array(String')) return ['[]', "['acme', 'globex', '']", `['${others}']`]
  if (/^(?:Float|Decimal)/.test(type)) return ['0.999', '1.5']
  if (/^U?Int\d+$/.test(type)) return ['86400', '60']
  if (type === 'Bool') return ['true', 'false']
  throw new Error(`this test knows no value for a parameter ${name} of type ${type}`)
}
