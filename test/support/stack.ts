import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connectClickHouse, type ClickHouse } from '../../services/runtime/clickhouse.ts'
import { type Env, parseCommonConfig } from '../../services/runtime/config.ts'
import { createLogger } from '../../services/runtime/log.ts'
import { setUp } from '../../services/cli/stack.ts'
import { startWorkers, type WorkerName, type Workers } from '../../services/cli/workers.ts'
import { findFreePorts } from '../../services/embedded/ports.ts'

/** All workers on given engines, with topics and a database of their own. */
export interface TestStack {
  readonly env: Env
  readonly workers: Workers
  readonly clickhouse: ClickHouse
  readonly httpPort: number
  readonly grpcPort: number
  readonly logDir: string
  stop(): Promise<void>
}

export interface TestStackOptions {
  readonly brokers: readonly string[]
  readonly clickhouseUrl: string
  readonly env?: Env
  /** The workers that land spans, where it is not said. */
  readonly workers?: readonly WorkerName[]
}

/** A logger that says nothing. */
export const silent = createLogger('test', 'silent')

/** Starts workers whose partitions move on soon when one of them is killed. */
export async function startTestStack({
  brokers,
  clickhouseUrl,
  env: extra = {},
  workers: names = ['ingest', 'enrich', 'sink'],
}: TestStackOptions): Promise<TestStack> {
  const [httpPort = 0, grpcPort = 0] = await findFreePorts(2)
  const id = randomBytes(4).toString('hex')
  const env: Env = {
    ...process.env,
    SPANMETER_KAFKA_BROKERS: brokers.join(','),
    SPANMETER_CLICKHOUSE_URL: clickhouseUrl,
    SPANMETER_CLICKHOUSE_DATABASE: `test_${id}`,
    SPANMETER_TOPIC_PREFIX: `${id}.`,
    SPANMETER_OTLP_HTTP_PORT: String(httpPort),
    SPANMETER_OTLP_GRPC_PORT: String(grpcPort),
    SPANMETER_INGEST_METRICS_PORT: '0',
    SPANMETER_ENRICH_METRICS_PORT: '0',
    SPANMETER_SINK_METRICS_PORT: '0',
    SPANMETER_ALERT_METRICS_PORT: '0',
    SPANMETER_KAFKA_SESSION_TIMEOUT_MS: '3000',
    ...extra,
  }
  const config = parseCommonConfig(env)
  await setUp(env, config, silent, () => undefined)
  const logDir = await mkdtemp(join(tmpdir(), 'spanmeter-logs-'))
  const clickhouse = connectClickHouse(config.clickhouse, silent)
  const workers = await startWorkers({
    env,
    names,
    logDir,
    readyDeadlineMs: 60_000,
    restart: { firstMs: 100, maxMs: 500 },
    onProgress: () => undefined,
  })
  return {
    env,
    workers,
    clickhouse,
    httpPort,
    grpcPort,
    logDir,
    async stop() {
      await workers.stop()
      await clickhouse.command(`DROP DATABASE IF EXISTS test_${id}`)
      await clickhouse.close()
      await rm(logDir, { recursive: true, force: true })
    },
  }
}

const POLL_MS = 100

/** Asks again and again until the answer passes; gives it. Throws with the last answer at the deadline. */
export async function until<T>(
  what: string,
  deadlineMs: number,
  ask: () => Promise<T>,
  passes: (answer: T) => boolean,
): Promise<T> {
  const endMs = Date.now() + deadlineMs
  for (;;) {
    const answer = await ask()
    if (passes(answer)) return answer
    if (Date.now() > endMs)
      throw new Error(`${what}: not within ${deadlineMs} ms; last: ${JSON.stringify(answer)}`)
    await delay(POLL_MS)
  }
}

/** Spans that have landed. */
export async function countSpans({ clickhouse }: TestStack): Promise<number> {
  const [row] = await clickhouse.query<{ n: number }>('SELECT toUInt32(count()) AS n FROM spans')
  return row?.n ?? 0
}
