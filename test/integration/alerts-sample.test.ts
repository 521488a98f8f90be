import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { parseCommonConfig } from '#runtime/config.ts'
import { connectKafka } from '#runtime/kafka.ts'
import { readRules } from '../../services/alert/config.ts'
import type { ReplayReport } from '../../services/cli/replay/report.ts'
import { sendSample, waitForAlerts, waitUntilLanded } from '../../services/cli/sample.ts'
import { silent, startTestStack, type TestStack, until } from '../support/stack.ts'
import { runAlerts } from './alert-calls.ts'

/**
 * Goal: a back-test of the rules that ship says of the sample workload what they said when it came
 * in. Method: the whole sample goes through the stack; then each change of an alert is compared.
 */

const CATCH_UP_MS = 60_000
/** Windows at the very end wait for records that the sample has not. */
const END_MS = 2 * 60_000

let stack: TestStack

beforeAll(async () => {
  stack = await startTestStack({
    brokers: inject('brokers'),
    clickhouseUrl: inject('clickhouseUrl'),
    workers: ['ingest', 'enrich', 'sink', 'alert'],
  })
})

afterAll(async () => {
  await stack?.stop()
})

/** A change of an alert, wherever it was said. */
interface Change {
  readonly rule: string
  readonly level: string
  readonly group: Readonly<Record<string, string>>
  readonly state: string
  readonly windowEnd: string
}

function liveChanges(): Promise<readonly Change[]> {
  return stack.clickhouse.query<Change>(
    `SELECT rule, level, group, state,
       formatDateTime(window_end, '%Y-%m-%dT%H:%i:%S.000Z') AS windowEnd
     FROM alerts`,
  )
}

async function pastChanges(from: string, to: string): Promise<readonly Change[]> {
  const range = ['--from', from, '--to', to]
  const { code, stdout } = await runAlerts(stack.env, 'backtest', ...range, '--pending', '--json')
  expect(code).toBe(0)
  const json = stdout.trimEnd().split('\n').at(-1) ?? ''
  const { alerts }: { alerts: readonly Change[] } = JSON.parse(json)
  return alerts
}

async function sendAll(): Promise<ReplayReport> {
  const { signal } = new AbortController()
  const sent = await sendSample(stack.env, `http://127.0.0.1:${stack.httpPort}`, signal)
  await waitUntilLanded(stack.clickhouse, sent.spans, signal)
  const kafka = connectKafka(parseCommonConfig(stack.env).kafka, 'test', silent)
  const isDone = () => waitForAlerts(kafka, signal)
  await until('alerts catch up', CATCH_UP_MS, isDone, (done) => done)
  await kafka.close()
  return sent
}

const named = ({ rule, level, group }: Change) => [rule, level, JSON.stringify(group)].join(' ')

test('A back-test of the sample says what was said when it came in', async () => {
  const { firstSpanTime, lastSpanTime } = await sendAll()
  const past = await pastChanges(firstSpanTime ?? '', lastSpanTime ?? '')
  const live = await liveChanges()
  const { rules } = readRules({})
  const early = new Set(rules.filter(({ isEarly }) => isEarly).map(({ name }) => name))
  // The pipeline itself has no past.
  const kept = new Set(
    rules.filter(({ sources }) => !sources.includes('system')).map((r) => r.name),
  )

  const lastMs = Date.parse(lastSpanTime ?? '') - END_MS
  const decided = (all: readonly Change[]) =>
    all
      .filter(
        ({ rule, windowEnd }) =>
          kept.has(rule) && !early.has(rule) && Date.parse(windowEnd) <= lastMs,
      )
      .map((change) => `${change.windowEnd} ${named(change)} ${change.state}`)
      .toSorted()
  expect(decided(live)).toEqual(decided(past))
  expect(new Set(decided(live).map((line) => line.split(' ')[1])).size).toBeGreaterThanOrEqual(4)

  // What fires as soon as it is over its limit does so in the order in which records came.
  const firing = (all: readonly Change[]) =>
    all
      .filter(({ rule, state }) => early.has(rule) && kept.has(rule) && state === 'firing')
      .map(named)
      .toSorted()
  expect(firing(live)).toEqual(firing(past))
  expect(firing(live).length).toBeGreaterThan(0)
}, 180_000)
