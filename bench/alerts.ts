import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Env } from '#runtime/config.ts'
import { readVariables } from '#runtime/config.ts'
import { topicVariables } from '#runtime/topics.ts'
import { readRules } from '../services/alert/config.ts'
import type { RuleSet } from '../services/alert/rule.ts'
import { parseEmbeddedConfig } from '../services/embedded/config.ts'
import { createToEnriched } from './alerts-enriched.ts'
import { type AlertsReport, compareSubjects, summariseSubject } from './alerts-report.ts'
import { openAlertRound } from './alerts-round.ts'
import { seriesJson, spanSeries } from './alerts-series.ts'
import { ensureStreams, GUARANTEES } from './alerts-streams.ts'
import { alertWorker, kafkaStreams, type Subject } from './alerts-subjects.ts'
import {
  type Halves,
  measureThroughput,
  type Phase,
  type ThroughputRun,
} from './alerts-throughput.ts'
import { requireSameTotals } from './alerts-totals.ts'
import { measureLatencies } from './alerts-latencies.ts'
import { listProfiles, readProfiles, type WorkerProfile } from './cpu-profile.ts'
import { waitUntilQuiet } from './landing.ts'
import { makeRecords, recentNoonMs } from './records.ts'
import {
  collect,
  readEnvironment,
  startStage,
  type Stage,
  type Tell,
  withDataFolder,
} from './stage.ts'

/** What to measure. */
export interface AlertsBenchOptions {
  /** Of each half of a run. */
  readonly spans: number
  readonly spansPerRecord: number
  readonly seed: number
  readonly runs: number
  /** Where profiles of one more run of the worker go, or none. */
  readonly profile: string | undefined
  /** Notifications that are waited for, for each way in; 0 for none. */
  readonly samples: number
  /** Spans a second that are sent meanwhile. */
  readonly load: number
}

const TOP_FUNCTIONS = 15

/** What a benchmark of alerts works with. */
interface Bench {
  readonly options: AlertsBenchOptions
  readonly stage: Stage
  readonly rules: RuleSet
  readonly subjects: readonly Subject[]
  readonly halves: Halves
  readonly logDir: string
  readonly signal: AbortSignal
  readonly tell: Tell
}

/**
 * Counts spans with the alert worker and with Kafka Streams, and measures how long notifications
 * take, in a folder of its own. Rejects with the signal's reason when it is aborted.
 */
export async function runAlertsBench(
  options: AlertsBenchOptions,
  env: Env,
  signal: AbortSignal,
  tell: Tell,
): Promise<AlertsReport> {
  return withDataFolder(signal, tell, (dataDir) => runIn(dataDir, options, env, signal, tell))
}

async function runIn(
  dataDir: string,
  options: AlertsBenchOptions,
  env: Env,
  signal: AbortSignal,
  tell: Tell,
): Promise<AlertsReport> {
  const environment = readEnvironment()
  const rules = readRules(env)
  const { SPANMETER_PARTITIONS: partitions } = readVariables(topicVariables, env)
  const subjects = await makeSubjects(rules, dataDir, env, tell)
  tell(`Making twice ${options.spans} enriched spans.`)
  const halves = await makeHalves(options, env, signal)
  tell('Starting Kafka.')
  const stage = await startStage(env, dataDir, tell, { withClickHouse: false })
  try {
    const logDir = join(dataDir, 'logs')
    const bench = { options, stage, rules, subjects, halves, logDir, signal, tell }
    const runs = await runRounds(bench)
    const summaries = subjects.map(({ name }) => summariseSubject(name, runs.get(name) ?? []))
    const latencies = await measureLatencies({ ...options, stage, dataDir, logDir, signal, tell })
    const profiles =
      options.profile === undefined ? undefined : await profileRun(bench, options.profile)
    const records = [...halves.first, ...halves.second]
    const bytes = records.reduce((sum, { length }) => sum + length, 0)
    return {
      environment,
      workload: {
        spans: options.spans,
        records: records.length,
        bytesPerSpan: bytes / (2 * options.spans),
        partitions,
        seed: options.seed,
        rules: rules.rules.length,
        series: spanSeries(rules).length,
      },
      subjects: summaries,
      ratios: compareSubjects(summaries),
      latencies,
      ...(profiles === undefined ? {} : { profiles }),
    }
  } finally {
    tell('Stopping Kafka.')
    await stage.engines.stop()
  }
}

/** The alert worker, and Kafka Streams with each of its guarantees. */
async function makeSubjects(
  rules: RuleSet,
  dataDir: string,
  env: Env,
  tell: Tell,
): Promise<readonly Subject[]> {
  const series = spanSeries(rules)
  const seriesFile = join(dataDir, 'series.json')
  mkdirSync(dataDir, { recursive: true })
  writeFileSync(seriesFile, seriesJson(series))
  const { cacheDir } = parseEmbeddedConfig(env)
  const streams = await ensureStreams(cacheDir, process.env['JAVA_HOME'], tell)
  return [
    alertWorker(series),
    ...GUARANTEES.map((guarantee) => kafkaStreams(streams, guarantee, seriesFile)),
  ]
}

async function makeHalves(
  { spans, spansPerRecord, seed }: AlertsBenchOptions,
  env: Env,
  signal: AbortSignal,
): Promise<Halves> {
  const toEnriched = createToEnriched(env)
  const firstStartMs = recentNoonMs(Date.now())
  const half = async (number: number) => {
    const startMs = firstStartMs + number * spans
    const own = { spans, spansPerRecord, seed: seed + number, firstStartMs: startMs }
    const records = await collect(makeRecords(own), signal)
    return records.flatMap((body) => toEnriched(body, startMs + spans))
  }
  return { spans, first: await half(0), second: await half(1) }
}

/** All subjects over the same records in each round, in turns of who goes first. */
async function runRounds(bench: Bench): Promise<ReadonlyMap<string, readonly ThroughputRun[]>> {
  const { subjects, options } = bench
  const runs = new Map<string, ThroughputRun[]>(subjects.map(({ name }) => [name, []]))
  for (let number = 0; number < options.runs; number++) {
    const first = number % subjects.length
    const order = [...subjects.slice(first), ...subjects.slice(0, first)]
    for (const subject of order) {
      const run = await runSubject(bench, subject)
      runs.get(subject.name)?.push(run)
      tellRun(bench, `Run ${number + 1} of ${options.runs}, ${subject.name}`, run)
    }
    requireAgreement(subjects, runs, number)
  }
  return runs
}

/** Whoever counts less has less to do: only the same counts can be compared. */
function requireAgreement(
  subjects: readonly Subject[],
  runs: ReadonlyMap<string, readonly ThroughputRun[]>,
  number: number,
): void {
  const [ours, ...others] = subjects.map(({ name }) => ({ name, run: runs.get(name)?.[number] }))
  for (const { name, run } of others) {
    if (ours?.run === undefined || run === undefined) throw new Error('every subject has run')
    requireSameTotals(ours.run.totals, run.totals, name)
  }
}

/** Topics of its own for each run: groups of the workers are named by the prefix alone. */
async function runSubject(
  { stage, halves, signal, ...bench }: Bench,
  subject: Subject,
): Promise<ThroughputRun> {
  const round = await openAlertRound(stage)
  try {
    const logDir = join(bench.logDir, round.id)
    const broker = stage.metered
    await round.write(halves.first, signal)
    await waitUntilQuiet(broker, signal)
    return await measureThroughput({ subject, round, halves, broker, logDir, signal })
  } finally {
    await round.close()
  }
}

/** One more run of the worker, whose figures do not count: the profiler costs time itself. */
async function profileRun(bench: Bench, folder: string): Promise<readonly WorkerProfile[]> {
  const before = new Set(listProfiles(folder))
  const { stage } = bench
  const options = `--cpu-prof --cpu-prof-dir=${JSON.stringify(folder)}`
  const env = { ...stage.env, NODE_OPTIONS: `${stage.env['NODE_OPTIONS'] ?? ''} ${options}` }
  const subject = alertWorker(spanSeries(bench.rules))
  tellRun(bench, 'Profile', await runSubject({ ...bench, stage: { ...stage, env } }, subject))
  const files = listProfiles(folder).filter((file) => !before.has(file))
  return readProfiles(folder, files, TOP_FUNCTIONS)
}

function tellRun({ tell }: Bench, label: string, { cold, warm }: ThroughputRun): void {
  tell(`${label}: ${perSpan(warm)} µs of CPU a span warm, ${perSpan(cold)} from the start.`)
}

function perSpan({ cpuMs, spans }: Phase): string {
  return ((cpuMs * 1_000) / spans).toFixed(2)
}
