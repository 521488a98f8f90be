import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { Client, credentials } from '@grpc/grpc-js'
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { openTopicSender } from '../../services/cli/topic-sender.ts'
import { parseCommonConfig } from '../../services/runtime/config.ts'
import { connectKafka } from '../../services/runtime/kafka.ts'
import { decodeResponse, sampleSpan } from '../ingest/otlp-samples.ts'
import { expectedSpans } from '../support/expected.ts'
import { otlpRequest } from '../support/otlp-proto.ts'
import { sampleRequests } from '../support/sample.ts'
import { countSpans, silent, startTestStack, type TestStack, until } from '../support/stack.ts'
import { actualRollup, expectedRollup, rollups } from './rollups.ts'

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

// Older spans would be past their retention at once.
const START_S = Math.floor(Date.now() / 1_000) - 60
const START = BigInt(START_S) * 1_000_000_000n
const LANDING_DEADLINE_MS = 30_000
const PROTOBUF = { 'content-type': 'application/x-protobuf' }
const JSON_TYPE = { 'content-type': 'application/json' }

function post(body: Uint8Array, headers: Record<string, string>): Promise<Response> {
  return fetch(`http://127.0.0.1:${stack.httpPort}/v1/traces`, {
    method: 'POST',
    headers,
    body: new Uint8Array(body),
  })
}

async function postOk(body: Uint8Array, headers: Record<string, string>): Promise<void> {
  const response = await post(body, headers)
  expect([response.status, await response.text()]).toEqual([
    200,
    expect.not.stringContaining('rejected'),
  ])
}

const same = (bytes: Buffer) => bytes

function callGrpc(body: Buffer): Promise<Buffer> {
  const client = new Client(`127.0.0.1:${stack.grpcPort}`, credentials.createInsecure())
  return new Promise((resolve, reject) => {
    const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
    client.makeUnaryRequest(path, same, same, body, (error, answer) => {
      client.close()
      if (error === null && answer !== undefined) resolve(answer)
      else reject(error ?? new Error('no answer'))
    })
  })
}

async function sendToTopic(body: Buffer): Promise<void> {
  const sender = await openTopicSender(parseCommonConfig(stack.env), silent)
  await sender.send([body])
  await sender.close()
}

const WAYS = [
  'http protobuf',
  'http json',
  'http gzip',
  'grpc',
  'topic protobuf',
  'topic json',
] as const

/** 1,000 spans of every shape; `way` is the first digit of their trace ids, so that requests differ. */
function thousandSpans(way: number): ReadableSpan[] {
  return Array.from({ length: 1_000 }, (_, i) => {
    const traceId = way.toString(16) + (i + 1).toString(16).padStart(31, '0')
    const span = sampleSpan({
      'gen_ai.operation.name': i % 3 === 0 ? 'chat' : 'execute_tool',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o',
      'gen_ai.usage.input_tokens': 100 + i,
      'gen_ai.usage.output_tokens': i,
      'gen_ai.request.temperature': i / 7,
      'gen_ai.request.stream': i % 2 === 0,
      'gen_ai.input.messages': `[{"role":"user","parts":[{"type":"text","content":"no ${i} – ünïcode"}]}]`,
      'tenant.id': `tenant-${i % 5}`,
      list: ['a', `b${i}`],
      number: -i,
      ratio: i / 3,
      flag: i % 2 === 1,
    })
    return {
      ...span,
      startTime: [START_S, 123_456_789],
      endTime: [START_S + 1, i],
      spanContext: () => ({
        traceId,
        spanId: (i + 1).toString(16).padStart(16, '0'),
        traceFlags: 1,
      }),
    }
  })
}

async function send(way: number): Promise<void> {
  const spans = thousandSpans(way)
  const proto = Buffer.from(ProtobufTraceSerializer.serializeRequest(spans) ?? [])
  const json = Buffer.from(JsonTraceSerializer.serializeRequest(spans) ?? [])
  if (way === 0) await postOk(proto, PROTOBUF)
  else if (way === 1) await postOk(json, JSON_TYPE)
  else if (way === 2) await postOk(gzipSync(proto), { ...PROTOBUF, 'content-encoding': 'gzip' })
  else if (way === 3) await callGrpc(proto)
  else await sendToTopic(way === 4 ? proto : json)
}

test('the same 1,000 spans give the same rows in whichever way they come', async () => {
  for (const way of WAYS.keys()) await send(way)
  await until(
    '6,000 spans land',
    LANDING_DEADLINE_MS,
    () => countSpans(stack),
    (n) => n >= 6_000,
  )
  const columns = '* EXCEPT (trace_id, received_time, landed_time), substring(trace_id, 2)'
  const rows = await stack.clickhouse.query<{ way: string; spans: string; hash: string }>(
    `SELECT substring(trace_id, 1, 1) AS way, count() AS spans,
       groupBitXor(cityHash64(toJSONString(tuple(${columns})))) AS hash
     FROM spans GROUP BY way ORDER BY way`,
  )
  expect(rows.map(({ way, spans }) => [WAYS[Number(way)], spans])).toEqual(
    WAYS.map((way) => [way, '1000']),
  )
  expect(new Set(rows.map(({ hash }) => hash)).size).toBe(1)
  // An insert's spans can be seen a moment before its content.
  const content = await until(
    'content lands',
    LANDING_DEADLINE_MS,
    () =>
      stack.clickhouse.query<{ spans: string; hash: string }>(
        `SELECT count() AS spans,
           groupBitXor(cityHash64(span_id, prompt, completion, toJSONString(content))) AS hash
         FROM span_content GROUP BY substring(trace_id, 1, 1)`,
      ),
    (groups) =>
      groups.length === WAYS.length && new Set(groups.map(({ spans }) => spans)).size === 1,
  )
  expect(new Set(content.map(({ hash }) => hash)).size).toBe(1)
})

test('of 100 spans with 3 bad ones 97 become rows and 3 dead letters with reasons', async () => {
  const before = await countSpans(stack)
  const bad = new Map([
    [10, { traceId: Buffer.alloc(16) }],
    [50, { spanId: Buffer.from('abc') }],
    [99, { end: START - 1n }],
  ])
  const spans = Array.from({ length: 100 }, (_, i) => ({
    traceId: Buffer.from(`b${i.toString(16).padStart(31, '0')}`, 'hex'),
    name: `span ${i}`,
    start: START,
    end: START + 5n,
    ...bad.get(i),
  }))
  const response = await post(otlpRequest({ spans }), PROTOBUF)
  expect(response.status).toBe(200)
  const answer = Buffer.from(await response.arrayBuffer())
  expect(decodeResponse(answer)).toEqual({
    partialSuccess: {
      rejectedSpans: 3,
      errorMessage: expect.stringContaining('trace_id must be 16 bytes'),
    },
  })
  await until(
    '97 spans land',
    LANDING_DEADLINE_MS,
    () => countSpans(stack),
    (n) => n >= before + 97,
  )
  const letters = () =>
    stack.clickhouse.query<{ index: number; reason: string; bytes: string }>(
      'SELECT index, reason, length(payload) AS bytes FROM dead_letters ORDER BY index',
    )
  const found = await until(
    '3 dead letters land',
    LANDING_DEADLINE_MS,
    letters,
    (rows) => rows.length >= 3,
  )
  expect(await countSpans(stack)).toBe(before + 97)
  expect(found.map(({ index, reason }) => [index, reason])).toEqual([
    [10, 'invalid_trace_id'],
    [50, 'invalid_span_id'],
    [99, 'invalid_time'],
  ])
  expect(found.every(({ bytes }) => Number(bytes) > 0)).toBe(true)
})

const GOOD = otlpRequest({ spans: [{ name: 'after the garbage', start: START, end: START }] })
const GARBAGE: readonly [string, Uint8Array, Record<string, string>, number][] = [
  ['random bytes', Buffer.from('ffeeddccbbaa99887766', 'hex'), PROTOBUF, 400],
  ['truncated protobuf', GOOD.subarray(0, GOOD.length - 5), PROTOBUF, 400],
  ['protobuf as JSON', GOOD, JSON_TYPE, 400],
  ['JSON with wrong types', Buffer.from('{"resourceSpans":{"a":1}}'), JSON_TYPE, 400],
  ['another content type', GOOD, { 'content-type': 'text/plain' }, 415],
  ['gzip that is none', GOOD, { ...PROTOBUF, 'content-encoding': 'gzip' }, 400],
  [
    'a gzip bomb',
    gzipSync(Buffer.alloc(65 * 1024 * 1024)),
    { ...PROTOBUF, 'content-encoding': 'gzip' },
    413,
  ],
]

test('garbage gets the right status, and the worker lives', async () => {
  const pid = stack.workers.pid('ingest')
  for (const [what, body, headers, status] of GARBAGE) {
    expect([what, (await post(body, headers)).status]).toEqual([what, status])
  }
  await sendToTopic(Buffer.from('ffeeddccbbaa', 'hex'))
  const letters = () =>
    stack.clickhouse.query<{ payload: string }>(
      `SELECT hex(payload) AS payload FROM dead_letters WHERE reason = 'malformed'`,
    )
  const found = await until(
    'the letter lands',
    LANDING_DEADLINE_MS,
    letters,
    (rows) => rows.length > 0,
  )
  expect(found).toEqual([{ payload: 'FFEEDDCCBBAA' }])
  const before = await countSpans(stack)
  await postOk(GOOD, PROTOBUF)
  await until(
    'the good one lands',
    LANDING_DEADLINE_MS,
    () => countSpans(stack),
    (n) => n > before,
  )
  expect(stack.workers.pid('ingest')).toBe(pid)
})

const namedRequest = (name: string) =>
  otlpRequest({
    spans: [{ traceId: Buffer.from(`c${'1'.repeat(31)}`, 'hex'), name, start: START, end: START }],
  })

test('a request that a client sends again counts once', async () => {
  const before = await countSpans(stack)
  for (let i = 0; i < 3; i++) await postOk(namedRequest('again'), PROTOBUF)
  await postOk(gzipSync(namedRequest('again')), { ...PROTOBUF, 'content-encoding': 'gzip' })
  await postOk(namedRequest('another'), PROTOBUF)
  await until(
    'both land',
    LANDING_DEADLINE_MS,
    () => countSpans(stack),
    (n) => n >= before + 2,
  )
  await noLag(stack)
  expect(await countSpans(stack)).toBe(before + 2)
})

/** Waits until every group has read its topic to the end. */
async function noLag({ env }: TestStack): Promise<void> {
  const kafka = connectKafka(parseCommonConfig(env).kafka, 'test', silent)
  const groups = [
    ['ingest', 'otlp_spans'],
    ['enrich', 'spans'],
    ['sink', 'spans.enriched'],
  ] as const
  const lags = () => Promise.all(groups.map(([group, topic]) => kafka.lag(group, topic)))
  await until('no lag', LANDING_DEADLINE_MS, lags, (all) => all.every((lag) => lag === 0n))
  await kafka.close()
}

test('a second copy of a worker takes over half of the partitions, and nothing is counted twice', async () => {
  const own = await startTestStack({
    brokers: inject('brokers'),
    clickhouseUrl: inject('clickhouseUrl'),
  })
  const assigned: (readonly number[])[] = []
  const main = fileURLToPath(new URL('../../services/enrich/main.ts', import.meta.url))
  const second = fork(main, [], { env: { ...own.env }, stdio: ['ignore', 'pipe', 'ignore', 'ipc'] })
  second.stdout?.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n').filter((each) => each.includes('Partitions assigned'))) {
      const entry: { partitions: readonly number[] } = JSON.parse(line)
      assigned.push(entry.partitions)
    }
  })
  const bodies = sampleRequests({ rows: 1_500, seed: 3 })
  const expected = expectedSpans(bodies)
  const sender = await openTopicSender(parseCommonConfig(own.env), silent)
  try {
    for (const body of bodies.slice(0, bodies.length / 2)) await sender.send([body])
    await until(
      'half of the partitions',
      30_000,
      () => Promise.resolve(assigned.at(-1)),
      (last) => last?.length === 2,
    )
    for (const body of bodies.slice(bodies.length / 2)) await sender.send([body])
    await until(
      'spans land',
      60_000,
      () => countSpans(own),
      (n) => n >= expected.length,
    )
    for (const rollup of rollups) {
      const actual = await actualRollup(own.clickhouse, rollup)
      expect.soft(actual, rollup.table).toEqual(expectedRollup(rollup, expected))
    }
  } finally {
    await sender.close()
    const ended = new Promise((resolve) => second.once('exit', resolve))
    second.kill('SIGTERM')
    await ended
    await own.stop()
  }
})
