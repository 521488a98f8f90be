import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { parseCommonConfig } from '#runtime/config.ts'
import { type ClosableWriter, connectKafka, type Kafka } from '#runtime/kafka.ts'
import { topicSpecs } from '#runtime/topics.ts'
import type { Alert } from '#schemas/items.ts'
import { alertState } from '#schemas/topics.ts'
import { Evaluator } from '../../services/alert/evaluator.ts'
import { parseRuleFiles } from '../../services/alert/rule-file.ts'
import { createStateLog } from '../../services/alert/state-log.ts'
import { silent } from '../support/stack.ts'
import { type DeltaOptions, recordOf } from './alert-deltas.ts'

/**
 * Goal: what an evaluator remembers is all in Kafka: another one that reads it goes on as the first
 * would have. Method: thirty hours of twenty tenants go through an evaluator, whose state is written
 * each hour; now and then another one is made of what Kafka has, and both decide the next hour.
 */

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const START_MS = Date.parse('2026-03-09T22:00:00Z')
const HOURS = 30

const RULES = parseRuleFiles([
  {
    file: 'rules.yaml',
    text: `
rules:
  - name: dearer
    metric: sum(cost)
    by: [tenant]
    contributors: model
    window: 1h
    every: 1h
    condition: { above: 1.5x, baseline: { trailing: 1d, warmup: 6h, min_count: 1 } }
  - name: burning
    metric: error_rate
    by: [tenant]
    condition: { burn: { objective: 95%, period: 30d } }
    min_count: 10
  - name: slow
    metric: p95(duration)
    by: [tenant]
    window: 10m
    every: 5m
    condition: { above: 2s, resolve: 1500ms }
    for: 2
  - name: budget
    metric: sum(cost)
    by: [tenant]
    condition: { budget: { limit: 6 USD, period: day, at: [50%, 100%] } }
  - name: much
    metric: sum(tokens)
    by: [tenant]
    window: 10m
    condition: { above: 3000000000000 tokens }
`,
  },
])

let kafka: Kafka
let writer: ClosableWriter

beforeAll(async () => {
  const env = {
    SPANMETER_KAFKA_BROKERS: inject('brokers').join(','),
    SPANMETER_TOPIC_PREFIX: `${randomBytes(4).toString('hex')}.`,
  }
  kafka = connectKafka(parseCommonConfig(env).kafka, 'test', silent)
  await kafka.ensureTopics(topicSpecs(env))
  writer = await kafka.openWriter()
})

afterAll(async () => {
  await writer?.close()
  await kafka?.close()
})

const newEvaluator = () => new Evaluator({ rules: RULES, idleMs: 0, grafanaUrl: '' })

/** What an evaluator decides of some hours, read minute by minute. */
function decide(evaluator: Evaluator, options: DeltaOptions, fromMs: number, hours: number) {
  const made: Alert[] = []
  for (let minute = 0; minute < hours * 60; minute++) {
    const startMs = fromMs + minute * MINUTE_MS
    made.push(...evaluator.apply(recordOf(options, { fromMs: startMs, toMs: startMs + MINUTE_MS })))
  }
  return made
}

test('A state that is read back from Kafka decides as the one that was written', async () => {
  const tenants = Array.from({ length: 20 }, (_, i) => `tenant-${i}`)
  const options = { rules: RULES, tenants, seed: 1 }
  const log = createStateLog(kafka, writer)
  const evaluator = newEvaluator()
  const rules = new Set<string>()
  for (let hour = 0; hour < HOURS; hour++) {
    const fromMs = START_MS + hour * HOUR_MS
    const restored = hour % 7 === 6 ? await log.read(2) : undefined
    const made = decide(evaluator, options, fromMs, 1)
    await log.write(2, evaluator.changes(), { offset: BigInt(hour), metadata: String(hour) })
    for (const { rule, state } of made) if (state === 'resolved') rules.add(rule)
    if (restored === undefined) continue
    expect(restored.at).toEqual({ offset: BigInt(hour - 1), metadata: String(hour - 1) })
    const successor = newEvaluator()
    successor.restore(restored.stored)
    const again = decide(successor, options, fromMs, 1)
    expect(again).toEqual(made)
    expect(again.length).toBeGreaterThan(0)
  }
  expect([...rules].toSorted()).toEqual(['budget', 'burning', 'dearer', 'much', 'slow'])
})

test('A record that nobody can read takes away no state', async () => {
  const unreadable: bigint[] = []
  const log = createStateLog(kafka, writer, (_, offset) => unreadable.push(offset))
  const [tenant, fromMs] = ['tenant', START_MS]
  const evaluator = newEvaluator()
  decide(evaluator, { rules: RULES, tenants: [tenant], seed: 2 }, fromMs, 1)
  await log.write(3, evaluator.changes(), { offset: 7n, metadata: 'seven' })
  const before = await log.read(3)
  const value = Buffer.from('no batch of anything')
  await writer.write(alertState.name, [
    { partition: 3, key: Buffer.from('stray'), value, headers: {} },
  ])
  const after = await log.read(3)
  expect(unreadable).toHaveLength(1)
  expect(after?.at).toEqual({ offset: 7n, metadata: 'seven' })
  expect(after?.stored).toEqual(before?.stored)
})
