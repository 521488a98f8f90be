import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Env } from '#runtime/config.ts'
import { readVariables } from '#runtime/config.ts'
import { topicVariables } from '#runtime/topics.ts'
import { listProfiles, readProfiles, type WorkerProfile } from './cpu-profile.ts'
import { waitUntilQuiet } from './landing.ts'
import type { RunResult } from './meter.ts'
import { measurePeer } from './peer.ts'
import { measurePipeline } from './pipeline.ts'
import { makeRecords, recentNoonMs } from './records.ts'
import { compare, type Report, summariseRuns } from './report.ts'
import {
  collect,
  openRound,
  type Round,
  type Stage,
  readEnvironment,
  startStage,
  type Tell,
  withDatabase,
  withDataFolder,
} from './stage.ts'
import { ATTRIBUTES_PER_SPAN } from './workload.ts'

/** What to measure. */
export interface BenchOptions {
  readonly spans: number
  readonly spansPerRecord: number
  readonly seed: number
  readonly runs: number
  /** The Collector's program, or nothing to compare with. */
  readonly peer: string | undefined
  /** Where profiles of one more run go, or none. */
  readonly profile: string | undefined
}

/** What a benchmark works with. */
interface Bench {
  readonly options: BenchOptions
  readonly stage: Stage
  readonly bodies: readonly Uint8Array[]
  readonly logDir: string
  readonly signal: AbortSignal
  readonly tell: Tell
}

const TOP_FUNCTIONS = 15

/**
 * Runs the benchmark in a folder of its own, which is deleted afterwards; after a failure the logs
 * stay. Rejects with the signal's reason when it is aborted, with nothing left running.
 */
export async function runBench(
  options: BenchOptions,
  env: Env,
  signal: AbortSignal,
  tell: Tell,
): Promise<Report> {
  return withDataFolder(signal, tell, (dataDir) => runIn(dataDir, options, env, signal, tell))
}

async function runIn(
  dataDir: string,
  options: BenchOptions,
  env: Env,
  signal: AbortSignal,
  tell: Tell,
): Promise<Report> {
  const environment = readEnvironment()
  const { SPANMETER_PARTITIONS: partitions } = readVariables(topicVariables, env)
  tell(`Making ${options.spans} spans.`)
  const bodies = await collect(
    makeRecords({ ...options, firstStartMs: recentNoonMs(Date.now()) }),
    signal,
  )
  const bytes = bodies.reduce((sum, { length }) => sum + length, 0)
  tell('Starting Kafka and ClickHouse.')
  const stage = await startStage(env, dataDir, tell, { withClickHouse: true })
  try {
    const bench = { options, stage, bodies, logDir: join(dataDir, 'logs'), signal, tell }
    const { pipeline, peer } = await runRounds(bench)
    const profiles =
      options.profile === undefined ? undefined : await profileRun(bench, options.profile)
    return {
      environment,
      workload: {
        spans: options.spans,
        records: bodies.length,
        attributesPerSpan: ATTRIBUTES_PER_SPAN,
        bytesPerSpan: bytes / options.spans,
        partitions,
        seed: options.seed,
      },
      pipeline: summariseRuns(pipeline),
      ...(peer.length === 0
        ? {}
        : {
            peer: summariseRuns(peer),
            ratios: compare(summariseRuns(pipeline), summariseRuns(peer)),
          }),
      ...(profiles === undefined ? {} : { profiles }),
    }
  } finally {
    tell('Stopping Kafka and ClickHouse.')
    await stage.engines.stop()
  }
}

/** Both subjects over the same records in each round; who goes first changes from round to round. */
async function runRounds(
  bench: Bench,
): Promise<{ pipeline: readonly RunResult[]; peer: readonly RunResult[] }> {
  const { runs, peer: program } = bench.options
  const pipeline: RunResult[] = []
  const peer: RunResult[] = []
  for (let number = 1; number <= runs; number++) {
    const label = `Run ${number} of ${runs}`
    const round = await startRound(bench, label)
    const subjects = [
      async () => pipeline.push(await runPipeline(bench, round, label)),
      async () => program === undefined || peer.push(await runPeer(bench, round, program, label)),
    ]
    for (const measure of number % 2 === 1 ? subjects : subjects.toReversed()) await measure()
  }
  return { pipeline, peer }
}

async function startRound({ stage, bodies, signal, tell }: Bench, label: string): Promise<Round> {
  const startedMs = Date.now()
  const round = await openRound(stage, bodies, signal)
  const tookS = (Date.now() - startedMs) / 1_000
  tell(`${label}: ${bodies.length} records lie in the topic after ${tookS.toFixed(1)} s.`)
  return round
}

async function runPipeline(bench: Bench, round: Round, label: string): Promise<RunResult> {
  const { stage, signal } = bench
  return withDatabase(stage, round.id, async (clickhouse) => {
    await waitUntilQuiet(stage.metered, signal)
    const result = await measurePipeline({
      env: round.env,
      engines: stage.metered,
      clickhouse,
      spans: bench.options.spans,
      logDir: join(bench.logDir, round.id),
      signal,
    })
    tellResult(bench, `${label}, Spanmeter`, result)
    return result
  })
}

async function runPeer(
  bench: Bench,
  round: Round,
  program: string,
  label: string,
): Promise<RunResult> {
  const { stage, signal } = bench
  return withDatabase(stage, `peer_${round.id}`, async (clickhouse) => {
    await waitUntilQuiet(stage.metered, signal)
    const result = await measurePeer({
      program,
      brokers: stage.engines.brokers,
      topic: round.topic,
      group: `peer_${round.id}`,
      clickhouseUrl: stage.engines.clickhouseUrl,
      engines: stage.metered,
      clickhouse,
      spans: bench.options.spans,
      logDir: join(bench.logDir, round.id),
      signal,
    })
    tellResult(bench, `${label}, Collector`, result)
    return result
  })
}

function tellResult({ tell }: Bench, label: string, { wallMs, workers, spans }: RunResult): void {
  const cpuMs = Object.values(workers).reduce((sum, use) => sum + use.cpuMs, 0)
  const perSpan = ((cpuMs * 1_000) / spans).toFixed(2)
  tell(`${label}: ${spans} spans in ${(wallMs / 1_000).toFixed(2)} s, ${perSpan} µs of CPU a span.`)
}

/** One more run, whose figures do not count: the profiler costs time itself. */
async function profileRun(bench: Bench, folder: string): Promise<readonly WorkerProfile[]> {
  mkdirSync(folder, { recursive: true })
  const before = new Set(listProfiles(folder))
  const round = await startRound(bench, 'Profile')
  const options = `--cpu-prof --cpu-prof-dir=${JSON.stringify(folder)}`
  const env = { ...round.env, NODE_OPTIONS: `${round.env['NODE_OPTIONS'] ?? ''} ${options}` }
  await runPipeline(bench, { ...round, env }, 'Profile')
  const files = listProfiles(folder).filter((file) => !before.has(file))
  return readProfiles(folder, files, TOP_FUNCTIONS)
}
