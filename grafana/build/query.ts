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
 * heads it. Fragments are filled in, so that they read the same everywhere:
 * `@filters(calls)`, or `@filters(calls: tenant, model)`: only what is chosen in the variables;
 * `@groups(alerts)`: only alerts whose group names nothing that is not chosen: one of a rule over all
 * tenants is everybody's;
 * `@chosen(tenant)`: the names that are chosen in a variable, as an array; [] for All;
 * `@unchosen(tenant, model)`: whether All is chosen in each of these variables;
 * `@text(trace)`: what a text variable holds, which Grafana may fill in as nothing at all where it is '';
 * `@sql(traces/shown)`: the query of another file;
 * `@step`: seconds from one point to the next, whole hours where the range is long;
 * `@bucket(calls.time)`: the point that a time belongs to;
 * `@split(calls: model, provider)`: the one of these columns that the variable `split` names, else the
 * first of them;
 * `@number(budget, 3000)`: the number in a text variable, or this one where there is none;
 * `@by`: the column that the panel is by, where panels share a query.
 */
export function readSql(name: string, by = ''): string {
  const text = readFileSync(new URL(`../queries/${name}.sql`, import.meta.url), 'utf8')
  return text
    .replace(/^(?:--[^\n]*\n)+/, '')
    .replaceAll(/@filters\((\w+)(?::([^)]*))?\)/g, (_, table: string, names?: string) =>
      filters(table, names?.split(',').map((one) => one.trim()) ?? COMMON_FILTERS),
    )
    .replaceAll(/@groups\((\w+)\)/g, (_, table: string) => groups(table))
    .replaceAll(/@number\((\w+), ([\d.]+)\)/g, 'ifNull(toFloat64OrNull(@text($1)), $2)')
    .replaceAll(/@text\((\w+)\)/g, "arrayElement(CAST([${$1:sqlstring}], 'Array(String)'), 1)")
    .replaceAll(/@chosen\((\w+)\)/g, (_, variable: string) => chosen(variable))
    .replaceAll(/@unchosen\(([^)]*)\)/g, (_, names: string) =>
      names
        .split(',')
        .map((one) => unchosen(one.trim()))
        .join(' AND '),
    )
    .replaceAll(/@sql\(([\w/]+)\)/g, (_, other: string) => `(${readSql(other)})`)
    .replaceAll(/@split\((\w+):([^)]*)\)/g, (_, table: string, names: string) =>
      split(
        table,
        names.split(',').map((one) => one.trim()),
      ),
    )
    .replaceAll(/@bucket\(([\w.]+)\)/g, 'toStartOfInterval($1, toIntervalSecond(@step))')
    .replaceAll('@step', STEP)
    .replaceAll('@by', by)
    .trimEnd()
}

const STEP = `if($__interval_s >= ${HOURS_FROM}, greatest($__interval_s, 3600), $__interval_s)`

function filters(table: string, names: readonly string[]): string {
  return names
    .map((name) => `$__conditionalAll(${table}.${name} IN (\${${name}:singlequote}), $${name})`)
    .join('\n    AND ')
}

function groups(table: string): string {
  return COMMON_FILTERS.map((name) => {
    const condition = `${table}.\`group\`['${name}'] IN ('', \${${name}:singlequote})`
    return `$__conditionalAll(${condition}, $${name})`
  }).join('\n    AND ')
}

function chosen(variable: string): string {
  return `if(${unchosen(variable)}, [], [\${${variable}:singlequote}])`
}

function unchosen(variable: string): string {
  return `$__conditionalAll(0 = 1, $${variable})`
}

function split(table: string, names: readonly string[]): string {
  const [first = '', ...others] = names
  const cases = others.map((name) => `\${split:sqlstring} = '${name}', toString(${table}.${name})`)
  return `ifNull(nullIf(multiIf(${[...cases, `toString(${table}.${first})`].join(', ')}), ''), '(none)')`
}

/** A query of ClickHouse. `refId` names it among those of its panel, `by` is for readSql. */
export function clickhouseQuery(
  name: string,
  shape: Shape,
  { refId = 'A', by = '' }: { readonly refId?: string; readonly by?: string } = {},
): Builder<Dataquery> {
  const query = {
    refId,
    datasource: DATA_SOURCE,
    pluginVersion: PLUGIN_VERSION,
    editorType: 'sql',
    queryType: shape === 'time_series' ? 'timeseries' : shape,
    format: FORMATS[shape],
    rawSql: readSql(name, by),
    // The SDK knows queries by this member; JSON leaves it out.
    _implementsDataqueryVariant: () => undefined,
  }
  return { build: () => query }
}
