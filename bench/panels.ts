import { connectClickHouse, type ClickHouse } from '#runtime/clickhouse.ts'
import { type Env, parseCommonConfig } from '#runtime/config.ts'
import { createLogger } from '#runtime/log.ts'
import { migrate, parseMigrationVariables } from '#runtime/migrations.ts'
import { textTable } from '#runtime/text-table.ts'
import {
  type DashboardQuery,
  fillIn,
  queriesOf,
  readDashboards,
} from '../grafana/build/panel-sql.ts'
import { BenchError } from './bench-error.ts'
import { formatEnvironment } from './format.ts'
import { loadPanels, readLoaded } from './panels-load.ts'
import type { Environment } from './report.ts'
import { readEnvironment, startStage, type Tell, withDatabase, withDataFolder } from './stage.ts'
import { spread } from './stats.ts'

/** What to measure. */
export interface PanelsBenchOptions {
  readonly spans: number
  readonly runs: number
  /** A database that is there, to be measured as it is; else one is made and filled. */
  readonly database: string | undefined
}

/** One query of a dashboard at the range that the dashboard shows at first. */
export interface PanelFigures {
  readonly panel: string
  readonly range: string
  /** Until the last row is here; the median of the runs. */
  readonly ms: number
  readonly readRows: number
  readonly readBytes: number
  readonly rows: number
}

export interface PanelsReport {
  readonly environment: Environment
  readonly spans: number
  readonly runs: number
  readonly panels: readonly PanelFigures[]
}

const silent = createLogger('bench', 'silent')

/** Measures what each panel of the dashboards costs ClickHouse, the dearest first. */
export async function runPanelsBench(
  options: PanelsBenchOptions,
  env: Env,
  signal: AbortSignal,
  tell: Tell,
): Promise<PanelsReport> {
  const { database } = options
  if (database === undefined) return withOwnData(options, env, signal, tell)
  const config = parseCommonConfig({ ...env, SPANMETER_CLICKHOUSE_DATABASE: database })
  const clickhouse = connectClickHouse(config.clickhouse, silent)
  try {
    return await measure(clickhouse, options, signal, tell)
  } finally {
    await clickhouse.close()
  }
}

function withOwnData(
  options: PanelsBenchOptions,
  env: Env,
  signal: AbortSignal,
  tell: Tell,
): Promise<PanelsReport> {
  return withDataFolder(signal, tell, async (dataDir) => {
    tell('Starting Kafka and ClickHouse.')
    const stage = await startStage(env, dataDir, tell, { withClickHouse: true })
    try {
      return await withDatabase(stage, 'bench_panels', async (clickhouse) => {
        await migrate(clickhouse, { variables: parseMigrationVariables(env) })
        await loadPanels(clickhouse, { ...options, untilMs: Date.now() }, signal, tell)
        return measure(clickhouse, options, signal, tell)
      })
    } finally {
      await stage.engines.stop()
    }
  })
}

async function measure(
  clickhouse: ClickHouse,
  { runs }: PanelsBenchOptions,
  signal: AbortSignal,
  tell: Tell,
): Promise<PanelsReport> {
  const { untilMs, spans } = await readLoaded(clickhouse)
  if (spans === 0) throw new BenchError(`The database ${clickhouse.database} holds no spans.`)
  tell(`Asking every panel ${runs + 1} times; the first does not count.`)
  const panels: PanelFigures[] = []
  for (const { query, range } of shownQueries()) {
    signal.throwIfAborted()
    const sql = fillIn(query, { fromMs: untilMs - rangeMs(range), toMs: untilMs })
    panels.push({ panel: query.where, range, ...(await measureQuery(clickhouse, sql, runs)) })
  }
  const dearest = panels.toSorted((a, b) => b.ms - a.ms)
  return { environment: readEnvironment(), spans, runs, panels: dearest }
}

async function measureQuery(clickhouse: ClickHouse, sql: string, runs: number) {
  const times: number[] = []
  let last = await clickhouse.measuredQuery(sql)
  for (let run = 0; run < runs; run++) {
    const startedMs = performance.now()
    last = await clickhouse.measuredQuery(sql)
    times.push(performance.now() - startedMs)
  }
  const { rows, readRows, readBytes } = last
  return { ms: spread(times).median, readRows, readBytes, rows: rows.length }
}

/** Every query with the range that its dashboard shows at first. */
function shownQueries(): readonly { readonly query: DashboardQuery; readonly range: string }[] {
  return readDashboards().flatMap((dashboard) =>
    queriesOf(dashboard).map((query) => ({ query, range: dashboard.time.from })),
  )
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

function rangeMs(from: string): number {
  const [, count, unit = ''] = /^now-(\d+)([mhd])$/.exec(from) ?? []
  const unitMs = UNIT_MS[unit]
  if (unitMs === undefined) throw new BenchError(`"${from}" is no range that is known here.`)
  return Number(count) * unitMs
}

const number = (value: number) => Math.round(value).toLocaleString('en-US')

/** The report as a person reads it. */
export function formatPanelsReport(report: PanelsReport): string {
  const rows = report.panels.map(({ panel, range, ms, readRows, readBytes, rows: given }) => [
    panel,
    range,
    ms.toFixed(1),
    number(readRows),
    (readBytes / 1e6).toFixed(1),
    number(given),
  ])
  return [
    formatEnvironment(report.environment),
    `${number(report.spans)} spans; medians of ${report.runs} runs after a first`,
    '',
    ...textTable([['panel', 'range', 'ms', 'rows read', 'MB read', 'rows'], ...rows], 2),
  ].join('\n')
}
