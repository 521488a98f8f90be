import type { ClickHouse, QueryParams } from '../../../services/runtime/clickhouse.ts'
import { readQuery } from '../../../services/runtime/queries.ts'

/** A row as ClickHouse gives it, and the time that it is found by. */
export interface StoredRow {
  readonly source: 'spans' | 'evaluations' | 'dead_letters'
  readonly timeMs: number
  readonly row: Readonly<Record<string, unknown>>
}

const SOURCES = ['spans', 'evaluations', 'dead_letters'] as const
const notAsked = () => Promise.reject(new Error('Nobody asks for this'))

/** What ClickHouse answers to the queries of a back-test, and what it was asked. */
export function storedRecords(rows: readonly StoredRow[]) {
  const asked: { readonly source: string; readonly params: QueryParams }[] = []
  const within = (own: readonly StoredRow[], params: QueryParams) => {
    const [fromMs, toMs] = [timeOf(params['from']), timeOf(params['to'])]
    return own.filter(({ timeMs }) => timeMs >= fromMs && timeMs < toMs)
  }
  const answer = (sql: string, params: QueryParams = {}) => {
    if (sql === readQuery('backtest_start')) {
      const times = within(rows, params).map(({ timeMs }) => timeMs)
      return [{ first_ms: String(times.length === 0 ? 0 : Math.min(...times)) }]
    }
    const source = SOURCES.find((name) => sql === readQuery(`backtest_${name}`))
    if (source === undefined) throw new Error(`Nobody asks for this: ${sql}`)
    asked.push({ source, params })
    const own = rows.filter((row) => row.source === source)
    return within(own, params)
      .toSorted((a, b) => a.timeMs - b.timeMs)
      .map(({ row }) => row)
  }
  const clickhouse: ClickHouse = {
    database: 'spanmeter',
    insertAvro: notAsked,
    query: async (sql, params) => JSON.parse(JSON.stringify(answer(sql, params))),
    measuredQuery: notAsked,
    command: notAsked,
    ping: notAsked,
    close: async () => undefined,
  }
  return { clickhouse, asked }
}

function timeOf(value: unknown): number {
  return Date.parse(`${String(value).replace(' ', 'T')}Z`)
}
