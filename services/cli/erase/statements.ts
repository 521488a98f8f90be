import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { migrationsFolder, splitStatements } from '#runtime/migrations.ts'
import { readQuery } from '#runtime/queries.ts'

type Values = Readonly<Record<string, string>>

/** A statement of clickhouse/queries, with names filled in. */
export function readStatement(name: string, values: Values): string {
  return fill(readQuery(name), values)
}

/** Which rows of a table are a person's. */
export interface Ownership {
  readonly table: string
  readonly condition: string
}

/** What is a person's, table by table, in the order in which it is to be removed: see clickhouse/erase. */
export function readOwnerships(database: string): readonly Ownership[] {
  const folder = join(migrationsFolder, 'erase')
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => ({
      table: file.replace(/^\d+_/, '').replace(/\.sql$/, ''),
      condition: fill(readFileSync(join(folder, file), 'utf8'), { DATABASE: database }),
    }))
}

function fill(text: string, values: Values): string {
  const filled = text.replaceAll(
    /\$\{(\w+)\}/g,
    (placeholder, name: string) => values[name] ?? placeholder,
  )
  return splitStatements(filled).join(';')
}
