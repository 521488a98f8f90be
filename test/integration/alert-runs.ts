import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Env, parseCommonConfig } from '#runtime/config.ts'
import { connectKafka, type Kafka } from '#runtime/kafka.ts'
import { topicSpecs } from '#runtime/topics.ts'
import { readers } from '#schemas/readers.ts'
import { alerts, spanAggregates } from '#schemas/topics.ts'
import { startWorkers, type Workers } from '../../services/cli/workers.ts'
import { findFreePorts } from '../../services/embedded/ports.ts'
import { type ReceivedRequest, type Receiver, startReceiver } from '../support/receiver.ts'
import { silent, until } from '../support/stack.ts'

/** The alert worker alone, with topics of its own, no ClickHouse, and a receiver of two channels. */
export interface AlertRun {
  readonly env: Env
  readonly kafka: Kafka
  readonly workers: Workers
  readonly receiver: Receiver
  /** Resolves when everything was read, decided and told. */
  settle(deadlineMs: number): Promise<void>
  stop(): Promise<void>
}

export interface AlertRunOptions {
  readonly brokers: readonly string[]
  readonly rules: string
  readonly env?: Env
  /** Told of each request before it is answered. */
  readonly onRequest?: () => void
}

/** One is told of everything, one only of what is critical. */
const CHANNELS = ['everything', 'critical'] as const

/** Which notification a request is, and of which channel. */
export function notificationOf({ path, headers }: ReceivedRequest): string {
  return `${path.slice(1)} ${headers['idempotency-key'] ?? ''}`
}

/** Starts the alert worker; one that ends is started again at once. */
export async function startAlertRun(options: AlertRunOptions): Promise<AlertRun> {
  const { brokers, rules, onRequest } = options
  const folder = await mkdtemp(join(tmpdir(), 'spanmeter-alerts-'))
  const receiver = await startReceiver({
    keyOf: notificationOf,
    answer: () => {
      onRequest?.()
      return { status: 200 }
    },
  })
  const env = await prepare({ ...options, folder, rules, receiver, brokers })
  const kafka = connectKafka(parseCommonConfig(env).kafka, 'test', silent)
  await kafka.ensureTopics(topicSpecs(env))
  const workers = await startWorkers({
    env,
    names: ['alert'],
    logDir: folder,
    readyDeadlineMs: 60_000,
    restart: { firstMs: 1, maxMs: 1 },
    onProgress: () => undefined,
  })
  return {
    env,
    kafka,
    workers,
    receiver,
    settle: (deadlineMs) => settle(kafka, deadlineMs),
    async stop() {
      await workers.stop()
      await kafka.close()
      await receiver.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function prepare({
  brokers,
  folder,
  rules,
  receiver,
  env = {},
}: AlertRunOptions & { folder: string; receiver: Receiver }): Promise<Env> {
  const [closedPort] = await findFreePorts(1)
  const channels = [
    'channels:',
    `  - { name: everything, type: webhook, url: '${receiver.url}/everything', allow_private: true }`,
    `  - { name: critical, type: webhook, url: '${receiver.url}/critical', allow_private: true, severities: [critical] }`,
  ]
  await writeFile(join(folder, 'rules.yaml'), rules)
  await writeFile(join(folder, 'channels.yaml'), channels.join('\n'))
  return {
    ...process.env,
    SPANMETER_KAFKA_BROKERS: brokers.join(','),
    // Nobody listens there: alerts are decided and told without ClickHouse.
    SPANMETER_CLICKHOUSE_URL: `http://127.0.0.1:${closedPort}`,
    SPANMETER_TOPIC_PREFIX: `${randomBytes(4).toString('hex')}.`,
    SPANMETER_KAFKA_SESSION_TIMEOUT_MS: '1000',
    SPANMETER_ALERT_METRICS_PORT: '0',
    SPANMETER_ALERT_RULES: join(folder, 'rules.yaml'),
    SPANMETER_ALERT_SHIPPED_RULES: 'false',
    SPANMETER_ALERT_CHANNELS: join(folder, 'channels.yaml'),
    // Records tell of times that are long over: no clock may say that nothing more comes.
    SPANMETER_ALERT_IDLE_MS: '3600000',
    ...env,
  }
}

/** In the order of the flow: what is behind a group without a lag has been handed on. */
const GROUPS = [
  readers.aggregateSpans,
  readers.aggregateEvaluations,
  readers.evaluate,
  ...CHANNELS.map((name) => ({ group: `alert-notify-${name}`, topic: alerts.name })),
]

async function settle(kafka: Kafka, deadlineMs: number): Promise<void> {
  let times = 0
  await until(
    'everything is read',
    deadlineMs,
    async () => {
      const behind: string[] = []
      for (const { group, topic } of GROUPS) {
        const lag = await kafka.lag(group, topic)
        if (lag > 0n) behind.push(`${group}: ${lag}`)
      }
      times = behind.length === 0 ? times + 1 : 0
      return behind
    },
    () => times === 2,
  )
}

/** Partitions of span.aggregates that the alert worker of a log has been given last. */
export async function sharesOf(logDir: string): Promise<readonly number[]> {
  const lines = (await readFile(join(logDir, 'alert.log'), 'utf8')).trimEnd().split('\n')
  const assigned = lines
    .filter((line) => line.includes('Partitions assigned.'))
    .map((line) => {
      const entry: { topic: string; partitions: readonly number[] } = JSON.parse(line)
      return entry
    })
  return assigned.findLast(({ topic }) => topic === spanAggregates.name)?.partitions ?? []
}
