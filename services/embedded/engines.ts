import { accessSync, constants, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '#runtime/errors.ts'
import { acquireLock, type Lock, LockHeldError } from '#runtime/process-lock.ts'
import { startClickHouse, type EmbeddedAccess } from './clickhouse.ts'
import type { EmbeddedConfig } from './config.ts'
import { EmbeddedError } from './embedded-error.ts'
import type { Engine, Progress } from './engine.ts'
import { startKafka } from './kafka.ts'

/** What a caller of startEngines decides beside the configuration. */
export interface StartOptions {
  readonly onProgress: Progress
  /** Users of the embedded ClickHouse beside `default`. */
  readonly clickhouseAccess?: EmbeddedAccess | undefined
}

/** The Kafka and the ClickHouse to use, started here or elsewhere. */
export interface Engines {
  readonly brokers: readonly string[]
  readonly clickhouseUrl: string
  /** The engine as it runs now; undefined where the configuration points elsewhere. */
  current(name: EngineName): Engine | undefined
  /** Ends an engine, unless it has ended already, and starts it again on the same data and ports. */
  restart(name: EngineName): Promise<Engine>
  /** Ends both engines and frees the data folder. */
  stop(): Promise<void>
}
type EngineName = 'kafka' | 'clickhouse'

/**
 * Starts the engines that the configuration does not point to elsewhere, both at once. Throws one
 * EmbeddedError for all that went wrong, with nothing left running.
 */
export async function startEngines(
  config: EmbeddedConfig,
  options: StartOptions,
): Promise<Engines> {
  const starters = new Map<EngineName, () => Promise<Engine>>()
  const { dataDir, cacheDir, startDeadlineMs, kafka, clickhouse } = config
  const { onProgress, clickhouseAccess: access = { users: [], profiles: [] } } = options
  const shared = { dataDir, startDeadlineMs, onProgress }
  if (kafka !== undefined) {
    const javaHome = process.env['JAVA_HOME']
    starters.set('kafka', () => startKafka({ ...kafka, ...shared, cacheDir, javaHome }))
  }
  if (clickhouse !== undefined) {
    starters.set('clickhouse', () => startClickHouse({ ...clickhouse, ...shared, access }))
  }
  const lock = starters.size === 0 ? undefined : holdFolder(dataDir)
  const running = await startAll(starters, lock)
  return {
    brokers: config.brokers,
    clickhouseUrl: config.clickhouseUrl,
    current: (name) => running.get(name),
    restart: async (name) => {
      const start = starters.get(name)
      if (start === undefined) throw new Error(`${name} is not embedded here`)
      await running.get(name)?.stop()
      const engine = await start()
      running.set(name, engine)
      return engine
    },
    stop: async () => {
      await Promise.all([...running.values()].map((engine) => engine.stop()))
      lock?.release()
    },
  }
}

async function startAll(
  starters: ReadonlyMap<EngineName, () => Promise<Engine>>,
  lock: Lock | undefined,
): Promise<Map<EngineName, Engine>> {
  const results = await Promise.allSettled(
    [...starters].map(async ([name, start]) => [name, await start()] as const),
  )
  const running = new Map(
    results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
  )
  const reasons: unknown[] = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason] : [],
  )
  if (reasons.length === 0) return running
  await Promise.all([...running.values()].map((engine) => engine.stop()))
  lock?.release()
  const bug = reasons.find((reason) => !(reason instanceof EmbeddedError))
  if (bug !== undefined) throw bug
  throw new EmbeddedError(
    reasons.map((reason) => (reason instanceof EmbeddedError ? reason.message : '')).join('\n'),
  )
}

function holdFolder(dataDir: string): Lock {
  try {
    mkdirSync(dataDir, { recursive: true })
    accessSync(dataDir, constants.W_OK)
    return acquireLock(join(dataDir, 'spanmeter.lock'))
  } catch (error) {
    if (error instanceof LockHeldError) throw inUse(dataDir, error)
    const why = messageOf(error)
    throw new EmbeddedError(
      `The data folder ${dataDir} cannot be written (${why}). ` +
        'Give this user the right to write there, or set SPANMETER_DATA_DIR to another folder.',
    )
  }
}

function inUse(dataDir: string, { holder }: LockHeldError): EmbeddedError {
  return new EmbeddedError(
    `The data folder ${dataDir} is in use by ${holder}. ` +
      'Stop it, or set SPANMETER_DATA_DIR to another folder.',
  )
}
