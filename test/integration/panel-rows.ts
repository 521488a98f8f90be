import { readdirSync, readFileSync } from 'node:fs'
import {
  type DashboardFile,
  type DashboardQuery,
  fillIn,
  queriesOf,
  type Shown,
} from '../../grafana/build/panel-sql.ts'
import type { ClickHouse } from '../../services/runtime/clickhouse.ts'

const FOLDER = new URL('../../grafana/dashboards/', import.meta.url)

/** Every query of every dashboard's file. */
export function dashboardQueries(): readonly DashboardQuery[] {
  return readdirSync(FOLDER)
    .toSorted()
    .flatMap((file) => {
      const dashboard: DashboardFile = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'))
      return queriesOf(dashboard)
    })
}

type Cell = string | number | null
export type Row = Readonly<Record<string, Cell>>

/** The rows that ClickHouse gives for a panel, as Grafana would ask for them. */
export async function panelRows(
  clickhouse: ClickHouse,
  query: DashboardQuery,
  shown: Shown,
): Promise<readonly Row[]> {
  return clickhouse.query<Row>(fillIn(query, shown))
}
