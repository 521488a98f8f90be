import {
  type DashboardQuery,
  fillIn,
  queriesOf,
  readDashboards,
  type Shown,
} from '../../grafana/build/panel-sql.ts'
import type { ClickHouse } from '../../services/runtime/clickhouse.ts'

/** Every query of every dashboard's file. */
export function dashboardQueries(): readonly DashboardQuery[] {
  return readDashboards().flatMap(queriesOf)
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
