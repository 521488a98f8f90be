import { type ClickHouse, connectClickHouse } from '#runtime/clickhouse.ts'
import type { ClickHouseConfig } from '#runtime/config.ts'
import type { Logger } from '#runtime/log.ts'
import {
  fillVariables,
  migrate,
  type MigrationVariables,
  splitStatements,
} from '#runtime/migrations.ts'
import { readQuery } from '#runtime/queries.ts'
import { dayPartition, landingViews, monthOf, monthRollups } from './tables.ts'

/** An insert of a large day takes its time. */
const REQUEST_TIMEOUT_MS = 3_600_000
/** Without its comment, which names itself. */
const SPAN_KEY = splitStatements(readQuery('span_key')).join()

/**
 * A database beside the real one with the same tables and views, in which days are made anew. Rows that
 * are put where records arrive become rollups there as they do in the real one.
 */
export interface Shadow {
  readonly clickhouse: ClickHouse
  /** Name of the real one. */
  readonly database: string
  /** Runs a statement of clickhouse/queries, with DATABASE and SHADOW filled in. */
  run(name: string, params?: Params, variables?: MigrationVariables): Promise<void>
  ask<Row>(name: string, params?: Params, variables?: MigrationVariables): Promise<readonly Row[]>
  /** Lets nothing land in the tables of these views. */
  leaveOut(views: readonly string[]): Promise<void>
  /** Puts what stands in `source` in the place of a table's partition of each of the days. */
  replaceDays(table: string, days: readonly string[], source?: string): Promise<void>
  /** The same for a table whose partitions are months. */
  replaceInMonths(table: string, days: readonly string[]): Promise<void>
  drop(): Promise<void>
  close(): Promise<void>
}
type Params = Readonly<Record<string, string | number | readonly string[]>>

export interface ShadowOptions {
  readonly config: ClickHouseConfig
  readonly variables: MigrationVariables
  readonly logger: Logger
}

/** Makes the database, in the place of what an earlier run has left. */
export async function makeShadow({ config, variables, logger }: ShadowOptions): Promise<Shadow> {
  const DATABASE = config.database
  const SHADOW = `${DATABASE}_rebuild`
  const options = { requestTimeoutMs: REQUEST_TIMEOUT_MS }
  const real = connectClickHouse(config, logger, options)
  const clickhouse = connectClickHouse({ ...config, database: SHADOW }, logger, options)
  const statement = (name: string, more: MigrationVariables = {}) =>
    fillVariables(
      readQuery(name).replaceAll('${SPAN_KEY}', SPAN_KEY),
      { DATABASE, SHADOW, ...more },
      `queries/${name}.sql`,
    )
  const run: Shadow['run'] = (name, params = {}, more = {}) =>
    real.command(statement(name, more), params)
  const replace = async (table: string, partition: string, source: string): Promise<void> => {
    const params = { database: SHADOW, table: source, partition }
    const [row] = await real.query<{ parts: string }>(statement('rebuild_partition'), params)
    const names = { TABLE: table, PARTITION: partition, SOURCE: source }
    await run(Number(row?.parts ?? 0) > 0 ? 'rebuild_replace' : 'rebuild_remove', {}, names)
  }
  const shadow: Shadow = {
    clickhouse,
    database: DATABASE,
    run,
    ask: (name, params = {}, more = {}) => real.query(statement(name, more), params),
    async leaveOut(views) {
      for (const VIEW of views) await run('rebuild_drop_view', {}, { VIEW })
    },
    async replaceDays(table, days, source = table) {
      for (const day of days) {
        await replace(table, dayPartition(day), source)
      }
    },
    async replaceInMonths(table, days) {
      const source = `${table}_whole`
      await run('rebuild_month_table', {}, { TABLE: table })
      for (const month of new Set(days.map(monthOf))) {
        await run('rebuild_month_rest', { month, days }, { TABLE: table })
        await run('rebuild_month_days', { month, days }, { TABLE: table })
        await replace(table, dayPartition(month), source)
      }
    },
    drop: () => run('rebuild_drop'),
    async close() {
      await clickhouse.close()
      await real.close()
    },
  }
  await shadow.drop()
  await migrate(clickhouse, { variables })
  await shadow.leaveOut(landingViews)
  return shadow
}

/** Rollups of months, of these days. */
export async function replaceMonths(shadow: Shadow, days: readonly string[]): Promise<void> {
  for (const table of monthRollups) await shadow.replaceInMonths(table, days)
}
