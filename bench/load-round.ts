import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ClickHouse } from '#runtime/clickhouse.ts'
import { type Env, parseCommonConfig } from '#runtime/config.ts'
import { connectKafka, type Kafka } from '#runtime/kafka.ts'
import { createLogger } from '#runtime/log.ts'
import { readers } from '#schemas/readers.ts'
import { WORKERS, type WorkerName } from '../services/cli/workers.ts'
import { findFreePorts } from '../services/embedded/ports.ts'
import { type BenchProcess, startWorker } from './alerts-process.ts'
import { BenchError } from './bench-error.ts'
import type { Landed } from './load-ledger.ts'
import { numberText } from './load-requests.ts'
import type { Metered } from './meter.ts'
import { openRound, type Stage, withDatabase } from './stage.ts'

/** A whole pipeline at work on topics and tables of its own. */
export interface LoadRound {
  /** Where ingest receives OTLP over HTTP. */
  readonly otlpPort: number
  readonly workers: readonly MeteredWorker[]
  readonly engines: readonly Metered[]
  lags(): Promise<Lags>
  /** What the requests [first, end) left in ClickHouse. */
  landed(first: number, end: number): AsyncGenerator<Landed>
  /** Aborts when a worker ends, or the benchmark is to. */
  readonly signal: AbortSignal
}

/** A worker, and where it tells its metrics. */
export interface MeteredWorker extends Metered {
  readonly metricsPort: number
}

/** Records still to read: on the way into ClickHouse, and by the worker alert. */
export interface Lags {
  readonly spans: number
  readonly alerts: number
}

const TO_CLICKHOUSE = [readers.enrich, readers.sink]
const TO_ALERTS = [readers.aggregateSpans, readers.evaluate]
const POLL_MS = 250
const STALLED_MS = 120_000
/** So many that the answer of ClickHouse stays small. */
const REQUESTS_PER_QUERY = 10_000
/** Failures are thrown, and standard output is the report's. */
const silent = createLogger('bench', 'silent')

/** Starts all workers on new topics and tables; ends them, and drops the tables, after use. */
export async function withLoadRound<T>(
  options: {
    readonly stage: Stage
    readonly logDir: string
    /** More variables of each worker. */
    readonly envOf: (worker: WorkerName) => Env
    readonly signal: AbortSignal
  },
  use: (round: LoadRound) => Promise<T>,
): Promise<T> {
  const { stage, envOf } = options
  const { id, env } = await openRound(stage, [], options.signal)
  const ports = await findFreePorts(WORKERS.length)
  const metricsPorts = new Map(WORKERS.map((name, index) => [name, ports[index] ?? 0]))
  const kafka = connectKafka(parseCommonConfig(env).kafka, 'spanmeter-bench', silent)
  const processes: BenchProcess[] = []
  const workers: MeteredWorker[] = []
  try {
    return await withDatabase(stage, id, async (clickhouse) => {
      for (const name of WORKERS) {
        const metricsPort = metricsPorts.get(name) ?? 0
        const variable = `SPANMETER_${name.toUpperCase()}_METRICS_PORT`
        const own = { ...env, ...envOf(name), [variable]: String(metricsPort) }
        const logDir = join(options.logDir, id)
        const process = await startWorker({ name, env: own, logDir, signal: options.signal })
        processes.push(process)
        workers.push({ name, pid: process.pid, metricsPort })
      }
      const signal = AbortSignal.any([options.signal, ...processes.map(({ ended }) => ended)])
      const otlpPort = Number(env['SPANMETER_OTLP_HTTP_PORT'])
      const round = {
        otlpPort,
        workers,
        engines: stage.metered,
        lags: () => readLags(kafka),
        landed: (first: number, end: number) => readLanded(clickhouse, first, end),
        signal,
      }
      try {
        return await use(round)
      } catch (error) {
        throw signal.aborted ? signal.reason : error
      } finally {
        // In the order of the flow, so that each has read what the one before wrote.
        for (const process of processes) await process.stop()
      }
    })
  } finally {
    await kafka.close()
  }
}

/** In the order of the flow: where all are 0, nothing is between two of them. */
async function readLags(kafka: Kafka): Promise<Lags> {
  const lagOf = async (group: typeof TO_CLICKHOUSE | typeof TO_ALERTS) => {
    let sum = 0
    for (const reader of group) sum += Number(await kafka.lag(reader.group, reader.topic))
    return sum
  }
  return { spans: await lagOf(TO_CLICKHOUSE), alerts: await lagOf(TO_ALERTS) }
}

/** Waits until nothing of the kind is to be read. Gives how long it took. Throws BenchError where it does not get on. */
export async function waitUntilRead(round: LoadRound, kind: keyof Lags): Promise<number> {
  const startedMs = performance.now()
  let least = Infinity
  let lastChangeMs = startedMs
  for (;;) {
    const lag = (await round.lags())[kind]
    round.signal.throwIfAborted()
    const nowMs = performance.now()
    if (lag === 0) return nowMs - startedMs
    if (lag < least) lastChangeMs = nowMs
    least = Math.min(least, lag)
    if (nowMs - lastChangeMs > STALLED_MS) {
      throw new BenchError(`${lag} records (${kind}) are still to be read, and none was for long.`)
    }
    await delay(POLL_MS, undefined, { signal: round.signal })
  }
}

interface LandedRow {
  readonly request: string
  readonly rows: string
  readonly spans: string
}

async function* readLanded(
  clickhouse: ClickHouse,
  first: number,
  end: number,
): AsyncGenerator<Landed> {
  const sql = readFileSync(new URL('load/landed.sql', import.meta.url), 'utf8')
  for (let from = first; from < end; from += REQUESTS_PER_QUERY) {
    const last = Math.min(from + REQUESTS_PER_QUERY, end) - 1
    const range = { first: numberText(from), last: numberText(last) }
    for (const { request, rows, spans } of await clickhouse.query<LandedRow>(sql, range)) {
      yield { number: Number.parseInt(request, 16), rows: Number(rows), spans: Number(spans) }
    }
  }
}
