import { randomBytes } from 'node:crypto'
import { type ClickHouse, connectClickHouse, type QueryParams } from '#runtime/clickhouse.ts'
import { migrate, parseMigrationVariables } from '#runtime/migrations.ts'
import { spansFile, type EnrichedSpan } from './enriched-spans.ts'

/** All tables and views in a database of their own, with spans in them. */
export interface QuestionDatabase {
  readonly clickhouse: ClickHouse
  /** Lands spans as sink does; those of a token that has landed are dropped. */
  land(token: string, spans: readonly EnrichedSpan[]): Promise<void>
  /** Rows as lines with `|` between columns, sorted. `rest` is what follows the columns. */
  lines(columns: readonly string[], rest: string, params?: QueryParams): Promise<readonly string[]>
  drop(): Promise<void>
}

export async function openQuestionDatabase(url: string): Promise<QuestionDatabase> {
  const database = `questions_${randomBytes(4).toString('hex')}`
  const clickhouse = connectClickHouse({ url, user: 'default', password: '', database })
  await migrate(clickhouse, { variables: parseMigrationVariables({}) })
  return {
    clickhouse,
    land: (token, spans) =>
      clickhouse.insertAvro({ table: 'spans_landing', file: spansFile(spans), token }),
    async lines(columns, rest, params = {}) {
      const texts = columns.map((column) => `toString(${column})`).join(', ')
      const rows = await clickhouse.query<{ line: string }>(
        `SELECT concatWithSeparator('|', ${texts}) AS line ${rest}`,
        params,
      )
      return rows.map(({ line }) => line).sort()
    },
    async drop() {
      await clickhouse.command(`DROP DATABASE IF EXISTS ${database}`)
      await clickhouse.close()
    },
  }
}

/** A sum of USD in pico-USD, exactly. */
export const picoOf = (column: string) => `toInt128(sum(${column}) * 1000000000000)`
