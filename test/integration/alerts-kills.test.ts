import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, inject, test } from 'vitest'
import type { Alert, AlertDelivery } from '#schemas/items.ts'
import {
  alertDeliveries,
  alerts,
  alertState,
  enrichedSpans,
  evaluations,
  spanAggregates,
} from '#schemas/topics.ts'
import { between, createRandom, type Random } from '../../services/cli/replay/random.ts'
import { until } from '../support/stack.ts'
import { EARLY_RULES, LOAD_RULES, type LoadStep, makeLoad } from './alert-load.ts'
import { type AlertRun, notificationOf, startAlertRun } from './alert-runs.ts'
import { readTopic } from './topic-records.ts'

/**
 * Goal: however often the alert worker is killed with -9, and with no ClickHouse there all the while,
 * alerts change as in a run that nobody disturbs, and each channel is told of each change once.
 * Method: the same spans and scores go through a run without kills and through one in which a seeded
 * plan kills: while the worker starts, while it reads, and while a channel is just being told.
 */

const SEED = Number(process.env['SPANMETER_TEST_SEED'] ?? 1)
const KILLS = Number(process.env['SPANMETER_TEST_KILLS'] ?? 8)
const MINUTES = Math.max(40, KILLS)
const PARTITIONS = 4
const SETTLE_MS = 60_000 + KILLS * 1_000

const runs: AlertRun[] = []

afterEach(async () => {
  for (const run of runs.splice(0)) await run.stop()
})

/** What came of a run. */
interface Outcome {
  readonly changes: readonly Alert[]
  readonly deliveries: readonly AlertDelivery[]
  /** By channel and key, how often the receiver was told. */
  readonly told: ReadonlyMap<string, number>
  readonly repeats: { readonly alerts: number; readonly requests: number }
}

async function outcomeOf({ kafka, receiver }: AlertRun): Promise<Outcome> {
  const changes = await readTopic(kafka, alerts)
  const deliveries = await readTopic(kafka, alertDeliveries)
  const told = new Map<string, number>()
  for (const request of receiver.requests) {
    const key = notificationOf(request)
    told.set(key, (told.get(key) ?? 0) + 1)
  }
  const repeats = { alerts: changes.repeats, requests: receiver.requests.length - told.size }
  return { changes: changes.items, deliveries: deliveries.items, told, repeats }
}

async function send({ kafka }: AlertRun, steps: readonly LoadStep[], gapMs: number): Promise<void> {
  const writer = await kafka.openWriter()
  for (const step of steps) {
    await writer.write(enrichedSpans.name, step.spans)
    await writer.write(evaluations.name, step.evaluations)
    await delay(gapMs)
  }
  await writer.close()
}

async function runUndisturbed(steps: readonly LoadStep[]): Promise<Outcome> {
  // A machine that is busy otherwise must not cost it its partitions.
  const env = { SPANMETER_KAFKA_SESSION_TIMEOUT_MS: '10000' }
  const run = await startAlertRun({ brokers: inject('brokers'), rules: LOAD_RULES, env })
  runs.push(run)
  await send(run, steps, 5)
  await run.settle(SETTLE_MS)
  return outcomeOf(run)
}

/** What grows when a step is just done: what comes behind it is cut off. */
const GROWING = {
  'a run was counted': spanAggregates,
  'alerts were decided': alerts,
  'a state was kept': alertState,
  'a delivery was noted': alertDeliveries,
} as const
const MOMENTS = ['at any time', 'a channel was told', ...Object.keys(GROWING)]
/** A moment that does not come is not waited for. */
const PATIENCE_MS = 3_000

async function waitFor(
  moment: string,
  { kafka }: AlertRun,
  random: Random,
  nextRequest: () => Promise<void>,
): Promise<void> {
  const endMs = Date.now() + PATIENCE_MS
  const topic = Object.entries(GROWING).find(([name]) => name === moment)?.[1]
  if (topic !== undefined) {
    const records = () => kafka.lag('nobody', topic.name)
    const before = await records()
    while (Date.now() < endMs && (await records()) === before) await delay(1)
  } else if (moment === 'at any time') await delay(between(random, 0, 2_000))
  else await Promise.race([nextRequest(), delay(PATIENCE_MS, undefined, { ref: false })])
}

async function killAndRestart({ workers }: AlertRun): Promise<void> {
  const pid = workers.pid('alert')
  if (pid === undefined) throw new Error('there is no worker to kill')
  process.kill(pid, 'SIGKILL')
  await until(
    'another process',
    10_000,
    async () => workers.pid('alert'),
    (now) => now !== pid,
  )
}

async function runDisturbed(steps: readonly LoadStep[], seed: number): Promise<Outcome> {
  const random = createRandom([seed, 9, 0])
  let told = Promise.withResolvers<void>()
  const run = await startAlertRun({
    brokers: inject('brokers'),
    rules: LOAD_RULES,
    onRequest: () => told.resolve(),
  })
  runs.push(run)
  const nextRequest = () => {
    told = Promise.withResolvers<void>()
    return told.promise
  }
  for (let kill = 0; kill < KILLS; kill++) {
    const [from, to] = [kill, kill + 1].map((n) => Math.floor((n * steps.length) / KILLS))
    const sending = send(run, steps.slice(from, to), between(random, 0, 60))
    const moment = MOMENTS[kill % MOMENTS.length] ?? ''
    await waitFor(moment, run, random, nextRequest)
    await killAndRestart(run)
    await sending
  }
  await run.settle(SETTLE_MS)
  return outcomeOf(run)
}

/** What a change says. What fires early says it of the records that had come by then. */
function said(change: Alert): string {
  const { rule, level, group, previous_state: previous, state, notify, muted_by: mutedBy } = change
  const told = [rule, level, JSON.stringify(group), `${previous} → ${state}`, notify, mutedBy]
  if (EARLY_RULES.has(rule)) return told.join(' ')
  const end = new Date(Number(change.window_end_unix_nano / 1_000_000n)).toISOString()
  const { reason, value, threshold, baseline, count, contributors, trace_ids: traces } = change
  const evidence = [value, threshold, baseline, count, JSON.stringify(contributors), traces]
  return [...told, end, reason, ...evidence].join(' ')
}

const allSaid = ({ changes }: Outcome) => changes.map(said).toSorted()

/** What the channels must be told of, as channel and key. */
function mustBeTold({ changes }: Outcome): readonly string[] {
  return changes
    .filter(({ notify }) => notify)
    .flatMap(({ alert_id: id, severity }) =>
      severity === 'critical' ? [`everything ${id}`, `critical ${id}`] : [`everything ${id}`],
    )
    .toSorted()
}

function expectEachOnce(outcome: Outcome): void {
  expect([...outcome.told.keys()].toSorted()).toEqual(mustBeTold(outcome))
  const delivered = outcome.deliveries.filter((one) => one.outcome === 'delivered')
  expect(delivered.map((one) => `${one.channel} ${one.alert_id}`).toSorted()).toEqual(
    mustBeTold(outcome),
  )
  expect(outcome.deliveries.filter((one) => !['delivered', 'muted'].includes(one.outcome))).toEqual(
    [],
  )
}

test(
  `${KILLS} kills of the alert worker change no decision, and each is told once (seed ${SEED})`,
  { timeout: 60_000 + KILLS * 10_000 },
  async () => {
    const steps = makeLoad({ seed: SEED, minutes: MINUTES, partitions: PARTITIONS })
    const undisturbed = await runUndisturbed(steps)
    expect(undisturbed.repeats).toEqual({ alerts: 0, requests: 0 })
    expectEachOnce(undisturbed)
    const rules = new Set(undisturbed.changes.map(({ rule }) => rule))
    expect(rules.size).toBeGreaterThanOrEqual(8)

    const disturbed = await runDisturbed(steps, SEED)
    expect(allSaid(disturbed)).toEqual(allSaid(undisturbed))
    expectEachOnce(disturbed)
    // Only what each of the two channels was just being told when it was cut off.
    expect(disturbed.repeats.requests).toBeLessThanOrEqual(2 * KILLS)
    if (process.env['SPANMETER_TEST_KILLS'] === undefined) return
    const { changes, told, repeats } = disturbed
    const figures = `${changes.length} changes, ${told.size} notifications`
    process.stderr.write(`${KILLS} kills, ${figures}, again ${JSON.stringify(repeats)}\n`)
  },
)
