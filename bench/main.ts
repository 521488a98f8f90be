import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { ClickHouseError } from '#runtime/clickhouse-error.ts'
import { ConfigError } from '#runtime/config.ts'
import { describeError, messageOf } from '#runtime/errors.ts'
import { MigrationError } from '#runtime/migrations.ts'
import { TransientError } from '#runtime/records.ts'
import { WorkerError } from '../services/cli/workers.ts'
import { EmbeddedError } from '../services/embedded/embedded-error.ts'
import { runAlertsBench } from './alerts.ts'
import { formatAlertsReport } from './alerts-format.ts'
import { runBench } from './bench.ts'
import { BenchError } from './bench-error.ts'
import { formatReport } from './format.ts'
import type { Verdict } from './load-ledger.ts'
import { runOverloadBench } from './overload.ts'
import { formatOverloadReport } from './overload-format.ts'
import { formatPanelsReport, runPanelsBench } from './panels.ts'
import { findPeer } from './peer.ts'
import { requireProc } from './process-usage.ts'
import { formatRedactionReport, runRedactionBench } from './redaction.ts'
import { runSoakBench } from './soak.ts'
import { formatSoakReport } from './soak-format.ts'

interface Flags {
  readonly spans: number
  readonly spansPerRecord: number
  readonly runs: number
  readonly seed: number
  readonly peer?: string
  readonly profile?: string
  readonly alerts?: boolean
  readonly alertSamples: number
  readonly alertLoad: number
  readonly panels?: boolean
  readonly redaction?: boolean
  readonly database?: string
  readonly overload?: boolean
  readonly soak?: boolean
  readonly minutes?: number
  readonly factor: number
  readonly json?: boolean
}

/** Errors whose message tells a person all; of any other the stack is shown, as it is a bug. */
const PLAIN_ERRORS = [
  BenchError,
  ConfigError,
  EmbeddedError,
  MigrationError,
  WorkerError,
  TransientError,
  ClickHouseError,
]
const INTERRUPTED_EXIT_CODE = 130

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort())

try {
  await createCommand().parseAsync()
} catch (error) {
  process.exitCode = stopping.signal.aborted ? INTERRUPTED_EXIT_CODE : 1
  const why = describeError(error, PLAIN_ERRORS)
  say(stopping.signal.aborted ? 'Interrupted; nothing is left running.' : why)
}
// Client libraries may keep sockets open for a while; whatever matters is done.
process.exit()

function createCommand(): Command {
  return new Command('bench')
    .description(
      'how fast spans get from the topic otlp_spans into ClickHouse, or become alerts, and at what cost',
    )
    .option('--spans <n>', 'spans of a run', wholeNumber(1, 50_000_000), 400_000)
    .option('--spans-per-record <n>', 'spans of a Kafka record', wholeNumber(1, 10_000), 100)
    .option('--runs <n>', 'runs that medians are taken of', wholeNumber(1, 100), 3)
    .option('--seed <n>', 'the same seed makes the same spans', wholeNumber(0, 2 ** 32 - 1), 1)
    .option('--peer <program>', 'OpenTelemetry Collector to run beside it, see docs/benchmark.md')
    .option('--profile <folder>', 'one more run with CPU profiles of the workers, written there')
    .option('--alerts', 'measure alerts instead, beside Kafka Streams, see docs/benchmark.md')
    .option('--alert-samples <n>', 'notifications to wait for', wholeNumber(0, 100_000), 200)
    .option('--alert-load <n>', 'spans a second meanwhile', wholeNumber(1, 1_000_000), 5_000)
    .option('--panels', 'measure the queries of all dashboards over 30 days of --spans instead')
    .option('--redaction', 'measure what redaction costs a span, in one process')
    .option(
      '--database <name>',
      'with --panels: a database that is there, at SPANMETER_CLICKHOUSE_URL',
    )
    .option('--overload', 'send more than the pipeline takes, and watch that nothing is lost')
    .option('--factor <n>', 'with --overload: times of what it takes', wholeNumber(1, 100), 3)
    .option('--soak', 'send half of what it takes for long, and watch what the processes hold')
    .option(
      '--minutes <n>',
      'with --overload and --soak: how long, 5 and 30 unless given',
      wholeNumber(1, 10_000),
    )
    .option('--json', 'print the result as one line of JSON')
    .action(run)
}

async function run(flags: Flags): Promise<void> {
  requireProc()
  const text = await measure(flags)
  process.stdout.write(`${text}\n`)
}

function measure(flags: Flags): Promise<string> {
  if (flags.panels === true) return measurePanels(flags)
  if (flags.redaction === true) return Promise.resolve(measureRedaction(flags))
  if (flags.overload === true) return measureOverload(flags)
  if (flags.soak === true) return measureSoak(flags)
  return flags.alerts === true ? measureAlerts(flags) : measurePipeline(flags)
}

async function measurePanels(flags: Flags): Promise<string> {
  const options = { ...flags, database: flags.database }
  const report = await runPanelsBench(options, process.env, stopping.signal, say)
  return flags.json === true ? JSON.stringify(report) : formatPanelsReport(report)
}

function measureRedaction(flags: Flags): string {
  const report = runRedactionBench(flags)
  return flags.json === true ? JSON.stringify(report) : formatRedactionReport(report)
}

async function measureAlerts(flags: Flags): Promise<string> {
  if (flags.peer !== undefined) {
    throw new BenchError('--peer does not go with --alerts, whose peer is Kafka Streams.')
  }
  const { alertSamples: samples, alertLoad: load } = flags
  const options = { ...flags, samples, load, profile: profileFolder(flags) }
  const report = await runAlertsBench(options, process.env, stopping.signal, say)
  return flags.json === true ? JSON.stringify(report) : formatAlertsReport(report)
}

async function measureOverload(flags: Flags): Promise<string> {
  const { minutes = 5, spansPerRecord: spansPerRequest } = flags
  const options = { ...flags, minutes, spansPerRequest }
  const report = await runOverloadBench(options, process.env, stopping.signal, say)
  requireKept(report.verdict)
  return flags.json === true ? JSON.stringify(report) : formatOverloadReport(report)
}

async function measureSoak(flags: Flags): Promise<string> {
  const { minutes = 30, spansPerRecord: spansPerRequest } = flags
  const options = { ...flags, minutes, spansPerRequest }
  const report = await runSoakBench(options, process.env, stopping.signal, say)
  requireKept(report.verdict)
  return flags.json === true ? JSON.stringify(report) : formatSoakReport(report)
}

/** The report is printed all the same: it tells how many. */
function requireKept({ lost, doubled }: Verdict): void {
  if (lost > 0 || doubled > 0) process.exitCode = 1
}

async function measurePipeline(flags: Flags): Promise<string> {
  const options = {
    ...flags,
    peer: flags.peer === undefined ? undefined : findPeer(flags.peer),
    profile: profileFolder(flags),
  }
  const report = await runBench(options, process.env, stopping.signal, say)
  return flags.json === true ? JSON.stringify(report) : formatReport(report)
}

function profileFolder({ profile: path }: Flags): string | undefined {
  if (path === undefined) return undefined
  try {
    mkdirSync(path, { recursive: true })
    return resolve(path)
  } catch (error) {
    throw new BenchError(`--profile ${path}: the folder cannot be made (${messageOf(error)}).`, {
      cause: error,
    })
  }
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
