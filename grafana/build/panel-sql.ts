import { readdirSync, readFileSync } from 'node:fs'

/** What Grafana and its ClickHouse plugin make of the SQL of a panel before they send it. */

/** A query of a dashboard, and where it stands. */
export interface DashboardQuery {
  /** Such as `overview: Latency`, or `overview: $tenant` of a variable. */
  readonly where: string
  readonly sql: string
  /** The least seconds from one point to the next. */
  readonly minIntervalSeconds: number
  readonly maxPoints: number
}

export interface Shown {
  /** Milliseconds since the epoch. */
  readonly fromMs: number
  readonly toMs: number
  /** Chosen values of variables; those that are not named show All, or the text that they have at first. */
  readonly variables?: Readonly<Record<string, readonly string[]>>
}

/** What is read of a dashboard's file here. */
export interface DashboardFile {
  readonly uid: string
  /** The range that it shows at first. */
  readonly time: { readonly from: string }
  readonly panels: readonly PanelFile[]
  readonly templating: { readonly list: readonly VariableFile[] }
  readonly annotations: { readonly list: readonly AnnotationFile[] }
}
interface PanelFile {
  readonly title: string
  readonly targets?: readonly { readonly rawSql?: string }[]
  readonly panels?: readonly PanelFile[]
  readonly interval?: string
  readonly maxDataPoints?: number
}
interface VariableFile {
  readonly name: string
  readonly type: string
  readonly query?: string | { readonly rawSql?: string }
}
interface AnnotationFile {
  readonly name: string
  readonly target?: { readonly rawSql?: string }
}

const FOLDER = new URL('../dashboards/', import.meta.url)

/** Every dashboard, as its file has it, by the files' names. */
export function readDashboards(): readonly DashboardFile[] {
  return readdirSync(FOLDER)
    .toSorted()
    .map((file): DashboardFile => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')))
}

const DEFAULT_POINTS = 1_000

/** Every query of a dashboard: of panels, those in rows too, of variables and of annotations. */
export function queriesOf(dashboard: DashboardFile): readonly DashboardQuery[] {
  const where = (what: string) => `${dashboard.uid.replace('spanmeter-', '')}: ${what}`
  const plain = { minIntervalSeconds: 1, maxPoints: DEFAULT_POINTS }
  const ofVariables = dashboard.templating.list.flatMap(({ name, query }) =>
    typeof query === 'object' && query.rawSql !== undefined
      ? [{ ...plain, where: where(`$${name}`), sql: query.rawSql }]
      : [],
  )
  const ofAnnotations = dashboard.annotations.list.flatMap(({ name, target }) =>
    target?.rawSql === undefined ? [] : [{ ...plain, where: where(name), sql: target.rawSql }],
  )
  const panels = dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])])
  const ofPanels = panels.flatMap((panel) =>
    (panel.targets ?? []).flatMap(({ rawSql: sql }) =>
      sql === undefined ? [] : [{ ...stepsOf(panel), where: where(panel.title), sql }],
    ),
  )
  return [...ofVariables, ...ofAnnotations, ...ofPanels]
}

function stepsOf({ interval, maxDataPoints }: PanelFile) {
  return {
    minIntervalSeconds: interval === undefined ? 1 : seconds(interval),
    maxPoints: maxDataPoints ?? DEFAULT_POINTS,
  }
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

function seconds(interval: string): number {
  const [, count = '1', unit = 's'] = /^(\d+)([smhd])$/.exec(interval) ?? []
  return Number(count) * (UNIT_SECONDS[unit] ?? 1)
}

/** Steps that Grafana rounds an interval up to, in seconds. */
const STEPS = [
  1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 10_800, 21_600,
  43_200, 86_400, 604_800, 2_592_000,
]

/** The SQL that ClickHouse gets for a query, with variables and macros filled in. */
export function fillIn(query: DashboardQuery, shown: Shown): string {
  const rangeSeconds = (shown.toMs - shown.fromMs) / 1_000
  const exact = Math.max(rangeSeconds / query.maxPoints, query.minIntervalSeconds)
  const step = STEPS.find((one) => one >= exact) ?? exact
  return fillMacros(fillVariables(query.sql, shown.variables ?? {}), shown, step)
}

const ALL = '$__all'

function fillVariables(sql: string, chosen: Readonly<Record<string, readonly string[]>>): string {
  return fillConditions(sql, chosen).replaceAll(
    /\$\{(\w+)(?::(\w+))?\}/g,
    (_, name: string, format?: string) => {
      const values = chosen[name] ?? ['']
      return format === undefined ? values.join(',') : values.map(quoted).join(',')
    },
  )
}

/** A condition on a variable of which All is chosen always holds. Its brackets may hold others. */
function fillConditions(sql: string, chosen: Readonly<Record<string, readonly string[]>>): string {
  return sql.replaceAll(
    /\$__conditionalAll\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*),\s*\$(\w+)\)/g,
    (_, condition: string, name: string) =>
      (chosen[name] ?? [ALL]).includes(ALL) ? '1=1' : condition,
  )
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

function fillMacros(sql: string, { fromMs, toMs }: Shown, step: number): string {
  const from = `toDateTime(${Math.floor(fromMs / 1_000)})`
  const to = `toDateTime(${Math.floor(toMs / 1_000)})`
  const fromExact = `fromUnixTimestamp64Milli(${fromMs})`
  const toExact = `fromUnixTimestamp64Milli(${toMs})`
  return sql
    .replaceAll(/\$__timeFilter_ms\(([^()]+)\)/g, `$1 >= ${fromExact} AND $1 <= ${toExact}`)
    .replaceAll(/\$__timeFilter\(([^()]+)\)/g, `$1 >= ${from} AND $1 <= ${to}`)
    .replaceAll('$__fromTime_ms', fromExact)
    .replaceAll('$__toTime_ms', toExact)
    .replaceAll('$__fromTime', from)
    .replaceAll('$__toTime', to)
    .replaceAll('$__interval_s', String(step))
}
