import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { clusterVariables } from '#runtime/cluster.ts'
import { type CommonConfig, type Env, parseCommonConfig, readVariables } from '#runtime/config.ts'
import type { Logger } from '#runtime/log.ts'
import { migrate, parseMigrationVariables } from '#runtime/migrations.ts'
import { acquireLock, LockHeldError } from '#runtime/process-lock.ts'
import { openRecordStore, type RecordStore } from '#runtime/record-store.ts'
import { connectClickHouse } from '#runtime/clickhouse.ts'
import { parseEmbeddedConfig } from '../../embedded/config.ts'
import { startEngines } from '../../embedded/engines.ts'
import { LOCAL_ADMIN } from '../stack.ts'
import { RebuildError } from './rebuild-error.ts'
import { makeShadow, type Shadow } from './shadow.ts'

/** What days are rebuilt in, with nothing else at work. */
export interface Workplace {
  readonly config: CommonConfig
  readonly store: RecordStore
  readonly shadow: Shadow
}

export interface WorkplaceOptions {
  readonly env: Env
  readonly logger: Logger
  readonly say: (text: string) => void
}

/**
 * Brings up what is needed, gives it to `task`, and takes it down: engines that are embedded and do not
 * run, tables, a database to work in. Two such commands of one data folder never run at once.
 */
export async function withWorkplace<T>(
  options: WorkplaceOptions,
  task: (workplace: Workplace) => Promise<T>,
): Promise<T> {
  const { env, say } = options
  requireOneServer(env)
  const embedded = parseEmbeddedConfig(env)
  mkdirSync(embedded.dataDir, { recursive: true })
  const lock = takeLock(join(embedded.dataDir, 'rebuild.lock'))
  try {
    const engines = await startEngines(embedded, {
      onProgress: (engine, message) => say(`${engine} ${message}`),
    })
    try {
      const common = parseCommonConfig({
        ...env,
        SPANMETER_KAFKA_BROKERS: engines.brokers.join(','),
        SPANMETER_CLICKHOUSE_URL: engines.clickhouseUrl,
      })
      const isLocal = embedded.clickhouse !== undefined
      const clickhouse = isLocal ? { ...common.clickhouse, ...LOCAL_ADMIN } : common.clickhouse
      return await inShadow({ ...common, clickhouse }, options, task)
    } finally {
      await engines.stop()
    }
  } finally {
    lock.release()
  }
}

async function inShadow<T>(
  config: CommonConfig,
  { env, logger }: WorkplaceOptions,
  task: (workplace: Workplace) => Promise<T>,
): Promise<T> {
  const variables = parseMigrationVariables(env)
  const clickhouse = connectClickHouse(config.clickhouse, logger)
  // Tables of both are of one version, or partitions could not move.
  await migrate(clickhouse, { variables }).finally(() => clickhouse.close())
  const store = await openRecordStore(config.kafka, 'spanmeter-rebuild', logger)
  try {
    const shadow = await makeShadow({ config: config.clickhouse, variables, logger })
    try {
      const result = await task({ config, store, shadow })
      await shadow.drop()
      return result
    } finally {
      await shadow.close()
    }
  } finally {
    await store.close()
  }
}

function requireOneServer(env: Env): void {
  const { SPANMETER_CLICKHOUSE_CLUSTER: cluster } = readVariables(clusterVariables, env)
  if (cluster === undefined && (env['SPANMETER_CLICKHOUSE_SHARD_URLS'] ?? '') === '') return
  throw new RebuildError(
    'Days are rebuilt on one ClickHouse server only, not on a cluster (SPANMETER_CLICKHOUSE_CLUSTER, ' +
      'SPANMETER_CLICKHOUSE_SHARD_URLS).',
  )
}

function takeLock(file: string): ReturnType<typeof acquireLock> {
  try {
    return acquireLock(file)
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error
    throw new RebuildError(`Days are being rebuilt by ${error.holder}. Wait until it is done.`)
  }
}
