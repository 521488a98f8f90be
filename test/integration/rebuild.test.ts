import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWorkers, type Workers } from '../../services/cli/workers.ts'
import { until } from '../support/stack.ts'
import type { EnrichedSpan } from './enriched-spans.ts'
import { type Ended, reprice, repricedSpans, type Run, startNode } from './reprice-runs.ts'
import {
  FIRST_MS,
  iso,
  makeRequests,
  PRIVATE,
  RANGE,
  type RepriceStack,
  startRepriceStack,
  tablesOf,
} from './reprice-stack.ts'

/**
 * Goal: a day's rollups made anew are, in every figure, what they were before they were damaged, also
 * where prices have been corrected since the spans landed. Method: calls of two days and scores go
 * through the pipeline and are priced again; then rollups are damaged by hand and the command runs as a
 * process, also one that is killed.
 */

const CLI = fileURLToPath(new URL('../../services/cli/main.ts', import.meta.url))
const CALLS = 3_000
const LONG = { timeout: 300_000 }
const DAYS = [iso(FIRST_MS).slice(0, 10), iso(FIRST_MS + 86_400_000).slice(0, 10)] as const
const ROLLUPS = [
  'requests_by_model_1m',
  'requests_by_model_1h',
  'errors_by_type_1m',
  'errors_by_type_1h',
  'histograms_by_model_1m',
  'histograms_by_model_1h',
  'cost_by_user_1h',
  'traces',
  'scores_by_evaluator_1m',
  'calls_by_feature_1d',
]

let stack: RepriceStack
let env: RepriceStack['env']
let spans: readonly EnrichedSpan[]
let sink: Workers | undefined

beforeAll(async () => {
  stack = await startRepriceStack()
  const landed = await stack.land(makeRequests(CALLS))
  await sendScores()
  env = await stack.withPrices({ [PRIVATE]: [0.5, 1.5], 'gpt-4o': [3, 12] })
  await reprice(env, RANGE)
  spans = repricedSpans(landed, env)
})

afterAll(async () => {
  await sink?.stop()
  await stack?.stop()
})

const countScores = async () => (await ask('SELECT toString(count()) AS line FROM evaluations'))[0]

async function sendScores(): Promise<void> {
  const scores = Array.from({ length: 200 }, (_, i) => ({
    trace_id: (i + 1).toString(16).padStart(32, '0'),
    evaluator: 'judge',
    score: (i % 11) / 10,
    label: i % 2 === 0 ? 'good' : 'bad',
    time: iso(FIRST_MS + i * 400_000),
  }))
  const response = await fetch(`http://127.0.0.1:${stack.httpPort}/v1/evaluations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(scores),
  })
  expect(response.status).toBe(200)
  await until('scores land', 60_000, countScores, (n) => n === '200')
}

async function ask(sql: string): Promise<readonly string[]> {
  const rows = await stack.clickhouse.query<{ line: string }>(sql)
  return rows.map(({ line }) => line).sort()
}

/** Percentiles and scores, which the sums of tables do not show. */
const sketches = () =>
  ask(
    `SELECT concat(toString(time), model, toString(quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(duration_ms))) AS line
     FROM requests_by_model_1h GROUP BY time, model
     UNION ALL
     SELECT concat(toString(time), label, toString(sum(evaluations)), toString(sum(score_sum)),
       toString(quantilesDDMerge(0.01, 0.05, 0.5, 0.95)(score_nano))) AS line
     FROM scores_by_evaluator_1m GROUP BY time, label
     UNION ALL
     SELECT concat(trace_id, toString(min(start_time)), toString(max(end_time)), max(user), argMinMerge(first_error)) AS line
     FROM traces GROUP BY trace_id`,
  )

const start = (day: string, ...flags: readonly string[]): Run =>
  startNode(env, [CLI, 'rebuild', '--day', day, ...flags])
const rebuild = (day: string, ...flags: readonly string[]): Promise<Ended> =>
  start(day, ...flags).ended

const replay = (...flags: readonly string[]): Promise<Ended> =>
  startNode(env, [CLI, 'replay-topic', ...flags]).ended

/** Every column of every row, but for when it landed. */
const rows = () =>
  ask(
    `SELECT toString(cityHash64(* EXCEPT (landed_time))) AS line FROM spans
     UNION ALL SELECT toString(cityHash64(*)) AS line FROM span_content
     UNION ALL SELECT toString(cityHash64(*)) AS line FROM price_corrections
     UNION ALL SELECT toString(cityHash64(* EXCEPT (landed_time))) AS line FROM evaluations`,
  )

async function damage(): Promise<void> {
  const { database } = stack.clickhouse
  for (const table of ROLLUPS) {
    // Doubled, but for a third that is missing.
    await stack.clickhouse.command(
      `INSERT INTO ${database}.${table} SELECT * FROM ${database}.${table}`,
    )
    await stack.clickhouse.command(
      `ALTER TABLE ${database}.${table} DELETE WHERE cityHash64(tenant, *) % 3 = 0 SETTINGS mutations_sync = 2`.replace(
        ', *',
        table === 'traces' ? ', trace_id' : ', time',
      ),
    )
  }
}

test('while sink runs nothing is rebuilt', async () => {
  const { code, stderr } = await rebuild(DAYS[0])
  expect([code, stderr]).toEqual([1, expect.stringContaining('Stop every copy of it')])
  await stack.workers.stop()
})

test('what is right stays as it is', LONG, async () => {
  const before = await sketches()
  for (const day of DAYS) {
    const { code, stdout, stderr } = await rebuild(day)
    expect([code, stdout, stderr]).toEqual([
      0,
      expect.stringContaining('Their sums were right'),
      expect.anything(),
    ])
  }
  expect(await stack.tables()).toEqual(tablesOf(spans))
  expect(await sketches()).toEqual(before)
})

test('what is damaged is made anew, also after a kill, and a day alone', LONG, async () => {
  const before = await sketches()
  await damage()
  expect(await stack.tables()).not.toEqual(tablesOf(spans))
  const refused = await rebuild(DAYS[0])
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('--allow-fewer')])
  for (const killAfterMs of [1_500, 2_500, 3_500]) {
    const run = start(DAYS[0], '--allow-fewer')
    await delay(killAfterMs)
    run.child.kill('SIGKILL')
    await run.ended
  }
  for (const day of DAYS) expect(await rebuild(day, '--allow-fewer')).toMatchObject({ code: 0 })
  expect(await stack.tables()).toEqual(tablesOf(spans))
  expect(await sketches()).toEqual(before)
  expect(
    await ask(`SELECT name AS line FROM system.databases WHERE name LIKE '%_rebuild'`),
  ).toEqual([])
})

test(
  'what rows have lost too is made anew from the records in Kafka, as it was',
  LONG,
  async () => {
    const before = await sketches()
    const rowsBefore = await rows()
    const { database } = stack.clickhouse
    for (const table of ['spans', 'span_content', 'price_corrections', 'evaluations']) {
      await stack.clickhouse.command(
        `ALTER TABLE ${database}.${table} DELETE WHERE cityHash64(span_id, trace_id) % 2 = 0 SETTINGS mutations_sync = 2`,
      )
    }
    await damage()
    const flags = ['--from', DAYS[0], '--to', iso(FIRST_MS + 86_400_000)]
    const refused = await replay(...flags)
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('--allow-fewer')])
    const killed = startNode(env, [CLI, 'replay-topic', ...flags, '--allow-fewer'])
    await delay(4_000)
    killed.child.kill('SIGKILL')
    await killed.ended
    expect(await replay(...flags, '--allow-fewer')).toMatchObject({ code: 0 })
    expect(await stack.tables()).toEqual(tablesOf(spans))
    expect(await sketches()).toEqual(before)
    expect(await rows()).toEqual(rowsBefore)
    // Rows that were replayed are as good a source as those before.
    for (const day of DAYS) expect(await rebuild(day)).toMatchObject({ code: 0 })
    expect(await stack.tables()).toEqual(tablesOf(spans))
  },
)

test('spans that come afterwards count on', async () => {
  sink = await startWorkers({
    env: stack.env,
    names: ['ingest', 'enrich', 'sink'],
    logDir: stack.logDir,
    readyDeadlineMs: 60_000,
    onProgress: () => undefined,
  })
  const more = makeRequests(CALLS + 300).slice(-1)
  const landed = await stack.land(more)
  expect(await stack.tables()).toEqual(tablesOf([...spans, ...landed]))
})
