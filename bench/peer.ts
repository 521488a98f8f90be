import { accessSync, constants } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ClickHouse } from '#runtime/clickhouse.ts'
import { startEngine } from '../services/embedded/engine.ts'
import { BenchError } from './bench-error.ts'
import { waitUntilLanded } from './landing.ts'
import { type Metered, type RunResult, startMeter } from './meter.ts'

/** What a run of the Collector needs; records lie in the topic and its database exists. */
export interface PeerRun {
  /** The Collector's program. */
  readonly program: string
  readonly brokers: readonly string[]
  readonly topic: string
  readonly group: string
  readonly clickhouseUrl: string
  readonly engines: readonly Metered[]
  /** Connected to the database that the Collector writes. */
  readonly clickhouse: ClickHouse
  readonly spans: number
  readonly logDir: string
  readonly signal: AbortSignal
}

const NAME = 'collector'
const CONFIG = fileURLToPath(new URL('otelcol-collector.yaml', import.meta.url))
const START_DEADLINE_MS = 10_000

/** The full path of the Collector's program. Throws BenchError where it cannot be run. */
export function findPeer(path: string): string {
  const program = resolve(path)
  try {
    accessSync(program, constants.X_OK)
    return program
  } catch (error) {
    throw new BenchError(
      `--peer ${path}: there is no program that this user may run. How to build it: docs/benchmark.md`,
      { cause: error },
    )
  }
}

/** Starts the Collector on a full topic and measures until every span is queryable. */
export async function measurePeer(run: PeerRun): Promise<RunResult> {
  const ended = new AbortController()
  const signal = AbortSignal.any([run.signal, ended.signal])
  const logFile = join(run.logDir, `${NAME}.log`)
  const meter = startMeter(run.engines)
  const collector = await startEngine({
    name: NAME,
    folder: join(run.logDir, NAME),
    logDir: run.logDir,
    logFile,
    command: ['/usr/bin/env', ...variables(run), run.program, '--config', CONFIG],
    stopBy: 'SIGTERM',
    isReady: () => Promise.resolve(true),
    startDeadlineMs: START_DEADLINE_MS,
  })
  const where = `See the end of ${join(run.logDir, `${NAME}-console.log`)}`
  void collector.exited.then(({ code, signal: by }) =>
    ended.abort(new BenchError(`The Collector ended (${by ?? `exit code ${code}`}). ${where}`)),
  )
  try {
    await waitUntilLanded(run.clickhouse, run.spans, where, signal)
    return meter.stop([{ name: NAME, pid: collector.pid }], run.spans)
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    await collector.stop()
  }
}

function variables({ brokers, topic, group, clickhouseUrl, clickhouse }: PeerRun): string[] {
  return [
    `BENCH_KAFKA_BROKERS=${brokers.join(',')}`,
    `BENCH_TOPIC=${topic}`,
    `BENCH_GROUP=${group}`,
    `BENCH_CLICKHOUSE_URL=${clickhouseUrl}`,
    `BENCH_DATABASE=${clickhouse.database}`,
  ]
}
