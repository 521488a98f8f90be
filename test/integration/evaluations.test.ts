import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { parseCommonConfig } from '#runtime/config.ts'
import { connectKafka } from '#runtime/kafka.ts'
import { readQuery } from '#runtime/queries.ts'
import type { Alert, AlertDelivery } from '#schemas/items.ts'
import { readers } from '#schemas/readers.ts'
import { alertDeliveries, alerts, type BatchTopic, evaluations } from '#schemas/topics.ts'
import { between, createRandom, pick } from '../../services/cli/replay/random.ts'
import { openTopicSender } from '../../services/cli/topic-sender.ts'
import { otlpRequest, type SpanInput } from '../support/otlp-proto.ts'
import { silent, startTestStack, type TestStack, until } from '../support/stack.ts'
import {
  actualEvaluations,
  actualScores,
  evaluationsOfBodies,
  evaluationsOfSpans,
  expectedEvaluations,
  expectedScores,
} from './scores.ts'

const SEED = Number(process.env['SPANMETER_TEST_SEED'] ?? 1)
const DEADLINE_MS = 60_000
// Older scores would be past their retention at once.
const NOW_MS = Date.now() - 600_000
const NOW = BigInt(NOW_MS) * 1_000_000n

let stack: TestStack

beforeAll(async () => {
  stack = await startTestStack({
    brokers: inject('brokers'),
    clickhouseUrl: inject('clickhouseUrl'),
  })
})

afterAll(async () => {
  await stack?.stop()
})

const post = (to: TestStack, path: string, body: Buffer, headers: Record<string, string>) =>
  fetch(`http://127.0.0.1:${to.httpPort}${path}`, {
    method: 'POST',
    headers,
    body: new Uint8Array(body),
  })

async function postScores(body: unknown, headers: Record<string, string> = {}) {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
  const type = { 'content-type': 'application/json' }
  const response = await post(stack, '/v1/evaluations', bytes, { ...type, ...headers })
  const answer: unknown = await response.json()
  return { status: response.status, answer }
}

async function postSpans(to: TestStack, spans: readonly SpanInput[]): Promise<Buffer> {
  const body = otlpRequest({ spans })
  const response = await post(to, '/v1/traces', body, { 'content-type': 'application/x-protobuf' })
  expect(response.status).toBe(200)
  return body
}

async function sendToTopic(to: TestStack, bodies: readonly Buffer[]): Promise<void> {
  const sender = await openTopicSender(parseCommonConfig(to.env), silent)
  for (const body of bodies) await sender.send([body])
  await sender.close()
}

/** Waits until nothing is left to read before ClickHouse, in the order of the flow. */
async function noLag({ env }: TestStack): Promise<void> {
  const kafka = connectKafka(parseCommonConfig(env).kafka, 'test', silent)
  const { ingest, enrich, sink, sinkEvaluations, sinkDeadLetters } = readers
  for (const { group, topic } of [ingest, enrich, sink, sinkEvaluations, sinkDeadLetters]) {
    const lag = () => kafka.lag(group, topic)
    await until(`no lag of ${group}`, DEADLINE_MS, lag, (left) => left === 0n)
  }
  await kafka.close()
}

const countOf = async ({ clickhouse }: TestStack, where: string): Promise<number> => {
  const [row] = await clickhouse.query<{ n: number }>(
    `SELECT toUInt32(count()) AS n FROM evaluations WHERE ${where}`,
  )
  return row?.n ?? 0
}

const landed = (what: string, where: string, count: number) =>
  until(
    what,
    DEADLINE_MS,
    () => countOf(stack, where),
    (n) => n >= count,
  )

const hex = (digits: number, value: number) => value.toString(16).padStart(digits, '0')
const idOf = (digits: number, value: number) => Buffer.from(hex(digits, value), 'hex')
const iso = (ms: number) => new Date(ms).toISOString()

test('scores sent over HTTP land once: one, many, some of them bad, and sent again', async () => {
  const score = { trace_id: hex(32, 1), evaluator: 'http', score: 0.25, time: iso(NOW_MS) }
  const many = [0, 0.5, 1].map((value) => ({ ...score, score: value, tenant: 'acme' }))
  const mixed = [
    { ...score, label: 'good' },
    { ...score, score: 2 },
    { ...score, scroe: 1 },
  ]
  expect(await postScores(score)).toEqual({ status: 200, answer: { accepted: 1, rejected: [] } })
  const batch = Buffer.from(JSON.stringify({ evaluations: many }))
  for (let i = 0; i < 3; i++) expect(await postScores(batch)).toMatchObject({ status: 200 })
  const gzip = await postScores(gzipSync(batch), { 'content-encoding': 'gzip' })
  expect(gzip).toEqual({ status: 200, answer: { accepted: 3, rejected: [] } })
  const rejected = [
    { index: 1, message: 'score must be a number from 0 to 1' },
    { index: 2, message: 'scroe is not a field of an evaluation' },
  ]
  expect(await postScores(mixed)).toEqual({ status: 200, answer: { accepted: 1, rejected } })
  expect(await postScores([{ ...score, score: 2 }])).toMatchObject({
    status: 400,
    answer: { mistakes: [{ index: 0, field: 'score' }] },
  })
  await landed('five scores', `evaluator = 'http'`, 5)
  await noLag(stack)
  const bodies = [score, { evaluations: many }, [mixed[0]]].map((body) =>
    Buffer.from(JSON.stringify(body)),
  )
  expect(await actualEvaluations(stack.clickhouse)).toEqual(
    expectedEvaluations(evaluationsOfBodies(bodies)),
  )
  const letters = () =>
    stack.clickhouse.query<{ index: number; source: string; payload: string }>(
      `SELECT index, source, payload FROM dead_letters WHERE reason = 'invalid_evaluation' ORDER BY index`,
    )
  expect(await until('two dead letters', DEADLINE_MS, letters, (rows) => rows.length >= 2)).toEqual(
    [
      { index: 1, source: 'evaluations_http', payload: JSON.stringify(mixed[1]) },
      { index: 2, source: 'evaluations_http', payload: JSON.stringify(mixed[2]) },
    ],
  )
})

/** A span whose events judge it. */
const judgedSpan = (number: number, dimension: string): SpanInput => ({
  traceId: idOf(32, number),
  spanId: idOf(16, number),
  start: NOW,
  end: NOW + 5_000_000n,
  attributes: [
    ['tenant.id', 'globex'],
    ['feature', 'search'],
    ['user.tier', 'pro'],
    ['gen_ai.request.model', 'gpt-4o'],
    ['gen_ai.prompt.name', 'answer'],
    ['use_case', 'critical'],
  ],
  events: [
    { name: 'exception', time: NOW, attributes: [['exception.type', 'X']] },
    {
      name: 'gen_ai.evaluation.result',
      time: NOW + 1n,
      attributes: [
        ['gen_ai.evaluation.name', dimension],
        ['gen_ai.evaluation.score.value', { double: 0.3 }],
        ['gen_ai.evaluation.score.label', 'fail'],
        ['gen_ai.evaluation.explanation', 'No source says so – naïvely made up.'],
        ['gen_ai.response.id', `answer-${number}`],
      ],
    },
    { name: 'low_quality_output', time: NOW + 2n, attributes: [['reason', dimension]] },
  ],
})

test('scores that spans carry land once, with what is known of the span', async () => {
  const http = await postSpans(stack, [judgedSpan(10, 'spans_http'), judgedSpan(11, 'spans_http')])
  await postSpans(stack, [judgedSpan(10, 'spans_http'), judgedSpan(11, 'spans_http')])
  const topic = otlpRequest({ spans: [judgedSpan(12, 'spans_topic')] })
  await sendToTopic(stack, [topic])
  await landed('six scores', `origin = 'span_event'`, 6)
  await noLag(stack)
  const rows = await actualEvaluations(stack.clickhouse)
  expect(rows.filter((row) => row.includes('|span_event|'))).toEqual(
    expectedEvaluations(evaluationsOfSpans([http, topic])),
  )
  const [row] = await stack.clickhouse.query(
    `SELECT evaluator, dimension, score, label, explanation, response_id, tenant, feature, user_tier, model,
       prompt_id, use_case, toUnixTimestamp64Nano(time) AS nanos
     FROM evaluations WHERE dimension = 'spans_topic'`,
  )
  expect(row).toEqual({
    evaluator: 'spans_topic',
    dimension: 'spans_topic',
    score: 0.3,
    label: 'fail',
    explanation: 'No source says so – naïvely made up.',
    response_id: 'answer-12',
    tenant: 'globex',
    feature: 'search',
    user_tier: 'pro',
    model: 'gpt-4o',
    prompt_id: 'answer',
    use_case: 'critical',
    nanos: String(NOW + 1n),
  })
})

/** A trace of a root and a call below it. */
const traceOf = (number: number, model: string): readonly SpanInput[] => [
  {
    traceId: idOf(32, number),
    spanId: idOf(16, number + 1),
    name: 'root',
    start: NOW,
    end: NOW + 9n,
    attributes: [
      ['tenant.id', 'initech'],
      ['request.id', `request-${number}`],
    ],
  },
  {
    traceId: idOf(32, number),
    spanId: idOf(16, number + 2),
    parentSpanId: idOf(16, number + 1),
    name: 'call',
    start: NOW - 5n,
    end: NOW + 9n,
    attributes: [
      ['tenant.id', 'initech'],
      ['request.id', `request-${number}`],
      ['gen_ai.operation.name', 'chat'],
      ['gen_ai.request.model', model],
      ['gen_ai.response.id', `answer-${number}`],
      ['gen_ai.prompt.name', 'answer'],
      ['gen_ai.prompt.version', 'v7'],
    ],
  },
]

const scoresOf = (number: number, evaluator: string) => [
  { trace_id: hex(32, number), span_id: hex(16, number + 2), evaluator, label: 'span', score: 1 },
  { trace_id: hex(32, number), evaluator, label: 'trace', score: 0.5, tenant: 'mine' },
  { response_id: `answer-${number}`, evaluator, label: 'response', score: 0.25 },
  { request_id: `request-${number}`, evaluator, label: 'request', score: 0 },
  { trace_id: hex(32, number + 9), evaluator, label: 'nothing', score: 0 },
]

test('a score is joined to its span, whichever of the two comes first', async () => {
  const joined = () =>
    stack.clickhouse.query(
      `SELECT evaluator, label, score, has_span, span_name, tenant, model, prompt_version
       FROM evaluated_spans WHERE evaluator IN ('before', 'after') ORDER BY evaluator, label`,
    )
  const call = { tenant: 'initech', model: 'gpt-4o', prompt_version: 'v7', span_name: 'call' }
  const root = { tenant: 'initech', model: '', prompt_version: '', span_name: 'root' }
  const none = { tenant: '', model: '', prompt_version: '', span_name: '' }
  const rowsOf = (evaluator: string, isThere: boolean) => [
    { evaluator, label: 'nothing', score: 0, has_span: 0, ...none },
    {
      evaluator,
      label: 'request',
      score: 0,
      has_span: Number(isThere),
      ...(isThere ? root : none),
    },
    {
      evaluator,
      label: 'response',
      score: 0.25,
      has_span: Number(isThere),
      ...(isThere ? call : none),
    },
    { evaluator, label: 'span', score: 1, has_span: Number(isThere), ...(isThere ? call : none) },
    {
      evaluator,
      label: 'trace',
      score: 0.5,
      has_span: Number(isThere),
      ...(isThere ? root : none),
      tenant: 'mine',
    },
  ]
  await postScores(scoresOf(100, 'before'))
  await landed('scores before spans', `evaluator = 'before'`, 5)
  expect(await joined()).toEqual(rowsOf('before', false))
  await postSpans(stack, [...traceOf(100, 'gpt-4o'), ...traceOf(200, 'gpt-4o')])
  await postSpans(stack, traceOf(300, 'gpt-4o'))
  await noLag(stack)
  await postScores(scoresOf(200, 'after'))
  await landed('scores after spans', `evaluator = 'after'`, 5)
  expect(await joined()).toEqual([...rowsOf('after', true), ...rowsOf('before', true)])
})

const EVALUATORS = ['factuality', 'relevance', 'toxicity']
const LABELS = ['', 'pass', 'fail']

const each = <T>(requests: number, make: (number: number) => T) =>
  Array.from({ length: requests }, (_, request) =>
    Array.from({ length: 25 }, (_one, i) => make(request * 25 + i)),
  )

/** Requests of scores over HTTP, 25 each, and of spans that carry scores. */
function makeLoad(seed: number) {
  const random = createRandom([seed, 0, 0])
  const minute = () => NOW_MS - between(random, 0, 5) * 60_000
  const score = (number: number) => ({
    trace_id: hex(32, 1_000 + number),
    evaluator: pick(random, EVALUATORS),
    label: pick(random, LABELS) || 'none',
    score: pick(random, [null, between(random, 0, 1_000) / 1_000]),
    model: pick(random, ['gpt-4o', 'o3']),
    prompt_version: pick(random, ['v1', 'v2']),
    explanation: 'x'.repeat(between(random, 0, 900)),
    time: iso(minute() + number),
  })
  // Long explanations, so that enrich writes the scores of one chunk in several steps.
  const span = (number: number): SpanInput => ({
    traceId: idOf(32, 1_000 + number),
    spanId: idOf(16, 1_000 + number),
    start: NOW,
    end: NOW + 9n,
    attributes: [['gen_ai.request.model', pick(random, ['gpt-4o', 'o3'])]],
    events: Array.from({ length: between(random, 0, 6) }, (_, i) => ({
      name: 'gen_ai.evaluation.result',
      time: BigInt(minute()) * 1_000_000n + BigInt(i),
      attributes: [
        ['gen_ai.evaluation.name', pick(random, EVALUATORS)],
        ['gen_ai.evaluation.score.value', { double: between(random, 0, 1_100) / 1_000 }],
        ['gen_ai.evaluation.explanation', 'y'.repeat(between(random, 1, 14_000))],
      ] as const,
    })),
  })
  return {
    scores: each(120, score).map((list) => Buffer.from(JSON.stringify(list))),
    spans: each(100, span).map((spans) => otlpRequest({ spans })),
  }
}

/** Sends scores until they are accepted. */
async function sendUntilTaken(to: TestStack, body: Buffer, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    const headers = { 'content-type': 'application/json' }
    const response = await post(to, '/v1/evaluations', body, headers).catch(() => undefined)
    await response?.arrayBuffer().catch(() => undefined)
    if (response?.status === 200) return
    if (response !== undefined && ![429, 503].includes(response.status)) {
      throw new Error(`HTTP ${response.status}`)
    }
    await delay(100)
  }
}

const VICTIMS = ['sink', 'ingest', 'sink', 'ingest', 'sink'] as const
const PAUSE_MS = { min: 500, max: 1_500 }
const ENRICH_KILLS = 4

/** Kills enrich as it writes: each time just when scores of a chunk have begun to come. */
async function killAsItWrites(own: TestStack, times: number): Promise<void> {
  const kafka = connectKafka(parseCommonConfig(own.env).kafka, 'test', silent)
  // All records of the topic are still to be read for a group that there is not.
  const written = () => kafka.lag('nobody', evaluations.name)
  for (let i = 0; i < times; i++) {
    const before = await written()
    const endMs = Date.now() + DEADLINE_MS
    // Asked without a pause: what is to be hit lasts for milliseconds.
    while ((await written()) === before) {
      if (Date.now() > endMs) throw new Error(`no scores came before kill ${i}`)
    }
    killIfThere(own.workers.pid('enrich'))
  }
  await kafka.close()
}

test(
  `workers that are killed lose no score and double none (seed ${SEED})`,
  { timeout: 240_000 },
  async () => {
    // One partition and small fetches make many chunks in a row, so that kills fall between many steps.
    const env = {
      SPANMETER_PARTITIONS: '1',
      SPANMETER_SINK_MAX_BATCH_BYTES: '65536',
      SPANMETER_SINK_MIN_BATCH_BYTES: '16384',
    }
    const engines = { brokers: inject('brokers'), clickhouseUrl: inject('clickhouseUrl') }
    const own = await startTestStack({ ...engines, env })
    const random = createRandom([SEED, 1, 0])
    const load = makeLoad(SEED)
    const expected = [...evaluationsOfBodies(load.scores), ...evaluationsOfSpans(load.spans)]
    const giveUp = new AbortController()
    try {
      const killing = killAsItWrites(own, ENRICH_KILLS)
      await sendToTopic(own, load.spans)
      await killing
      const sending = (async () => {
        for (const body of load.scores) await sendUntilTaken(own, body, giveUp.signal)
      })()
      for (const victim of VICTIMS) {
        await delay(between(random, PAUSE_MS.min, PAUSE_MS.max))
        killIfThere(own.workers.pid(victim))
      }
      await sending
      const count = () => countOf(own, '1')
      await until('all scores', 120_000, count, (n) => n >= expected.length)
      await noLag(own)
      expect(await actualEvaluations(own.clickhouse)).toEqual(expectedEvaluations(expected))
      expect(await actualScores(own.clickhouse)).toEqual(expectedScores(expected))
      const scores = expected.flatMap(({ score }) => score ?? [])
      await expectPercentiles(own, scores)
    } finally {
      giveUp.abort()
      await own.stop()
    }
  },
)

/** A worker that was killed a moment ago may not be back yet. */
function killIfThere(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** Percentiles of the rollup are within 1 % of the values next to their ranks. */
async function expectPercentiles({ clickhouse }: TestStack, scores: readonly number[]) {
  const [row] = await clickhouse.query<{ found: readonly number[] }>(
    'SELECT quantilesDDMerge(0.01, 0.05, 0.5, 0.95)(score_nano) AS found FROM scores_by_evaluator_1m',
  )
  const sorted = scores.toSorted((a, b) => a - b)
  for (const [i, level] of [0.05, 0.5, 0.95].entries()) {
    const rank = level * (sorted.length - 1)
    const found = (row?.found[i] ?? Number.NaN) / 1e9
    expect(found).toBeGreaterThanOrEqual((sorted[Math.floor(rank)] ?? 0) * 0.99)
    expect(found).toBeLessThanOrEqual((sorted[Math.ceil(rank)] ?? 0) * 1.01)
  }
}

const alert = (number: number, fields: Partial<Alert>): Alert => ({
  alert_id: `alert-${number}`,
  incident_id: 'incident-1',
  rule: 'latency-p95',
  level: '',
  group: { tenant: 'acme', model: 'gpt-4o' },
  state: 'firing',
  previous_state: 'pending',
  reason: 'condition',
  severity: 'warning',
  notify: true,
  muted_by: '',
  time_unix_nano: NOW + BigInt(number) * 60_000_000_000n,
  firing_since_unix_nano: NOW,
  window_start_unix_nano: NOW - 60_000_000_000n,
  window_end_unix_nano: NOW,
  value: 6.5,
  threshold: 5,
  baseline: null,
  count: 120n,
  unit: 's',
  summary: 'p95 is 6.5 s',
  labels: { team: 'support' },
  annotations: { runbook: 'look' },
  contributors: [{ dimension: 'model', name: 'gpt-4o', value: 6.5 }],
  trace_ids: [hex(32, 1)],
  link: '',
  ...fields,
})

const delivery: AlertDelivery = {
  alert_id: 'alert-1',
  incident_id: 'incident-1',
  rule: 'latency-p95',
  state: 'firing',
  channel: 'oncall',
  channel_type: 'slack',
  dedup_key: 'incident-1/firing',
  outcome: 'delivered',
  attempts: 2,
  status: 200,
  detail: '',
  time_unix_nano: NOW,
  latency_ms: 412n,
}

async function write<T>(to: TestStack, topic: BatchTopic<T>, items: readonly T[]): Promise<void> {
  const kafka = connectKafka(parseCommonConfig(to.env).kafka, 'test', silent)
  const writer = await kafka.openWriter()
  const records = items.map((item, offset) => ({
    partition: 0,
    key: null,
    value: topic.codec.encode([item]),
    headers: { source: `test/0/${offset}/0` },
  }))
  // As a worker does that was killed before it could commit.
  for (let i = 0; i < 2; i++) await writer.write(topic.name, records)
  await writer.close()
  await kafka.close()
}

test('changes of alerts and their deliveries land once, and tell what fires', async () => {
  const early = { firing_since_unix_nano: 0n, incident_id: '', state: 'pending' } as const
  await write(stack, alerts, [
    alert(0, { ...early, previous_state: 'inactive', value: null, threshold: null }),
    alert(1, {}),
    alert(1, { level: '2x', severity: 'critical', alert_id: 'alert-1b' }),
    alert(1, { group: { tenant: 'globex' }, alert_id: 'alert-1c' }),
    // One event time, two changes: the later state in an alert's life holds.
    alert(2, { level: '2x', state: 'resolved', previous_state: 'firing', alert_id: 'alert-2a' }),
    alert(2, { level: '2x', previous_state: 'firing', reason: 'reminder', alert_id: 'alert-2b' }),
    alert(3, { group: { model: 'gpt-4o', tenant: 'acme' }, reason: 'reminder' }),
  ])
  await write(stack, alertDeliveries, [delivery])
  const { clickhouse } = stack
  const range = { from: new Date(NOW_MS), to: new Date(NOW_MS + 3 * 60_000) }
  const changes = () => clickhouse.query<{ state: string }>(readQuery('alerts_between'), range)
  const found = await until('six changes', DEADLINE_MS, changes, (rows) => rows.length >= 6)
  const time = (minutes: number) =>
    `${iso(NOW_MS + minutes * 60_000)
      .replace('T', ' ')
      .slice(0, -1)}000000`
  expect(found.map(({ state }) => state)).toEqual([
    'pending',
    'firing',
    'firing',
    'firing',
    'firing',
    'resolved',
  ])
  expect(found.slice(0, 2)).toEqual([
    {
      rule: 'latency-p95',
      level: '',
      group: { tenant: 'acme', model: 'gpt-4o' },
      state: 'pending',
      severity: 'warning',
      notify: true,
      time: time(0),
      firing_since: null,
      value: null,
      threshold: null,
      unit: 's',
      summary: 'p95 is 6.5 s',
      incident_id: '',
    },
    expect.objectContaining({ state: 'firing', time: time(1), firing_since: time(0), value: 6.5 }),
  ])
  const firing = () =>
    clickhouse.query<{ group: unknown; time: string }>(readQuery('alerts_firing'))
  const both = await until('two that fire', DEADLINE_MS, firing, (rows) => rows.length === 2)
  expect(Object.fromEntries(both.map((row) => [row.time, row.group]))).toEqual({
    [time(1)]: { tenant: 'globex' },
    [time(3)]: { tenant: 'acme', model: 'gpt-4o' },
  })
  const deliveries = () =>
    clickhouse.query(
      `SELECT channel, outcome, attempts, status, latency_ms, toUnixTimestamp64Nano(time) AS nanos
       FROM alert_deliveries`,
    )
  expect(await until('the delivery', DEADLINE_MS, deliveries, (rows) => rows.length > 0)).toEqual([
    {
      channel: 'oncall',
      outcome: 'delivered',
      attempts: 2,
      status: 200,
      latency_ms: '412',
      nanos: String(NOW),
    },
  ])
  const [evidence] = await clickhouse.query(
    `SELECT contributors, trace_ids, labels, annotations, toUInt32(count) AS spans FROM alerts
     WHERE alert_id = 'alert-1'`,
  )
  expect(evidence).toEqual({
    contributors: [{ dimension: 'model', name: 'gpt-4o', value: 6.5 }],
    trace_ids: [hex(32, 1)],
    labels: { team: 'support' },
    annotations: { runbook: 'look' },
    spans: 120,
  })
})
