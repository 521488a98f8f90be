import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { setImmediate as yieldToEvents } from 'node:timers/promises'
import { connectClickHouse, type ClickHouse } from '#runtime/clickhouse.ts'
import { type Env, parseCommonConfig } from '#runtime/config.ts'
import { createLogger } from '#runtime/log.ts'
import { otlpSpans } from '#schemas/topics.ts'
import { setUp } from '../services/cli/stack.ts'
import { openTopicSender } from '../services/cli/topic-sender.ts'
import { parseEmbeddedConfig } from '../services/embedded/config.ts'
import { type Engines, startEngines } from '../services/embedded/engines.ts'
import { findFreePorts } from '../services/embedded/ports.ts'
import type { Metered } from './meter.ts'
import { CLICKHOUSE, type Environment } from './report.ts'

/** Tells a person in a sentence what happens. */
export type Tell = (message: string) => void

/** Kafka, and ClickHouse where it is needed, on free ports, with data that is thrown away. */
export interface Stage {
  readonly engines: Engines
  readonly metered: readonly Metered[]
  readonly env: Env
}

/** Topics, tables and records of one round, apart from those of any other. */
export interface Round {
  /** The environment of the workers. */
  readonly env: Env
  readonly topic: string
  /** Tells this round from others, in the names of consumer groups and databases. */
  readonly id: string
}

/** About a megabyte for each partition in one write, as a Collector would batch them. */
const BODIES_PER_WRITE = 64
/** Failures are thrown, and standard output is the report's. */
const silent = createLogger('bench', 'silent')

/**
 * Gives a folder for all that a benchmark writes, which is deleted afterwards; after a failure the
 * logs stay.
 */
export async function withDataFolder<T>(
  signal: AbortSignal,
  tell: Tell,
  use: (dataDir: string) => Promise<T>,
): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'spanmeter-bench-'))
  let keepsLogs = false
  try {
    return await use(dataDir)
  } catch (error) {
    keepsLogs = !signal.aborted && existsSync(join(dataDir, 'logs'))
    throw error
  } finally {
    const folders = keepsLogs ? ['kafka', 'clickhouse'] : ['']
    for (const folder of folders) await rm(join(dataDir, folder), { recursive: true, force: true })
    if (keepsLogs) tell(`The logs are kept in ${join(dataDir, 'logs')}`)
  }
}

/** The machine as it is now. */
export function readEnvironment(): Environment {
  return {
    cpu: cpus()[0]?.model ?? 'unknown CPU',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.version,
    load: loadavg()[0] ?? 0,
  }
}

/**
 * Starts the engines that are needed. Variables of this project in `given` hold for the workers, but for those that
 * say where Kafka and ClickHouse are: what runs elsewhere cannot be measured.
 */
export async function startStage(
  given: Env,
  dataDir: string,
  tell: Tell,
  { withClickHouse }: { readonly withClickHouse: boolean },
): Promise<Stage> {
  const [kafka, http, native] = await findFreePorts(3)
  const own: Env = {
    ...given,
    SPANMETER_DATA_DIR: dataDir,
    SPANMETER_KAFKA_BROKERS: undefined,
    SPANMETER_KAFKA_PORT: String(kafka),
    SPANMETER_KAFKA_CONTROLLER_PORT: undefined,
    SPANMETER_CLICKHOUSE_URL: undefined,
    SPANMETER_CLICKHOUSE_HTTP_PORT: String(http),
    SPANMETER_CLICKHOUSE_NATIVE_PORT: String(native),
    SPANMETER_CLICKHOUSE_USER: undefined,
    SPANMETER_CLICKHOUSE_PASSWORD: undefined,
  }
  const config = parseEmbeddedConfig(own)
  const engines = await startEngines(
    { ...config, clickhouse: withClickHouse ? config.clickhouse : undefined },
    { onProgress: (_engine, message) => tell(message) },
  )
  const env = {
    ...own,
    SPANMETER_KAFKA_BROKERS: engines.brokers.join(','),
    SPANMETER_CLICKHOUSE_URL: engines.clickhouseUrl,
  }
  return { engines, metered: meteredEngines(engines), env }
}

function meteredEngines(engines: Engines): readonly Metered[] {
  const names = { kafka: 'Kafka', clickhouse: CLICKHOUSE } as const
  return (['kafka', 'clickhouse'] as const).flatMap((engine) => {
    const pid = engines.current(engine)?.pid
    return pid === undefined ? [] : [{ name: names[engine], pid }]
  })
}

/** Makes topics and tables, and writes the records. */
export async function openRound(
  stage: Stage,
  bodies: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<Round> {
  const id = `bench_${randomBytes(4).toString('hex')}`
  const [http, grpc] = await findFreePorts(2)
  const env: Env = {
    ...stage.env,
    SPANMETER_TOPIC_PREFIX: `${id}.`,
    SPANMETER_CLICKHOUSE_DATABASE: id,
    SPANMETER_OTLP_HTTP_PORT: String(http),
    SPANMETER_OTLP_GRPC_PORT: String(grpc),
    SPANMETER_INGEST_METRICS_PORT: '0',
    SPANMETER_ENRICH_METRICS_PORT: '0',
    SPANMETER_SINK_METRICS_PORT: '0',
    SPANMETER_ALERT_METRICS_PORT: '0',
  }
  const config = parseCommonConfig(env)
  await setUp(env, config, silent, () => undefined)
  const sender = await openTopicSender(config, silent)
  try {
    for (let from = 0; from < bodies.length; from += BODIES_PER_WRITE) {
      signal.throwIfAborted()
      await sender.send(bodies.slice(from, from + BODIES_PER_WRITE))
    }
  } finally {
    await sender.close()
  }
  return { env, id, topic: `${id}.${otlpSpans.name}` }
}

/** Connects to a database of the stage, which is made where it is missing, and dropped after use. */
export async function withDatabase<T>(
  { env }: Stage,
  database: string,
  use: (clickhouse: ClickHouse) => Promise<T>,
): Promise<T> {
  const config = parseCommonConfig({ ...env, SPANMETER_CLICKHOUSE_DATABASE: database })
  const clickhouse = connectClickHouse(config.clickhouse, silent)
  try {
    await clickhouse.command(`CREATE DATABASE IF NOT EXISTS ${database}`)
    return await use(clickhouse)
  } finally {
    // After a failure ClickHouse may be gone; what failed first is what counts.
    await clickhouse.command(`DROP DATABASE IF EXISTS ${database} SYNC`).catch(() => undefined)
    await clickhouse.close()
  }
}

/** All items, with pauses in which signals are heard. */
export async function collect<T>(items: Iterable<T>, signal: AbortSignal): Promise<readonly T[]> {
  const all: T[] = []
  for (const item of items) {
    all.push(item)
    if (all.length % BODIES_PER_WRITE !== 0) continue
    await yieldToEvents()
    signal.throwIfAborted()
  }
  return all
}
