import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { parseCommonConfig } from '#runtime/config.ts'
import { connectKafka, type Kafka } from '#runtime/kafka.ts'
import { openRecordStore, type RecordStore } from '#runtime/record-store.ts'
import { readers } from '#schemas/readers.ts'
import { createPerson } from '../../services/cli/erase/person.ts'
import { erase, type EraseOptions, type EraseParts } from '../../services/cli/erase/erase.ts'
import { between, createRandom } from '../../services/cli/replay/random.ts'
import { openTopicSender } from '../../services/cli/topic-sender.ts'
import { startWorkers, type Workers } from '../../services/cli/workers.ts'
import { type Attributes, otlpRequest, type SpanInput } from '../support/otlp-proto.ts'
import { silent, startTestStack, type TestStack, until } from '../support/stack.ts'

/**
 * Goal: after an erasure nothing of the person is left, everything of others is, and no total has changed.
 * Method: spans, scores and refused records of two people in every way that the pipeline takes, erased for one
 * of them; then every text of every table and every record of every topic is read by the test itself.
 */

const ANN = "ann.o'neil+7@example.com/é"
const BOB = 'bob@example.com'
const SEED = Number(process.env['SPANMETER_TEST_SEED'] ?? 1)
const KILLS = 8
const DEADLINE_MS = 60_000
const LONG = { timeout: 300_000 }
const NOW = BigInt(Date.now() - 120_000) * 1_000_000n
const TRACES = {
  ann: Buffer.from('aa'.repeat(16), 'hex'),
  bob: Buffer.from('bb'.repeat(16), 'hex'),
  both: Buffer.from('cc'.repeat(16), 'hex'),
}
const MAIN = fileURLToPath(new URL('../../services/cli/main.ts', import.meta.url))

let stack: TestStack
let kafka: Kafka
let store: RecordStore
let alert: Workers

beforeAll(async () => {
  stack = await startTestStack({
    brokers: inject('brokers'),
    clickhouseUrl: inject('clickhouseUrl'),
    env: { SPANMETER_CONTENT_RATE: '1' },
  })
  const config = parseCommonConfig(stack.env)
  kafka = connectKafka(config.kafka, 'test', silent)
  store = await openRecordStore(config.kafka, 'test', silent)
  alert = await startAlert()
})

const startAlert = () =>
  startWorkers({
    env: stack.env,
    names: ['alert'],
    logDir: stack.logDir,
    readyDeadlineMs: DEADLINE_MS,
    onProgress: () => undefined,
  })

afterAll(async () => {
  await alert?.stop()
  await kafka?.close()
  await store?.close()
  await stack?.stop()
})

let spanNumber = 0

function span(traceId: Buffer, user: string, more: Attributes = []): SpanInput {
  const n = ++spanNumber
  const spanId = Buffer.from(n.toString(16).padStart(16, '0'), 'hex')
  const attributes: Attributes = [
    ['gen_ai.operation.name', 'chat'],
    ['gen_ai.provider.name', 'openai'],
    ['gen_ai.request.model', 'gpt-4o'],
    ['gen_ai.usage.input_tokens', 100 + n],
    ['gen_ai.usage.output_tokens', 10 + n],
    [
      'gen_ai.input.messages',
      `[{"role":"user","parts":[{"type":"text","content":"secret ${n}"}]}]`,
    ],
    ...(user === ''
      ? []
      : ([
          ['user.id', user],
          ['session.id', `of ${user}`],
        ] satisfies Attributes)),
    ...more,
  ]
  const start = NOW + BigInt(n) * 1_000_000n
  return { traceId, spanId, start, end: start + 5_000_000n, name: 'chat', attributes }
}

const TENANT: Attributes = [['tenant.id', 'acme']]

async function post(path: string, body: Buffer, type: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${stack.httpPort}${path}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: new Uint8Array(body),
  })
  await response.arrayBuffer()
  expect(response.status).toBe(200)
}

const score = (trace: Buffer, user: string) => ({
  trace_id: trace.toString('hex'),
  evaluator: 'judge',
  score: 0.5,
  explanation: `of ${user}`,
  user,
  tenant: 'acme',
})

async function sendAll(): Promise<void> {
  const refused = { ...span(TRACES.ann, ANN), spanId: Buffer.alloc(8) }
  const refusedChild = { ...span(TRACES.ann, ''), spanId: Buffer.alloc(8) }
  const refusedOther = { ...span(TRACES.bob, BOB), spanId: Buffer.alloc(8) }
  const spans = [
    span(TRACES.ann, ANN, [['app.notes', `for ${ANN}: "urgent"`]]),
    span(TRACES.ann, ''),
    span(TRACES.ann, ANN, [['error.type', 'timeout']]),
    span(TRACES.bob, BOB),
    span(TRACES.bob, ''),
    span(TRACES.both, ANN),
    span(TRACES.both, BOB),
    refused,
    refusedChild,
    refusedOther,
  ]
  await post('/v1/traces', otlpRequest({ resource: TENANT, spans }), 'application/x-protobuf')
  const scores = [score(TRACES.ann, ANN), score(TRACES.bob, BOB)]
  await post('/v1/evaluations', Buffer.from(JSON.stringify(scores)), 'application/json')
  const sender = await openTopicSender(parseCommonConfig(stack.env), silent)
  await sender.send([otlpRequest({ resource: TENANT, spans: [span(TRACES.ann, ANN)] })])
  await sender.send([otlpRequest({ resource: TENANT, spans: [span(TRACES.bob, BOB)] })])
  await sender.close()
}

async function noLag(): Promise<void> {
  for (const { group, topic } of Object.values(readers)) {
    const lag = () => kafka.lag(group, topic)
    await until(`no lag of ${group}`, DEADLINE_MS, lag, (left) => left === 0n)
  }
}

const rowsOf = (sql: string) => stack.clickhouse.query<Record<string, unknown>>(sql)

const countOf = async (table: string, where = '1') => {
  const [row] = await rowsOf(`SELECT toUInt32(count()) AS n FROM ${table} WHERE ${where}`)
  return row?.['n']
}

/** Sums of every rollup without the user. */
const totals = async () => ({
  byModel: await rowsOf(
    `SELECT tenant, time, kind, model, sum(requests), sum(errors), sum(cost_usd), sum(input_tokens), sum(output_tokens)
     FROM requests_by_model_1m GROUP BY ALL ORDER BY ALL`,
  ),
  byUser: await rowsOf(
    `SELECT tenant, time, model, feature, sum(requests), sum(errors), sum(unpriced), sum(input_tokens),
         sum(output_tokens), sum(cost_usd)
     FROM cost_by_user_1h GROUP BY ALL ORDER BY ALL`,
  ),
  byDay: await rowsOf(
    'SELECT tenant, time, model, sum(requests), sum(cost_usd) FROM calls_by_feature_1d GROUP BY ALL ORDER BY ALL',
  ),
  scores: await rowsOf(
    'SELECT evaluator, sum(evaluations), sum(score_sum) FROM scores_by_evaluator_1m GROUP BY ALL ORDER BY ALL',
  ),
})

async function partsOf(aheadMs: number): Promise<EraseParts> {
  const [row] = await stack.clickhouse.query<{ hash: string }>(
    'SELECT hex(sipHash128({user:String})) AS hash',
    { user: ANN },
  )
  return {
    clickhouse: stack.clickhouse,
    store,
    writer: await kafka.openWriter(),
    person: createPerson(ANN, undefined, row?.hash ?? ''),
    author: 'test',
    freshId: randomUUID,
    now: () => Date.now() + aheadMs,
    tell: () => undefined,
  }
}

/** Every text of every table, as the test reads it: columns that hold the name in any form. */
async function tablesNaming(name: string): Promise<readonly string[]> {
  const columns = await stack.clickhouse.query<{ table: string; name: string }>(
    `SELECT table, name FROM system.columns WHERE database = currentDatabase() AND type LIKE '%String%'
     AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')
     AND type NOT LIKE 'AggregateFunction%'`,
  )
  const found: string[] = []
  for (const { table, name: column } of columns) {
    const [row] = await stack.clickhouse.query<{ n: number }>(
      `SELECT toUInt32(countIf(position(toJSONString(\`${column}\`), {part:String}) > 0)) AS n FROM ${table}`,
      { part: name },
    )
    if ((row?.n ?? 0) > 0) found.push(`${table}.${column}`)
  }
  return found
}

const TOPICS = [...new Set(Object.values(readers).map(({ topic }) => topic)), 'alert.state']

async function topicsNaming(name: string): Promise<readonly string[]> {
  const found = new Set<string>()
  await store.readAll(TOPICS, (topic, _, { value }) => {
    if (value.includes(name)) found.add(topic)
  })
  return [...found].sort()
}

/** Keys of pieces of alert.state that are in force and name somebody. */
async function stateNaming(name: string): Promise<readonly string[]> {
  const pieces = new Map<string, string>()
  await store.readAll(['alert.state'], (_, partition, { key, value }) => {
    pieces.set(`${partition} ${key}`, value.toString())
  })
  return [...pieces]
    .filter(([key, text]) => text !== '' && `${key} ${text}`.includes(name))
    .map(([key]) => key)
}

const EVERYWHERE = [
  'alert.state',
  'dead-letters',
  'evaluations',
  'otlp_spans',
  'span.aggregates',
  'spans',
  'spans.enriched',
]
const OPTIONS: EraseOptions = { wait: false, mentions: false }
/** What of a name no encoding changes. */
const ANN_PART = 'example.com'

test('nothing of a person is left, all of others is, and no total changes', LONG, async () => {
  await sendAll()
  await noLag()
  await until(
    'spans',
    DEADLINE_MS,
    () => countOf('spans'),
    (n) => n === 9,
  )
  await until(
    'letters',
    DEADLINE_MS,
    () => countOf('dead_letters'),
    (n) => n === 3,
  )
  const before = await totals()
  // The search of the test finds what it must not find later.
  await expect(tablesNaming('neil+7')).resolves.toEqual(
    expect.arrayContaining([
      'spans.user',
      'spans.attributes',
      'cost_by_user_1h.user',
      'traces.user',
      'evaluations.explanation',
      'dead_letters.payload',
    ]),
  )
  await until(
    'the state of alerts',
    DEADLINE_MS,
    () => topicsNaming('neil+7'),
    (topics) => EVERYWHERE.every((topic) => topics.includes(topic)),
  )
  await noLag()

  // Evaluators would write down again what they keep in memory.
  const whileAlertRuns = await erase(await partsOf(0), OPTIONS)
  expect(whileAlertRuns.leftRecords).toContainEqual(
    expect.objectContaining({ topic: 'alert.state', why: expect.stringContaining('stop it') }),
  )
  expect(whileAlertRuns.rows).toMatchObject({
    spans: 5,
    span_content: 5,
    dead_letters: 2,
    evaluations: 1,
  })
  expect(whileAlertRuns.leftRows).toEqual([])
  await expect(tablesNaming('neil+7')).resolves.toEqual([])
  await alert.stop()

  // Within 10 minutes requests are still recognised by their records.
  const first = await erase(await partsOf(0), OPTIONS)
  expect(first.rows).toEqual({})
  const remembered = ['alert.state', 'dead-letters', 'evaluations', 'spans']
  expect(first.leftRecords.map(({ topic }) => topic).sort()).toEqual(remembered)
  await expect(topicsNaming('neil+7')).resolves.toEqual(remembered)
  await expect(stateNaming('neil+7')).resolves.toEqual([])

  const later = await erase(await partsOf(11 * 60_000), OPTIONS)
  expect(later).toMatchObject({ rows: {}, leftRows: [], behind: [] })
  expect(later.leftRecords).toEqual([
    expect.objectContaining({ topic: 'alert.state', why: expect.stringContaining('compacts') }),
  ])
  await expect(topicsNaming('neil+7')).resolves.toEqual(['alert.state'])

  await expect(totals()).resolves.toEqual(before)
  await expect(countOf('spans')).resolves.toBe(4)
  await expect(countOf('span_content')).resolves.toBe(4)
  await expect(countOf('dead_letters')).resolves.toBe(1)
  await expect(countOf('evaluations', `user = '${BOB}'`)).resolves.toBe(1)
  await expect(countOf('traces', "lower(trace_id) LIKE 'aa%'")).resolves.toBe(0)
  await expect(countOf('erasures')).resolves.toBe(1)
  expect(await tablesNaming(ANN_PART)).toContain('spans.user')
})

test('workers go on where they were, although records of before are gone', async () => {
  alert = await startAlert()
  for (const name of ['enrich', 'sink', 'ingest'] as const) {
    const pid = stack.workers.pid(name)
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
  }
  const body = otlpRequest({ resource: TENANT, spans: [span(TRACES.bob, BOB)] })
  await until(
    'a worker that takes spans',
    DEADLINE_MS,
    () =>
      post('/v1/traces', body, 'application/x-protobuf').then(
        () => true,
        () => false,
      ),
    (sent) => sent,
  )
  await until(
    'the span',
    DEADLINE_MS,
    () => countOf('spans'),
    (n) => n === 5,
  )
  await noLag()
  await expect(countOf('spans')).resolves.toBe(5)
  // What is noted with commits is still there, although the memory that it points to is gone.
  for (const { group, topic } of [readers.enrich, readers.sink]) {
    const commits = await store.commits(group, topic, [...(await store.ranges(topic)).keys()])
    const notes = [...commits.values()].flatMap((commit) => commit ?? [])
    expect(notes.length).toBeGreaterThan(0)
    for (const { offset, metadata } of notes) {
      expect(offset).toBeGreaterThan(0n)
      expect(JSON.parse(metadata)).toHaveProperty('v')
    }
  }
})

test(
  'killed anywhere and run again, while spans land, it ends as if nothing had happened',
  LONG,
  async () => {
    const random = createRandom([SEED, 0, 0])
    let sent = 0
    const sending = new AbortController()
    const load = (async () => {
      while (!sending.signal.aborted) {
        const spans = [span(TRACES.bob, BOB), span(TRACES.both, 'carl')]
        await post('/v1/traces', otlpRequest({ resource: TENANT, spans }), 'application/x-protobuf')
        sent += spans.length
        await delay(50)
      }
    })()
    for (let i = 0; i < KILLS; i++) {
      const command = spawn(process.execPath, [MAIN, 'erase', '--user', BOB], {
        env: stack.env,
        stdio: 'ignore',
      })
      const gone = once(command, 'exit')
      await delay(between(random, 700, 6_000))
      command.kill('SIGKILL')
      await gone
    }
    sending.abort()
    await load
    await noLag()
    expect(sent).toBeGreaterThan(100)
    await runCommand('--user', BOB)
    const [sums] = await rowsOf(
      `SELECT
         (SELECT (sum(requests), sum(input_tokens), sum(cost_usd)) FROM requests_by_model_1m) AS by_model,
         (SELECT (sum(requests), sum(input_tokens), sum(cost_usd)) FROM cost_by_user_1h) AS by_user`,
    )
    expect(sums?.['by_user']).toEqual(sums?.['by_model'])
    await expect(countOf('cost_by_user_1h', `user = '${BOB}'`)).resolves.toBe(0)
    await expect(countOf('cost_by_user_1h', 'requests < 0')).resolves.toBe(0)
    await expect(countOf('spans', `user IN ('', '${BOB}')`)).resolves.toBe(0)
    await expect(countOf('spans', `user = 'carl'`)).resolves.toBe(sent / 2)
  },
)

const runCommand = (...args: readonly string[]) =>
  promisify(execFile)(process.execPath, [MAIN, 'erase', '--json', ...args], {
    env: stack.env,
  }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: { code: number; stdout: string }) => error,
  )

const carl = () => countOf('spans', `user = 'carl'`)

test(
  'the command tells what it does, and by its exit code whether anything is left',
  LONG,
  async () => {
    const spans = await carl()
    const preview = await runCommand('--user', 'carl', '--dry-run')
    expect(preview.code).toBe(0)
    expect(JSON.parse(preview.stdout)).toMatchObject({ rows: { spans } })
    await expect(carl()).resolves.toBe(spans)
    const other = await runCommand('--user', 'carl', '--tenant', 'other')
    expect(JSON.parse(other.stdout)).toMatchObject({ rows: {} })
    await expect(carl()).resolves.toBe(spans)
    const done = await runCommand('--user', 'carl', '--tenant', 'acme')
    expect(done.code).toBe(2)
    expect(JSON.parse(done.stdout)).toMatchObject({ rows: { spans }, leftRows: [] })
    await expect(carl()).resolves.toBe(0)
  },
)
