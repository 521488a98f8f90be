import type { ClickHouse } from '#runtime/clickhouse.ts'

/** Changes of alerts, and what became of telling them, as they have landed. */

export interface AlertRow {
  readonly alert_id: string
  readonly rule: string
  readonly level: string
  readonly state: string
  readonly reason: string
  readonly notify: boolean
  readonly muted_by: string
  readonly value: number | null
  readonly threshold: number | null
  readonly count: string
  readonly contributors: readonly unknown[]
  readonly trace_ids: readonly string[]
  readonly link: string
  readonly model: string
  readonly window_end: string
}

/** Changes of alerts of a model, or of all, in order. */
export function alertRows(clickhouse: ClickHouse, model: string): Promise<readonly AlertRow[]> {
  return clickhouse.query<AlertRow>(
    `SELECT *, group['model'] AS model,
       formatDateTime(window_end, '%Y-%m-%dT%H:%i:%S.000Z') AS window_end
     FROM alerts WHERE model = {model:String} OR {model:String} = '' ORDER BY time, landed_time`,
    { model },
  )
}

/** Deliveries of changes, in order. */
export function deliveryRows(
  clickhouse: ClickHouse,
  rows: readonly AlertRow[],
): Promise<readonly { readonly outcome: string; readonly detail: string }[]> {
  const ids = rows.map(({ alert_id: id }) => id)
  return clickhouse.query(
    'SELECT * FROM alert_deliveries WHERE alert_id IN {ids:Array(String)} ORDER BY time',
    { ids },
  )
}
