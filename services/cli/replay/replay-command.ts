import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError, Option } from 'commander'
import { messageOf } from '#runtime/errors.ts'
import { systemClock, type Clock } from './clock.ts'
import { parseWorkload, WorkloadError, type WorkloadRequest } from './csv.ts'
import { createHttpSender, SendError } from './http-sender.ts'
import { makeRequests, outlineWorkload, type WorkloadOutline } from './otlp.ts'
import { createProgress, type ProgressStream } from './progress.ts'
import { createReportBuilder, type ReportBuilder } from './report.ts'
import { replay, type OtlpSender, type ReplayOutcome } from './send.ts'
import { formatSummary } from './summary.ts'

/** What the command needs from the rest of the CLI. */
export interface ReplayCommandDependencies {
  /** Connects to Kafka and returns a sender to the topic of OTLP input. */
  readonly openTopicSender: () => Promise<OtlpSender>
  /** Sent over HTTP; undefined where ingest asks for none. */
  readonly apiKey?: string | undefined
  readonly stdout?: NodeJS.WritableStream
  readonly stderr?: ProgressStream
}

interface Flags {
  readonly file: string
  readonly seed: number
  readonly speed: number
  readonly via: 'http' | 'kafka'
  readonly endpoint: string
  readonly keepTime?: boolean
  readonly report?: string
  readonly limit?: number
  readonly concurrency?: number
}

/** What one run of the command works with. */
interface Run {
  readonly flags: Flags
  readonly controller: AbortController
  readonly clock: Clock
  readonly stdout: NodeJS.WritableStream
  readonly stderr: ProgressStream
}

const sampleFile = fileURLToPath(
  new URL('../../../examples/data/azure-llm-inference-2023-conversation.csv', import.meta.url),
)
const interruptedExitCode = 130
/**
 * One Kafka call at a time keeps the records in order of time; it takes many bodies, whose bytes
 * together stay below the 1 MB that a broker accepts in one batch. HTTP takes one body per request.
 */
const sending = {
  http: { concurrency: 4, maxBodies: 1, maxBytes: Infinity },
  kafka: { concurrency: 1, maxBodies: 64, maxBytes: 800_000 },
} as const
const http = { maxAttempts: 10, maxBackoffMs: 30_000, timeoutMs: 30_000 } as const

/** `spanmeter replay`: sends a workload of real requests as the traces of a sample product. */
export function createReplayCommand(dependencies: ReplayCommandDependencies): Command {
  const command = new Command('replay')
    .description('send a sample workload (CSV of arrival times and token counts) as traces')
    .addOption(
      new Option('--file <csv>', 'rows of TIMESTAMP,ContextTokens,GeneratedTokens').default(
        sampleFile,
        'the Azure sample in examples/data',
      ),
    )
    .option('--limit <rows>', 'send only the first rows', wholeNumber(1, 2 ** 31))
    .option('--seed <n>', 'the same seed makes the same traces', wholeNumber(0, 2 ** 32 - 1), 1)
    .addOption(
      new Option('--speed <x>', 'times real time, or "max"')
        .argParser(parseSpeed)
        .default(Infinity, 'max'),
    )
    .addOption(new Option('--via <way>', 'how to send').choices(['http', 'kafka']).default('http'))
    .option('--endpoint <url>', 'OTLP/HTTP receiver', parseEndpoint, 'http://127.0.0.1:4318')
    .option('--concurrency <n>', 'requests under way at once', wholeNumber(1, 256))
    .option('--shift', 'move all times so that the last span ends as it is sent (default)')
    .addOption(new Option('--keep-time', 'keep the times of the file').conflicts('shift'))
    .option('--report <file>', 'write what was sent as JSON')
  return command.action(async (flags: Flags) => {
    const stdout = dependencies.stdout ?? process.stdout
    const stderr = dependencies.stderr ?? process.stderr
    const controller = new AbortController()
    const stop = () => {
      stderr.write('\nStopping; press Ctrl-C again to stop at once.\n')
      controller.abort()
    }
    process.once('SIGINT', stop).once('SIGTERM', stop)
    const run = { flags, controller, clock: systemClock, stdout, stderr }
    try {
      const outcome = await runReplay(run, dependencies)
      if (outcome === 'stopped') process.exitCode = interruptedExitCode
    } catch (error) {
      if (!(error instanceof WorkloadError || error instanceof SendError)) throw error
      command.error(`error: ${error.message}`, { exitCode: 1 })
    } finally {
      process.off('SIGINT', stop).off('SIGTERM', stop)
    }
  })
}

async function runReplay(
  run: Run,
  { openTopicSender, apiKey }: ReplayCommandDependencies,
): Promise<ReplayOutcome> {
  const { flags, controller, clock, stdout, stderr } = run
  const rows = await readWorkload(flags)
  const outline = outlineWorkload(rows, flags.seed)
  const shiftNs = flags.keepTime ? 0n : shiftToEndNow(outline, flags.speed, clock.now())
  const report = createReportBuilder()
  const onRejected = (spans: number, reason: string) => {
    report.addRejected(spans)
    stderr.write(`The receiver refused ${spans} spans: ${reason}\n`)
  }
  const sender =
    flags.via === 'kafka'
      ? await openTopicSender()
      : createHttpSender(
          { ...http, endpoint: flags.endpoint, apiKey },
          { clock, signal: controller.signal, onRejected },
        )
  const progress = createProgress(outline.spans, stderr, clock)
  const startMs = clock.now()
  let outcome: ReplayOutcome | 'failed' = 'failed'
  try {
    const limits = sending[flags.via]
    const originMs = Number((outline.firstRequestNs + shiftNs) / 1_000_000n)
    const concurrency = flags.concurrency ?? limits.concurrency
    outcome = await replay(
      makeRequests(rows, { seed: flags.seed, shiftNs }),
      { ...limits, speed: flags.speed, originMs, concurrency },
      {
        send: (bodies) => sender.send(bodies),
        onSent: (request) => {
          report.add(request)
          progress.advance(request.spans)
        },
        signal: controller.signal,
        clock,
      },
    )
    return outcome
  } finally {
    progress.stop()
    await sender.close()
    stdout.write(formatSummary(report.build(), outcome, clock.now() - startMs))
    await writeReport(flags, report, outcome)
  }
}

async function readWorkload({ file, limit }: Flags): Promise<readonly WorkloadRequest[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const reason = messageOf(error)
    throw new WorkloadError(`Cannot read the workload: ${reason}. Give a CSV file with --file.`)
  })
  return parseWorkload(text, file).slice(0, limit)
}

/**
 * The shift by which the last span ends when the replay does. A replay faster than real time ends
 * after duration ÷ speed; so no span is ever sent before its end, at any speed.
 */
export function shiftToEndNow(outline: WorkloadOutline, speed: number, nowMs: number): bigint {
  const durationMs = Number((outline.lastEndNs - outline.firstRequestNs) / 1_000_000n)
  const endMs = Math.floor(nowMs + durationMs / Math.max(1, speed)) - 1
  return BigInt(endMs) * 1_000_000n - outline.lastEndNs
}

async function writeReport(
  { file, seed, speed, via, report: path }: Flags,
  report: ReportBuilder,
  outcome: ReplayOutcome | 'failed',
): Promise<void> {
  if (path === undefined) return
  const settings = { file, seed, speed: speed === Infinity ? 'max' : speed, via }
  const page = { outcome, ...settings, ...report.build() }
  await writeFile(path, `${JSON.stringify(page, undefined, 2)}\n`)
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
  }
}

function parseSpeed(text: string): number {
  if (text === 'max') return Infinity
  const value = Number(text)
  if (text.trim() !== '' && value > 0 && value < Infinity) return value
  throw new InvalidArgumentError('It must be a number above 0, such as 60, or "max".')
}

function parseEndpoint(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text
  throw new InvalidArgumentError('It must be an address such as http://127.0.0.1:4318.')
}
