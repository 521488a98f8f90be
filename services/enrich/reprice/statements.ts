import { readQuery } from '#runtime/queries.ts'

const SPAN_KEY = readQuery('span_key')

/** A statement of clickhouse/queries, with the database and the key of a span filled in. */
export function readStatement(name: string, database: string): string {
  return readQuery(name).replaceAll(/\$\{(\w+)\}/g, (placeholder, variable) => {
    if (variable === 'SPAN_KEY') return SPAN_KEY
    return variable === 'DATABASE' ? database : placeholder
  })
}
