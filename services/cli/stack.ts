import { join } from 'node:path'
import { connectClickHouse, type ClickHouse } from '#runtime/clickhouse.ts'
import {
  type CommonConfig,
  ConfigError,
  type Env,
  otlpVariables,
  parseCommonConfig,
  readVariables,
} from '#runtime/config.ts'
import { clusterVariables } from '#runtime/cluster.ts'
import { connectKafka } from '#runtime/kafka.ts'
import type { Logger } from '#runtime/log.ts'
import { migrate, parseMigrationVariables } from '#runtime/migrations.ts'
import { topicSpecs } from '#runtime/topics.ts'
import type { EmbeddedAccess } from '../embedded/clickhouse.ts'
import { type EmbeddedConfig, parseEmbeddedConfig } from '../embedded/config.ts'
import { type Engines, startEngines } from '../embedded/engines.ts'
import { requireFreePorts } from '../embedded/ports.ts'
import { parseAccessConfig } from './access/access-config.ts'
import { accessUsers } from './access/access-users.ts'
import { startWorkers, WORKERS, type Workers } from './workers.ts'

/** Kafka, ClickHouse and all workers, running. */
export interface Stack {
  readonly engines: Engines
  readonly workers: Workers
  readonly clickhouse: ClickHouse
  /** The environment that a process needs to reach this stack. */
  readonly env: Env
  stop(): Promise<void>
}

/** Told of each step; `subject` is what it is about, such as kafka. */
export type Tell = (subject: string, message: string) => void

/** The user of an embedded ClickHouse that is always there. */
export const LOCAL_ADMIN = { user: 'default', password: '' }
const WORKERS_READY_DEADLINE_MS = 60_000

/**
 * Brings everything up: the engines that are not running elsewhere, topics, tables, workers. What
 * was started is stopped again when a step fails, in the opposite order.
 */
export async function startStack(given: Env, logger: Logger, tell: Tell): Promise<Stack> {
  const config = parseEmbeddedConfig(given)
  requirePlainEngines(given, config)
  await requireOtlpPorts(given)
  const undo: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const step of undo.splice(0).toReversed()) await step()
  }
  try {
    const access = config.clickhouse === undefined ? undefined : readAccess(given, tell)
    const engines = await startEngines(config, { onProgress: tell, clickhouseAccess: access })
    undo.push(() => engines.stop())
    const env: Env = {
      ...given,
      SPANMETER_KAFKA_BROKERS: engines.brokers.join(','),
      SPANMETER_CLICKHOUSE_URL: engines.clickhouseUrl,
    }
    const common = parseCommonConfig(env)
    // Whoever the workers are to be, what stands here is done as the user that every embedded server has.
    const clickhouseConfig =
      access === undefined ? common.clickhouse : { ...common.clickhouse, ...LOCAL_ADMIN }
    await setUp(env, { ...common, clickhouse: clickhouseConfig }, logger, tell)
    const logDir = join(config.dataDir, 'logs')
    const workers = await startWorkers({
      env,
      logDir,
      readyDeadlineMs: WORKERS_READY_DEADLINE_MS,
      onProgress: (message) => tell('workers', message),
    })
    undo.push(() => workers.stop())
    tell('workers', `${WORKERS.join(', ')} run; their logs are in ${logDir}`)
    const clickhouse = connectClickHouse(clickhouseConfig, logger)
    undo.push(() => clickhouse.close())
    return { engines, workers, clickhouse, env, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The embedded engines take connections of this machine alone, and no TLS. */
function requirePlainEngines(env: Env, config: EmbeddedConfig): void {
  const { kafka, clickhouse } = parseCommonConfig(env)
  if (config.kafka !== undefined && (kafka.tls !== undefined || kafka.sasl !== undefined)) {
    throw new ConfigError(
      'The embedded Kafka has no TLS and no users: set SPANMETER_KAFKA_BROKERS to the broker that has, or take SPANMETER_KAFKA_TLS… and SPANMETER_KAFKA_SASL… away.',
    )
  }
  if (config.clickhouse !== undefined && clickhouse.tls !== undefined) {
    throw new ConfigError(
      'The embedded ClickHouse has no TLS: set SPANMETER_CLICKHOUSE_URL to the server that has, or take SPANMETER_CLICKHOUSE_TLS… away.',
    )
  }
}

/** Users of the embedded ClickHouse, by the configuration. */
function readAccess(env: Env, tell: Tell): EmbeddedAccess {
  const config = parseAccessConfig(env)
  const access = accessUsers(config)
  const names = access.users.map(({ name }) => name)
  if (names.length > 0) tell('clickhouse', `has the users ${names.join(', ')} beside default`)
  if (config.grafana !== undefined || config.readers.length > 0) {
    tell(
      'clickhouse',
      'embedded, lets whoever may send it SQL read files of this machine: users that must not see ' +
        "each other's rows need a server of its own (docs/access.md)",
    )
  }
  return access
}

/** Before anything is started: ingest would only say so in its log. */
async function requireOtlpPorts(env: Env): Promise<void> {
  const v = readVariables(otlpVariables, env)
  await requireFreePorts(
    (['SPANMETER_OTLP_HTTP_PORT', 'SPANMETER_OTLP_GRPC_PORT'] as const).map((variable) => ({
      port: v[variable],
      engine: 'OTLP',
      variable,
    })),
  )
}

/** Makes topics and tables where they are missing. Safe to run again, and while workers run. */
export async function setUp(
  env: Env,
  config: CommonConfig,
  logger: Logger,
  tell: Tell,
): Promise<void> {
  const kafka = connectKafka(config.kafka, 'spanmeter-setup', logger)
  try {
    const made = await kafka.ensureTopics(topicSpecs(env))
    tell('kafka', made.length === 0 ? 'topics are there' : `made the topics ${made.join(', ')}`)
  } finally {
    await kafka.close()
  }
  const clickhouse = connectClickHouse(config.clickhouse, logger)
  try {
    const applied = await migrate(clickhouse, {
      variables: parseMigrationVariables(env),
      cluster: readVariables(clusterVariables, env).SPANMETER_CLICKHOUSE_CLUSTER,
      onProgress: (message) => tell('clickhouse', message),
    })
    if (applied.length === 0) tell('clickhouse', 'tables are up to date')
  } finally {
    await clickhouse.close()
  }
}
