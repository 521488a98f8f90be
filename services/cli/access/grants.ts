import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fillVariables, migrationsFolder, splitStatements } from '#runtime/migrations.ts'

export type Role = 'migrator' | 'writer' | 'viewer' | 'tenant'

/** The lists that the files of clickhouse/access name: a statement stands once for each of its list's names. */
export type GrantLists = Readonly<Record<string, Iterable<string>>>

/** What a user of a role may do: the statements of clickhouse/access, with names filled in. */
export function readGrants(role: Role, database: string, lists: GrantLists): readonly string[] {
  const file = join('access', `${role}.sql`)
  const text = readFileSync(join(migrationsFolder, file), 'utf8')
  return splitStatements(text).flatMap((statement) => {
    const list = Object.keys(lists).find((name) => statement.includes(`\${${name}}`))
    const fillings =
      list === undefined ? [{}] : [...(lists[list] ?? [])].map((name) => ({ [list]: name }))
    return fillings.map((filling) =>
      fillVariables(statement, { DATABASE: database, ...filling }, file),
    )
  })
}
