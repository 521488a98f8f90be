import { afterEach, expect, inject, test } from 'vitest'
import { enrichedSpans } from '#schemas/topics.ts'
import { until } from '../support/stack.ts'
import { toldBy } from './alert-calls.ts'
import { type AlertRun, startAlertRun } from './alert-runs.ts'

/**
 * Goal: no window is decided before what belongs to it was read, whatever partitions were quiet, and
 * whatever the clocks of senders say. Method: the alert worker alone; calls of a model for each
 * partition of spans.enriched, whose errors must all be told of.
 */

const DEADLINE_MS = 30_000
const PARTITIONS = [0, 1, 2, 3]
const NANOS = 1_000_000n

const RULES = `
allowed_lateness: 1s
rules:
  - name: failing
    metric: error_rate
    by: [model]
    window: 2s
    condition: { above: 50% }
    min_count: 5
`

let run: AlertRun | undefined

afterEach(async () => {
  await run?.stop()
  run = undefined
})

/** The worker, with partitions that it keeps however long it is paused. */
async function start(): Promise<AlertRun> {
  run = await startAlertRun({
    brokers: inject('brokers'),
    rules: RULES,
    env: { SPANMETER_ALERT_IDLE_MS: '1000', SPANMETER_KAFKA_SESSION_TIMEOUT_MS: '60000' },
  })
  return run
}

interface Calls {
  readonly model: string
  readonly endMs: number
  readonly receivedMs?: number
  readonly isFailing?: boolean
}

/** Five calls as one record. */
function recordOf(
  partition: number,
  { model, endMs, receivedMs = endMs, isFailing = false }: Calls,
) {
  const span = {
    start_time_unix_nano: BigInt(endMs) * NANOS,
    duration_nano: 0n,
    received_time_unix_nano: BigInt(receivedMs) * NANOS,
    kind: 'llm',
    request_model: model,
    error_type: isFailing ? 'timeout' : '',
  }
  const value = enrichedSpans.codec.encode(Array.from({ length: 5 }, () => span))
  return { partition, key: null, value, headers: {} }
}

/** Writes calls to every partition. */
async function write({ kafka }: AlertRun, callsOf: (partition: number) => readonly Calls[]) {
  const writer = await kafka.openWriter()
  const records = PARTITIONS.flatMap((p) => callsOf(p).map((calls) => recordOf(p, calls)))
  await writer.write(enrichedSpans.name, records)
  await writer.close()
}

function told({ receiver }: AlertRun, models: readonly string[]) {
  return until(
    `alerts of ${models.join(', ')}`,
    DEADLINE_MS,
    async () =>
      toldBy(receiver)
        .filter(({ state }) => state === 'firing')
        .map(({ group }) => group['model'] ?? ''),
    (found) => models.every((model) => found.includes(model)),
  )
}

test('A partition that was quiet holds time back once there is something in it to read', async () => {
  const { workers, ...own } = await start()
  // Told only once all partitions are quiet.
  await write({ workers, ...own }, () => [{ model: 'first', endMs: Date.now(), isFailing: true }])
  await told({ workers, ...own }, ['first'])

  const pid = workers.pid('alert') ?? 0
  process.kill(pid, 'SIGSTOP')
  const nowMs = Date.now()
  // Whichever partition is read first, its time is far beyond what waits in the others.
  await write({ workers, ...own }, (partition) => [
    { model: `m${partition}`, endMs: nowMs, isFailing: true },
    { model: 'later', endMs: nowMs + 60_000 },
  ])
  process.kill(pid, 'SIGCONT')
  const models = ['m0', 'm1', 'm2', 'm3']
  expect(await told({ workers, ...own }, models)).toEqual(expect.arrayContaining(models))
})

test('A sender whose clock is ahead does not make others late', async () => {
  const own = await start()
  await write(own, () => [
    { model: 'ahead', endMs: Date.now() + 3_600_000, receivedMs: Date.now() },
  ])
  await own.settle(DEADLINE_MS)
  await write(own, () => [{ model: 'honest', endMs: Date.now(), isFailing: true }])
  expect(await told(own, ['honest'])).toContain('honest')
})
