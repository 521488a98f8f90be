import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findJava } from '../services/embedded/java.ts'
import { startTalking, type TalkingProcess } from './alerts-process.ts'
import { type AlertRound, SESSION_TIMEOUT_MS } from './alerts-round.ts'
import { BenchError } from './bench-error.ts'
import type { Tell } from './stage.ts'

/** Kafka Streams' own words for what a crash may do. */
export const GUARANTEES = ['at_least_once', 'exactly_once_v2'] as const
export type Guarantee = (typeof GUARANTEES)[number]

/** Kafka Streams with the program of bench/streams, built. */
export interface Streams {
  readonly java: string
  /** Folder with the classes, and with the jars in lib. */
  readonly folder: string
}

export interface StreamsOptions {
  readonly streams: Streams
  readonly round: AlertRound
  readonly guarantee: Guarantee
  /** Of the topic that is read. */
  readonly topic: string
  readonly seriesFile: string
  /** Each span goes on by itself, without being added up with others of its record. */
  readonly isPerSpan: boolean
  readonly logDir: string
  readonly signal: AbortSignal
}

const PROJECT = fileURLToPath(new URL('streams', import.meta.url))
const SCHEMA = fileURLToPath(new URL('../schemas/enriched-span.avsc', import.meta.url))
const KEPT_CHARACTERS = 3_000
const COMMIT_INTERVAL_MS = 1_000
/** Of Java's collectors the one with which Streams counts most spans per CPU second here. */
const JVM_FLAGS = ['-Xmx1g', '-XX:+UseParallelGC', '-XX:+ExitOnOutOfMemoryError']

/**
 * Builds the program, and downloads Kafka Streams, unless the cache has both. Throws BenchError where
 * Maven cannot, and EmbeddedError without Java.
 */
export async function ensureStreams(
  cacheDir: string,
  javaHome: string | undefined,
  tell: Tell,
): Promise<Streams> {
  const { command: java } = await findJava(javaHome)
  const folder = join(cacheDir, `streams-${digestOfProject()}`)
  if (existsSync(folder)) return { java, folder }
  tell(`Building the Kafka Streams program (it downloads 90 MB, once) into ${folder}`)
  mkdirSync(cacheDir, { recursive: true })
  const unfinished = mkdtempSync(`${folder}-`)
  try {
    await build(unfinished)
    renameSync(unfinished, folder)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return { java, folder }
}

function digestOfProject(): string {
  const hash = createHash('sha256')
  const files = readdirSync(PROJECT, { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((name) => /\.(?:java|xml)$/.test(name)).toSorted()) {
    hash.update(file).update(readFileSync(join(PROJECT, file)))
  }
  return hash.digest('hex').slice(0, 12)
}

async function build(target: string): Promise<void> {
  const args = [
    '--batch-mode',
    `--file=${join(PROJECT, 'pom.xml')}`,
    `-Dtarget=${target}`,
    'compile',
    'dependency:copy-dependencies',
    '-DincludeScope=runtime',
    `-DoutputDirectory=${join(target, 'lib')}`,
  ]
  try {
    await promisify(execFile)('mvn', args, { maxBuffer: 64 * 1024 * 1024 })
  } catch (error) {
    const output =
      error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error)
    throw new BenchError(
      `Maven could not build ${PROJECT}. It needs a JDK and, the first time, Maven Central. ` +
        `The end of what it says:\n${output.slice(-KEPT_CHARACTERS)}`,
      { cause: error },
    )
  }
}

/** Id of the application, without the prefix of the round: its group and its topics are named by it. */
export function streamsId(guarantee: Guarantee): string {
  return `streams-${guarantee}`
}

/** The topic by which Kafka Streams sends groups to whoever counts them. */
export function streamsGroupsTopic(guarantee: Guarantee): string {
  return `${streamsId(guarantee)}-groups-repartition`
}

/** Starts Kafka Streams; resolves when its partitions are assigned. */
export function startStreams(options: StreamsOptions): Promise<TalkingProcess> {
  const { streams, round, guarantee, topic, seriesFile, isPerSpan, logDir, signal } = options
  const name = streamsId(guarantee)
  const settings = {
    brokers: round.brokers.join(','),
    topic: round.kafka.name(topic),
    applicationId: round.kafka.name(name),
    seriesFile,
    schemaFile: SCHEMA,
    stateFolder: join(logDir, `${name}-state`),
    guarantee,
    store: 'in_memory',
    commitIntervalMs: COMMIT_INTERVAL_MS,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    isPerSpan,
  }
  const classPath = [join(streams.folder, 'classes'), join(streams.folder, 'lib', '*')].join(':')
  const command = [
    streams.java,
    ...JVM_FLAGS,
    '-cp',
    classPath,
    'spanmeter.bench.Main',
    JSON.stringify(settings),
  ]
  return startTalking({ name, env: process.env, logDir, signal, command })
}
