import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { parseCommonConfig } from '#runtime/config.ts'
import { readers } from '#schemas/readers.ts'
import { openTopicSender } from '../../services/cli/topic-sender.ts'
import { startWorkers, type WorkerName, type Workers } from '../../services/cli/workers.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { silent, startTestStack, type TestStack, until } from '../support/stack.ts'
import { sendCalls, type Told, toldBy } from './alert-calls.ts'
import { sharesOf } from './alert-runs.ts'

/**
 * Goal: what is wrong with the pipeline itself is told. Method: each fault is brought about, and
 * somebody is told of it, and of its end. Rules that ship stand as they are where they can be had at
 * once; those that take minutes have shorter windows here.
 */

const DEADLINE_MS = 60_000

/** The same figure in other groups: one in each partition, so that a worker that goes on has one. */
const BY_PARTITION = ['observation, topic, group', 'topic, observation', 'topic, group', 'topic']
const stalled = (by: string, partition: number) => `
  - name: watermark-stalled-${partition}
    source: system
    metric: mean(gauge)
    where: { observation: watermark_lag }
    by: [${by}]
    window: 5s
    condition: { above: 8s, resolve: 7s }
    no_data: keep
`

const RULES = `
allowed_lateness: 1s
rules:
  - name: consumer-lag
    source: system
    metric: mean(gauge)
    where: { observation: lag }
    by: [group, topic]
    window: 5s
    condition: { above: 5, resolve: 2 }
    no_data: keep
${BY_PARTITION.map(stalled).join('')}  - name: price-list-age
    source: system
    metric: mean(gauge)
    where: { observation: price_list_age }
    window: 10s
    condition: { above: 0.001 }
  - name: clock-skew
    metric: p99(skew)
    by: [service]
    window: 10s
    condition: { above: 60s, resolve: 30s }
    min_count: 10
`

let stack: TestStack
let second: Workers
let receiver: Receiver
let folder: string
let secondLogs: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanmeter-alerts-'))
  secondLogs = join(folder, 'second')
  receiver = await startReceiver()
  await writeFile(join(folder, 'rules.yaml'), RULES)
  await writeFile(
    join(folder, 'channels.yaml'),
    `channels: [{ name: hook, type: webhook, url: '${receiver.url}', allow_private: true }]`,
  )
  stack = await startTestStack({
    brokers: inject('brokers'),
    clickhouseUrl: inject('clickhouseUrl'),
    // The sink is missing: its groups fall behind.
    workers: ['ingest', 'enrich', 'alert'],
    env: {
      SPANMETER_ALERT_RULES: join(folder, 'rules.yaml'),
      SPANMETER_ALERT_CHANNELS: join(folder, 'channels.yaml'),
      SPANMETER_ALERT_IDLE_MS: '1000',
    },
  })
  // It keeps its partitions while it is paused: nobody goes on with them.
  const env = { ...stack.env, SPANMETER_KAFKA_SESSION_TIMEOUT_MS: '60000' }
  second = await startMore('alert', secondLogs, env)
  await until('both have groups', DEADLINE_MS, shares, (all) =>
    all.every(({ length }) => length === 2),
  )
})

afterAll(async () => {
  await second?.stop()
  await stack?.stop()
  await receiver?.stop()
  await rm(folder, { recursive: true, force: true })
})

function startMore(name: WorkerName, logDir: string, env = stack.env): Promise<Workers> {
  return startWorkers({
    env,
    names: [name],
    logDir,
    readyDeadlineMs: 60_000,
    onProgress: () => undefined,
  })
}

const shares = async () => [await sharesOf(stack.logDir), await sharesOf(secondLogs)]

/** Waits until somebody was told that a rule fires, or resolved, for a group with these values. */
function told(rule: string, state: string, group: Readonly<Record<string, string>>): Promise<Told> {
  const isIt = (one: Told) =>
    one.rule === rule &&
    one.state === state &&
    Object.entries(group).every(([name, value]) => one.group[name] === value)
  return until(
    `${rule} ${state} ${JSON.stringify(group)}`,
    DEADLINE_MS,
    async () => toldBy(receiver),
    (all) => all.some(isIt),
  ).then((all) => {
    const found = all.find(isIt)
    if (found === undefined) throw new Error('until gave none')
    return found
  })
}

const call = (model: string) => sendCalls(stack.httpPort, { model, good: 1 })

/** Requests of one call each: so many are in every partition. */
async function callEverywhere(): Promise<void> {
  for (let i = 0; i < 24; i++) await call('gpt-4o')
}

test('Who is behind, time that stands still, and what has no price, no sense or a wrong clock are told', async () => {
  const sender = await openTopicSender(parseCommonConfig(stack.env), silent)
  await sender.send(Array.from({ length: 12 }, (_, i) => Buffer.from(`ffee${i}`)))
  await sender.close()
  await call('nobody-knows-its-price')
  const ahead = { good: 12, service: 'ahead', aheadMs: 3_600_000 }
  await sendCalls(stack.httpPort, { model: 'gpt-4o', ...ahead })
  await callEverywhere()

  const [first = []] = await shares()
  const rule = `watermark-stalled-${first[0]}`
  const pid = second.pid('alert') ?? 0
  process.kill(pid, 'SIGSTOP')
  try {
    await callEverywhere()
    await told(rule, 'firing', { topic: 'spans' })
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  const [letters, unpriced, skew, age] = await Promise.all([
    told('dead-letters-growing', 'firing', { worker: 'ingest', reason: 'malformed' }),
    told('unpriced-models', 'firing', { model: 'nobody-knows-its-price' }),
    told('clock-skew', 'firing', { service: 'ahead' }),
    told('price-list-age', 'firing', {}),
    told(rule, 'resolved', { topic: 'spans' }),
    catchUp(),
  ])
  expect(letters.value).toBeGreaterThan(10)
  expect(unpriced.value).toBe(1)
  expect(skew.value).toBeGreaterThan(3_500)
  expect(age.value).toBeGreaterThan(0)
})

/** Nobody lands spans until it is told that they wait. */
async function catchUp(): Promise<void> {
  await told('consumer-lag', 'firing', readers.sink)
  const sink = await startMore('sink', join(folder, 'sink'))
  try {
    await told('consumer-lag', 'resolved', readers.sink)
  } finally {
    await sink.stop()
  }
}
