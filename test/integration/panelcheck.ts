import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const PROGRAM = fileURLToPath(new URL('../../../shared/tools/panelcheck', import.meta.url))
const FOLDER = fileURLToPath(new URL('../../grafana/dashboards/', import.meta.url))

/** Whether the tool that asks queries through Grafana's own ClickHouse plugin is beside the project. */
export const hasPanelcheck = existsSync(PROGRAM)

export interface PanelcheckOptions {
  readonly protocol: 'http' | 'native'
  readonly port: number
  readonly database: string
  readonly fromMs: number
  readonly toMs: number
  readonly tenant: string | undefined
}

/** What it says of a query of a dashboard. */
export interface PanelcheckResult {
  readonly dashboard: string
  readonly kind: string
  readonly panel: string
  readonly rows?: number
  readonly error?: string
}

/** Asks every panel and every variable of all dashboards. */
export async function runPanelcheck(
  options: PanelcheckOptions,
): Promise<readonly PanelcheckResult[]> {
  const { protocol, port, database, fromMs, toMs, tenant } = options
  const files = readdirSync(FOLDER).map((file) => `${FOLDER}${file}`)
  const args = [
    `-protocol=${protocol}`,
    `-port=${port}`,
    `-database=${database}`,
    '-allow-empty',
    `-from=${new Date(fromMs).toISOString()}`,
    `-to=${new Date(toMs).toISOString()}`,
    ...(tenant === undefined ? [] : [`-var=tenant=${tenant}`]),
    ...files,
  ]
  const { stdout } = await promisify(execFile)(PROGRAM, args, { maxBuffer: 100_000_000 }).catch(
    (error: { stdout: string }) => error,
  )
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): PanelcheckResult => JSON.parse(line))
}
