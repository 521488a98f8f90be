import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tryResolveLibchdb } from 'chdb/libchdb'
import { serverXml } from './clickhouse-config.ts'
import type { ClickHouseSettings } from './config.ts'
import { repairDeduplicationLogs } from './deduplication-log.ts'
import { EmbeddedError } from './embedded-error.ts'
import { startEngine, waitForEarlierEngine, type Engine, type Progress } from './engine.ts'
import { requireFreePorts } from './ports.ts'
import { usersXml, type UsersFile } from './users-xml.ts'

export interface ClickHouseOptions extends ClickHouseSettings {
  readonly dataDir: string
  readonly startDeadlineMs: number
  /** Users beside `default`: the session that opens the listeners is that user, from loopback. */
  readonly access: EmbeddedAccess
  readonly onProgress: Progress
}

/** Users of an embedded ClickHouse beside `default`, and their profiles. */
export type EmbeddedAccess = Pick<UsersFile, 'users' | 'profiles'>

const NAME = 'ClickHouse'
const PROGRAM = fileURLToPath(new URL('clickhouse-process.ts', import.meta.url))
const PROBE_TIMEOUT_MS = 2_000

/** Starts ClickHouse on loopback; a later start on the same data folder finds the same data. */
export async function startClickHouse(options: ClickHouseOptions): Promise<Engine> {
  requireLibrary()
  const folder = join(options.dataDir, 'clickhouse')
  await waitForEarlierEngine(NAME, folder, options.onProgress)
  await requireFreePorts([
    { port: options.httpPort, engine: NAME, variable: 'SPANMETER_CLICKHOUSE_HTTP_PORT' },
    { port: options.nativePort, engine: NAME, variable: 'SPANMETER_CLICKHOUSE_NATIVE_PORT' },
  ])
  const lost = repairDeduplicationLogs(join(folder, 'data', 'store'))
  if (lost.length > 0) {
    options.onProgress(NAME, `${lost.length} parts that a crash cut off can be inserted again`)
  }
  const logDir = join(options.dataDir, 'logs')
  const logFile = join(logDir, 'clickhouse.log')
  const configFile = join(folder, 'config.xml')
  const usersFile = join(folder, 'users.xml')
  mkdirSync(folder, { recursive: true })
  writeFileSync(configFile, serverXml({ ...options, folder, usersFile, logFile }))
  writeFileSync(usersFile, usersXml({ ...options.access, localAdmin: true }), { mode: 0o600 })
  return startEngine({
    name: NAME,
    folder,
    logDir,
    logFile,
    command: [process.execPath, PROGRAM, configFile, join(folder, 'data')],
    stopBy: 'closed-stdin',
    isReady: () => answersQuery(options.httpPort),
    startDeadlineMs: options.startDeadlineMs,
  })
}

function requireLibrary(): void {
  if (tryResolveLibchdb() !== undefined) return
  throw new EmbeddedError(
    `ClickHouse's library for ${process.platform}-${process.arch} is missing. It comes with the npm ` +
      'package chdb for Linux with glibc and for macOS (x64, arm64): install again with `npm ci`, ' +
      'without --omit=optional. On other systems set SPANMETER_CLICKHOUSE_URL to a ClickHouse that runs.',
  )
}

async function answersQuery(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/?query=SELECT%201`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    })
    return response.ok && (await response.text()).trim() === '1'
  } catch {
    return false
  }
}
