import { readFileSync } from 'node:fs'

/** The text of a query of clickhouse/queries, by its name without the ending. */
export function readQuery(name: string): string {
  return readFileSync(new URL(`../../clickhouse/queries/${name}.sql`, import.meta.url), 'utf8')
}
