import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ClickHouse } from '#runtime/clickhouse.ts'
import type { Env } from '#runtime/config.ts'
import type { Kafka } from '#runtime/kafka.ts'
import { readQuery } from '#runtime/queries.ts'
import { TransientError } from '#runtime/records.ts'
import { readers } from '#schemas/readers.ts'
import type { ReplayReport } from './replay/report.ts'

/** The sample did not go through. */
export class SampleError extends Error {
  override readonly name = 'SampleError'
}

const POLL_MS = 200
const QUIET_DEADLINE_MS = 60_000
const ALERTS_DEADLINE_MS = 60_000
/** All between a span and the row of an alert, in the order of the flow. */
const ALERT_READERS = [
  readers.enrich,
  readers.aggregateSpans,
  readers.aggregateEvaluations,
  readers.evaluate,
  readers.sinkEvaluations,
  readers.sinkAlerts,
]
const MAIN = fileURLToPath(new URL('main.ts', import.meta.url))

/**
 * Sends the sample workload by `spanmeter replay`; gives its report. It goes over OTLP/HTTP, or, where
 * that asks for keys or speaks TLS, to the topic: whoever starts the engines may write there.
 */
export async function sendSample(
  env: Env,
  endpoint: string,
  signal: AbortSignal,
): Promise<ReplayReport> {
  const folder = await mkdtemp(join(tmpdir(), 'spanmeter-'))
  try {
    const report = join(folder, 'report.json')
    const isLocked = Boolean(env['SPANMETER_API_KEYS'] || env['SPANMETER_OTLP_TLS_CERT'])
    const way = isLocked ? ['--via', 'kafka'] : ['--via', 'http', '--endpoint', endpoint]
    const args = [MAIN, 'replay', ...way, '--report', report]
    const child = spawn(process.execPath, args, {
      env: { ...env },
      stdio: ['ignore', 'ignore', 'inherit'],
      detached: true,
      signal,
      killSignal: 'SIGTERM',
    })
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', resolve)
    })
    if (code !== 0) throw new SampleError('the sample workload could not be sent, see above')
    const sent: ReplayReport = JSON.parse(await readFile(report, 'utf8'))
    return sent
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Spans in ClickHouse. */
export async function countSpans(clickhouse: ClickHouse): Promise<number> {
  const [row] = await clickhouse.query<{ spans: string }>(readQuery('count_spans'), {})
  return Number(row?.spans ?? 0)
}

/**
 * Waits until ClickHouse has at least `wanted` spans; gives the number that it has then. Throws
 * SampleError once nothing has arrived for a minute.
 */
export async function waitUntilLanded(
  clickhouse: ClickHouse,
  wanted: number,
  signal: AbortSignal,
): Promise<number> {
  let landed = 0
  let lastChangeMs = Date.now()
  for (;;) {
    const now = await countSpans(clickhouse)
    if (now >= wanted) return now
    if (now !== landed) lastChangeMs = Date.now()
    landed = now
    if (Date.now() - lastChangeMs > QUIET_DEADLINE_MS) {
      throw new SampleError(
        `only ${landed} of ${wanted} spans have landed; the logs of the workers say why`,
      )
    }
    await delay(POLL_MS, undefined, { signal })
  }
}

/**
 * Waits until everything that was sent has been read for alerts, and the alerts have landed, seen
 * twice in a row. Gives false where a minute was not enough: then there may be more to come.
 */
export async function waitForAlerts(
  kafka: Pick<Kafka, 'lag'>,
  signal: AbortSignal,
): Promise<boolean> {
  const deadlineMs = Date.now() + ALERTS_DEADLINE_MS
  let times = 0
  while (Date.now() < deadlineMs) {
    times = (await isRead(kafka)) ? times + 1 : 0
    if (times === 2) return true
    await delay(POLL_MS, undefined, { signal })
  }
  return false
}

/** In the order of the flow: what is behind a reader without a lag has been handed on. */
async function isRead(kafka: Pick<Kafka, 'lag'>): Promise<boolean> {
  try {
    for (const { group, topic } of ALERT_READERS) {
      if ((await kafka.lag(group, topic)) > 0n) return false
    }
    return true
  } catch (error) {
    if (error instanceof TransientError) return false
    throw error
  }
}
