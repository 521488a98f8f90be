import { readFileSync } from 'node:fs'
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'

/** The data source that provisioning makes. */
export const DATA_SOURCE = {
  type: 'grafana-clickhouse-datasource',
  uid: 'spanmeter-clickhouse',
} as const

/** Of Grafana's ClickHouse plugin: what the dashboards were checked with. */
const PLUGIN_VERSION = '4.20.0'

/** How the plugin shapes rows: a field per series over time, rows as they are, spans of a trace. */
export type Shape = 'time_series' | 'table' | 'traces'
const FORMATS: Readonly<Record<Shape, number>> = { time_series: 0, table: 1, traces: 3 }

const COMMON_FILTERS = ['tenant', 'environment', 'model', 'feature']
/** From this step on hours are exact enough; below it rollups per minute are read. In seconds. */
const HOURS_FROM = 900

/**
 * The SQL of a file under grafana/queries, by its path without the ending, without the comment that
 * heads it. Three fragments are filled in, so that they read the same everywhere:
 * `@filters(calls)`, or `@filters(calls: tenant, model)`: only what is chosen in the variables;
 * `@step`: seconds from one point to the next, whole hours where the range is long;
 * `@bucket(calls.time)`: the point that a time belongs to.
 */
export function readSql(name: string): string {
  const text = readFileSync(new URL(`../queries/${name}.sql`, import.meta.url), 'utf8')
  return text
    .replace(/^(?:--[^\n]*\n)+/, '')
    .replaceAll(/@filters\((\w+)(?::([^)]*))?\)/g, (_, table: string, names?: string) =>
      filters(table, names?.split(',').map((one) => one.trim()) ?? COMMON_FILTERS),
    )
    .replaceAll(/@bucket\(([\w.]+)\)/g, 'toStartOfInterval($1, toIntervalSecond(@step))')
    .replaceAll('@step', STEP)
    .trimEnd()
}

const STEP = `if($__interval_s >= ${HOURS_FROM}, greatest($__interval_s, 3600), $__interval_s)`

function filters(table: string, names: readonly string[]): string {
  return names
    .map((name) => `$__conditionalAll(${table}.${name} IN (\${${name}:singlequote}), $${name})`)
    .join('\n    AND ')
}

/** A query of ClickHouse. `refId` names it among those of its panel. */
export function clickhouseQuery(name: string, shape: Shape, refId = 'A'): Builder<Dataquery> {
  const query = {
    refId,
    datasource: DATA_SOURCE,
    pluginVersion: PLUGIN_VERSION,
    editorType: 'sql',
    queryType: shape === 'time_series' ? 'timeseries' : shape,
    format: FORMATS[shape],
    rawSql: readSql(name),
    // The SDK knows queries by this member; JSON leaves it out.
    _implementsDataqueryVariant: () => undefined,
  }
  return { build: () => query }
}
