import { Command } from 'commander'
import { type Env, otlpVariables, parseCommonConfig, readVariables } from '#runtime/config.ts'
import { connectKafka } from '#runtime/kafka.ts'
import type { Logger } from '#runtime/log.ts'
import {
  type AlertChange,
  type AlertsSummary,
  incidentsSince,
  readAlertChanges,
} from './alert-summary.ts'
import type { ReplayReport } from './replay/report.ts'
import { countSpans, sendSample, waitForAlerts, waitUntilLanded } from './sample.ts'
import { type Stack, startStack, type Tell } from './stack.ts'
import {
  formatSummary,
  modelsSince,
  readFreshness,
  readModels,
  type Summary,
  type TimeRange,
} from './summary.ts'

export interface StartDependencies {
  readonly env: Env
  readonly logger: Logger
}

interface Flags {
  readonly once?: boolean
  readonly json?: boolean
  readonly sample: boolean
}

const HOUR_S = 3_600
const INTERRUPTED_EXIT_CODE = 130
/** npm passes a signal on that the terminal has sent already. */
const SAME_SIGNAL_MS = 1_000

/** `npm start`: the whole pipeline on this machine, with the sample workload. */
export function createStartCommand({ env, logger }: StartDependencies): Command {
  return new Command('start')
    .description('start Kafka, ClickHouse and all workers, and send the sample workload through')
    .option('--once', 'stop after the summary')
    .option('--json', 'print the summary as one line of JSON')
    .option('--no-sample', 'start without the sample workload')
    .action(async (flags: Flags) => {
      const stopping = new AbortController()
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal(stopping))
      const stack = await startStack(env, logger, tell)
      try {
        await run(stack, flags, { logger, signal: stopping.signal })
      } catch (error) {
        if (!stopping.signal.aborted) throw error
        process.exitCode = INTERRUPTED_EXIT_CODE
      } finally {
        if (!stopping.signal.aborted) say('Stopping.')
        await stack.stop()
      }
    })
}

/** The first signal stops in order, one that comes later at once: engines and workers end with this process. */
function onSignal(stopping: AbortController): () => void {
  let firstMs: number | undefined
  return () => {
    firstMs ??= Date.now()
    if (Date.now() - firstMs > SAME_SIGNAL_MS) process.exit(INTERRUPTED_EXIT_CODE)
    if (stopping.signal.aborted) return
    say('Stopping. Press Ctrl-C again to stop at once.')
    stopping.abort()
  }
}

/** What every step of a start is given. */
interface Conditions {
  readonly logger: Logger
  readonly signal: AbortSignal
}

async function run(stack: Stack, flags: Flags, conditions: Conditions): Promise<void> {
  const { signal } = conditions
  const port = readVariables(otlpVariables, stack.env).SPANMETER_OTLP_HTTP_PORT
  const endpoint = `http://127.0.0.1:${port}`
  if (flags.sample) {
    const summary = await runSample(stack, endpoint, conditions)
    if (flags.json !== true) process.stdout.write(`\n${formatSummary(summary)}\n`)
    if (flags.once !== true) process.stdout.write(guide(stack, port))
    if (flags.json === true) process.stdout.write(`${JSON.stringify(summary)}\n`)
  } else process.stdout.write(guide(stack, port))
  if (flags.once === true || signal.aborted) return
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}

async function runSample(stack: Stack, endpoint: string, conditions: Conditions): Promise<Summary> {
  const { clickhouse, env } = stack
  const { signal } = conditions
  tell('sample', 'sending 19,366 LLM requests of the Azure trace (docs/workload.md)')
  const since = Math.floor(Date.now() / 1_000)
  // The sample ends about now and takes just under an hour; all readings cover it.
  const range = { from: since - 2 * HOUR_S, to: since + HOUR_S }
  const before = await readModels(clickhouse, range)
  const alertsBefore = await readAlertChanges(clickhouse, range.from * 1_000, range.to * 1_000)
  const spansBefore = await countSpans(clickhouse)
  const sent = await sendSample(env, endpoint, signal)
  const landed = await waitUntilLanded(clickhouse, spansBefore + sent.spans, signal)
  return {
    sent: { traces: sent.traces, spans: sent.spans },
    landed: { spans: landed - spansBefore },
    models: modelsSince(before, await readModels(clickhouse, range)),
    freshnessMs: await readFreshness(clickhouse, range, since),
    ...(await readSampleAlerts(stack, conditions, { before: alertsBefore, sent, range })),
  }
}

interface SampleRun {
  readonly before: readonly AlertChange[]
  readonly sent: ReplayReport
  readonly range: TimeRange
}

/** The alerts that the sample raised, once they have caught up. */
async function readSampleAlerts(
  { clickhouse, env }: Stack,
  { logger, signal }: Conditions,
  { before, sent, range }: SampleRun,
): Promise<AlertsSummary> {
  const kafka = connectKafka(parseCommonConfig(env).kafka, 'spanmeter-start', logger)
  try {
    tell('alerts', 'waiting until the rules have seen all of it')
    if (!(await waitForAlerts(kafka, signal))) {
      tell('alerts', 'have not caught up yet: the summary has what came so far')
    }
  } finally {
    await kafka.close()
  }
  const fromMs = Date.parse(sent.firstSpanTime ?? '')
  return incidentsSince(before, await readAlertChanges(clickhouse, fromMs, range.to * 1_000))
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

const tell: Tell = (subject, message) => say(`${subject.toLowerCase().padEnd(10)} ${message}`)

/** Where to send spans, and where to query. */
function guide({ engines, env }: Stack, port: number): string {
  const nowNs = `${Math.floor(Date.now() / 1_000)}000000000`
  const body = JSON.stringify({
    resourceSpans: [{ scopeSpans: [{ spans: [exampleSpan(nowNs)] }] }],
  })
  const cert = env['SPANMETER_OTLP_TLS_CERT']
  const endpoint = `${cert ? 'https' : 'http'}://${cert ? 'localhost' : '127.0.0.1'}:${port}`
  const trust = cert ? ` --cacert ${cert}` : ''
  const key = env['SPANMETER_API_KEYS'] ? " -H 'Authorization: Bearer KEY'" : ''
  return `
Send spans   OTLP/HTTP ${endpoint}  (OTLP/gRPC and the topic otlp_spans on ${engines.brokers.join(',')} too)

  curl -s${trust} ${endpoint}/v1/traces${key} -H 'Content-Type: application/json' -d '${body}'

Query        ClickHouse ${engines.clickhouseUrl}, database spanmeter

  curl -s '${engines.clickhouseUrl}/?database=spanmeter' -d 'SELECT name, request_model, cost_usd FROM spans ORDER BY received_time DESC LIMIT 3'

Press Ctrl-C to stop. Data stays for the next start.
`
}

function exampleSpan(startNs: string) {
  return {
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    name: 'chat gpt-4o-mini',
    kind: 3,
    startTimeUnixNano: startNs,
    endTimeUnixNano: startNs.replace(/000000000$/, '850000000'),
    attributes: [
      { key: 'gen_ai.operation.name', value: { stringValue: 'chat' } },
      { key: 'gen_ai.provider.name', value: { stringValue: 'openai' } },
      { key: 'gen_ai.request.model', value: { stringValue: 'gpt-4o-mini' } },
      { key: 'gen_ai.usage.input_tokens', value: { intValue: '1000' } },
      { key: 'gen_ai.usage.output_tokens', value: { intValue: '200' } },
    ],
  }
}
