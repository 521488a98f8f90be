import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connectClickHouse } from '#runtime/clickhouse.ts'
import { parseCommonConfig } from '#runtime/config.ts'
import { connectKafka, type Kafka } from '#runtime/kafka.ts'
import { topicSpecs } from '#runtime/topics.ts'
import { otlpSpans } from '#schemas/topics.ts'
import { openTopicSender } from '../../services/cli/topic-sender.ts'
import type { Engines } from '../../services/embedded/engines.ts'
import { startEmbeddedEngines } from '../integration/start-engines.ts'
import { expectedSpans } from '../support/expected.ts'
import { sampleRequests } from '../support/sample.ts'
import { silent, until } from '../support/stack.ts'
import { type Collector, keepCollector } from './collector.ts'
import { compareLines, type Difference } from './difference.ts'
import { type EngineTarget, type Fault, type FaultKind, planFaults } from './plan.ts'
import { restartEngine } from './faults.ts'
import { sendSignal } from './slots.ts'

export interface PeerOptions {
  /** The Collector's program. */
  readonly program: string
  readonly seed: number
  readonly faults: number
  readonly meanPauseMs: number
  readonly rowsPerSecond: number
  readonly tell: (message: string) => void
}

/** What of the records of otlp_spans the Collector lost, and what it wrote more than once. */
export interface PeerReport {
  readonly faults: number
  readonly spans: Difference
}

const GROUP = 'collector'
const DATABASE = 'peer'
const SETTLE_DEADLINE_MS = 300_000
const QUIET_MS = 5_000
/** All but what ends, stops or freezes a process. */
const WITHOUT: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'refuse',
  'hold',
  'swallow',
  'lose-answers',
  'throttle',
  'fill-disk',
  'jump-clock',
  'copy',
  'poison',
])

/** The plan's faults of processes, over a Collector between the topic and ClickHouse. */
export async function runPeer(options: PeerOptions): Promise<PeerReport> {
  const { program, seed, faults, meanPauseMs, tell } = options
  const dataDir = await mkdtemp(join(tmpdir(), 'spanmeter-chaos-peer-'))
  const engines = await startEmbeddedEngines({ dataDir, onProgress: (_, message) => tell(message) })
  const [brokers, url] = [engines.brokers.join(','), engines.clickhouseUrl]
  const env = {
    SPANMETER_KAFKA_BROKERS: brokers,
    SPANMETER_CLICKHOUSE_URL: url,
    SPANMETER_CLICKHOUSE_DATABASE: DATABASE,
  }
  const config = parseCommonConfig(env)
  const kafka = connectKafka(config.kafka, 'chaos', silent)
  await kafka.ensureTopics(topicSpecs(env))
  const clickhouse = connectClickHouse(config.clickhouse, silent)
  await clickhouse.command(`CREATE DATABASE ${DATABASE}`)
  const collectorEnv = {
    CHAOS_KAFKA_BROKERS: brokers,
    CHAOS_GROUP: GROUP,
    CHAOS_TOPIC: otlpSpans.name,
    CHAOS_CLICKHOUSE_URL: url,
    CHAOS_DATABASE: DATABASE,
  }
  const collector = keepCollector(program, collectorEnv, join(dataDir, 'collector.log'))
  try {
    const plan = planFaults({ seed, faults, meanPauseMs, topics: [], without: WITHOUT })
    await Promise.all([
      disturb(engines, collector, plan),
      send(env, sampleOf(options, plan), plan.at(-1)?.atMs ?? 0),
    ])
    tell('all faults are over; waiting until everything is read')
    await settle(kafka)
    const expected = expectedSpans(await readTopic(kafka))
    const rows = await clickhouse.query<{ line: string }>(
      `SELECT concat(TraceId, '/', SpanId) AS line FROM spans`,
    )
    const ids = expected.map(({ trace_id: trace, span_id: span }) => `${trace}/${span}`)
    const lines = rows.map(({ line }) => line)
    return { faults: plan.length, spans: compareLines('spans by id', ids, lines) }
  } finally {
    await collector.stop()
    await Promise.all([kafka.close(), clickhouse.close()])
    await engines.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

function sampleOf({ seed, rowsPerSecond }: PeerOptions, plan: readonly Fault[]): readonly Buffer[] {
  const seconds = (plan.at(-1)?.atMs ?? 0) / 1_000
  return sampleRequests({ rows: Math.max(1, Math.ceil(seconds * rowsPerSecond)), seed })
}

async function send(
  env: Readonly<Record<string, string>>,
  bodies: readonly Buffer[],
  lastMs: number,
): Promise<void> {
  const startMs = performance.now()
  let sender: Awaited<ReturnType<typeof openTopicSender>> | undefined
  for (const [i, body] of bodies.entries()) {
    await delay(Math.max(0, (i / bodies.length) * lastMs - (performance.now() - startMs)))
    for (;;) {
      try {
        sender ??= await openTopicSender(parseCommonConfig(env), silent)
        await sender.send([body])
        break
      } catch {
        sender = undefined
        await delay(QUIET_MS / 10)
      }
    }
  }
  await sender?.close()
}

/** What a plan does to workers is done to the Collector. */
async function disturb(
  engines: Engines,
  collector: Collector,
  plan: readonly Fault[],
): Promise<void> {
  const startMs = performance.now()
  const running: Promise<void>[] = []
  const turns: Record<EngineTarget, Promise<void>> = {
    kafka: Promise.resolve(),
    clickhouse: Promise.resolve(),
  }
  for (const fault of plan) {
    await delay(Math.max(0, fault.atMs - (performance.now() - startMs)))
    const { target } = fault
    if (target === 'kafka' || target === 'clickhouse') {
      turns[target] = turns[target].then(() => hitEngine(engines, target, fault))
    } else running.push(hitCollector(collector, fault))
  }
  await Promise.all([...running, ...Object.values(turns)])
}

async function hitEngine(engines: Engines, target: EngineTarget, fault: Fault): Promise<void> {
  const pid = engines.current(target)?.pid
  if (fault.kind === 'freeze') await freeze(pid, fault.lastMs)
  else {
    if (fault.kind === 'kill') sendSignal(pid, 'SIGKILL')
    await restartEngine(engines, target)
  }
}

async function hitCollector(collector: Collector, { kind, lastMs }: Fault): Promise<void> {
  const pid = collector.pid()
  if (kind === 'freeze') await freeze(pid, lastMs)
  else sendSignal(pid, kind === 'kill' ? 'SIGKILL' : 'SIGTERM')
}

async function freeze(pid: number | undefined, lastMs: number): Promise<void> {
  if (!sendSignal(pid, 'SIGSTOP')) return
  await delay(lastMs)
  sendSignal(pid, 'SIGCONT')
}

async function settle(kafka: Kafka): Promise<void> {
  const lag = () => kafka.lag(GROUP, otlpSpans.name).catch(() => -1n)
  await until('everything is read', SETTLE_DEADLINE_MS, lag, (left) => left === 0n)
}

async function readTopic(kafka: Kafka): Promise<readonly Buffer[]> {
  const values: Buffer[] = []
  const partitions = await kafka.partitions(otlpSpans.name)
  for (let partition = 0; partition < partitions; partition++) {
    await kafka.readPartition(otlpSpans.name, partition, ({ value }) => values.push(value))
  }
  return values
}
