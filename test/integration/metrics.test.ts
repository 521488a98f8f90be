import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { parseCommonConfig } from '#runtime/config.ts'
import { connectKafka, type Kafka } from '#runtime/kafka.ts'
import { readers } from '#schemas/readers.ts'
import { startWorkers, type Workers } from '../../services/cli/workers.ts'
import { findFreePorts } from '../../services/embedded/ports.ts'
import { hasPromtool } from '../alert/oracle/promtool.ts'
import { type PageFamily, parseExposition, sampleKey } from '../support/exposition.ts'
import { expectedSpans } from '../support/expected.ts'
import { type Attributes, otlpRequest } from '../support/otlp-proto.ts'
import { sampleRequests } from '../support/sample.ts'
import { countSpans, silent, startTestStack, type TestStack, until } from '../support/stack.ts'
import { sharesOf } from './alert-runs.ts'
import { addUp, type Samples, sumsOfPage, sumsOfRows } from './metric-sums.ts'
import { hasPrometheus, type Prometheus, startPrometheus } from './prometheus.ts'

/**
 * Goal: what the alert workers' pages say of calls and scores is what ClickHouse has of them, to the
 * last pico-USD, and Prometheus reads it so. Method: the sample workload and calls of the test's own go
 * through the real stack, some of them twice; two workers share the partitions from half way on.
 */

const SEED = Number(process.env['SPANMETER_TEST_SEED'] ?? 1)
const DEADLINE_MS = 60_000
const START = BigInt(Date.now() - 600_000) * 1_000_000n

let stack: TestStack
let second: Workers
let secondLogs: string
let ports: readonly number[]
let kafka: Kafka

const env = (port: number) => ({
  SPANMETER_ALERT_METRICS_PORT: String(port),
  SPANMETER_METRICS_LABELS: 'tenant',
})

beforeAll(async () => {
  ports = await findFreePorts(2)
  stack = await startTestStack({
    brokers: inject('brokers'),
    clickhouseUrl: inject('clickhouseUrl'),
    workers: ['ingest', 'enrich', 'sink', 'alert'],
    env: env(ports[0] ?? 0),
  })
  kafka = connectKafka(parseCommonConfig(stack.env).kafka, 'test', silent)
})

afterAll(async () => {
  await second?.stop()
  await kafka?.close()
  await stack?.stop()
  if (secondLogs !== undefined) await rm(secondLogs, { recursive: true, force: true })
})

async function post(path: string, type: string, body: Buffer): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${stack.httpPort}${path}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: new Uint8Array(body),
  })
  expect([path, response.status]).toEqual([path, 200])
}
const postSpans = (body: Buffer) => post('/v1/traces', 'application/x-protobuf', body)

const id = (bytes: number, number: number) =>
  Buffer.from(number.toString(16).padStart(bytes * 2, '0'), 'hex')

/** What the sample does not have: models without a price, cached and written tokens, odd labels, an agent. */
const OWN: readonly Attributes[] = [
  [
    ['gen_ai.operation.name', 'chat'],
    ['gen_ai.request.model', 'nobody "knows"\nits \\ price'],
    ['gen_ai.usage.input_tokens', 7],
    ['tenant.id', 'größer'],
  ],
  [
    ['gen_ai.operation.name', 'chat'],
    ['gen_ai.provider.name', 'anthropic'],
    ['gen_ai.request.model', 'claude-sonnet-4-5'],
    ['gen_ai.usage.input_tokens', 40_000],
    ['gen_ai.usage.output_tokens', 4_096],
    ['gen_ai.usage.cache_read.input_tokens', 10_000],
    ['gen_ai.usage.cache_creation.input_tokens', 5_000],
    ['gen_ai.usage.reasoning.output_tokens', 1_000],
    ['gen_ai.response.time_to_first_chunk', { double: 0.25 }],
  ],
  [
    ['gen_ai.operation.name', 'invoke_agent'],
    ['gen_ai.usage.input_tokens', 40_000],
  ],
]
const ownRequest = (number: number) =>
  otlpRequest({
    spans: OWN.map((attributes, index) => ({
      traceId: id(16, number),
      spanId: id(8, number * 10 + index),
      start: START,
      end: START + BigInt(5_120_000_000 + index),
      attributes,
    })),
  })

const scores = (from: number) => ({
  evaluations: Array.from({ length: 40 }, (_, i) => ({
    trace_id: id(16, from + i).toString('hex'),
    evaluator: 'judge',
    dimension: i % 2 === 0 ? 'factuality' : 'relevance',
    model: i % 3 === 0 ? 'gpt-4o' : 'claude-sonnet-4-5',
    use_case: i % 5 === 0 ? 'critical' : '',
    tenant: 'acme',
    score: (i % 21) / 20,
  })),
})

let sentSpans = 0

/** Sends a half of everything, each request twice. */
async function send(half: 0 | 1): Promise<void> {
  const sample = sampleRequests({ rows: 600, seed: SEED }).filter((_, i) => i % 2 === half)
  const own = Array.from({ length: 10 }, (_, i) => ownRequest(1 + half * 100 + i))
  sentSpans += expectedSpans([...sample, ...own]).length
  for (const body of [...sample, ...own]) {
    await postSpans(body)
    await postSpans(body)
  }
  const body = Buffer.from(JSON.stringify(scores(1_000 + half * 100)))
  await post('/v1/evaluations', 'application/json', body)
  await post('/v1/evaluations', 'application/json', body)
}

async function pageOf(port: number): Promise<readonly PageFamily[]> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`)
  return parseExposition(await response.text())
}

/** Waits until nothing is left to read before the pages and before ClickHouse, in the order of the flow. */
async function noLag(): Promise<void> {
  const { enrich, sink, sinkEvaluations, aggregateSpans, aggregateEvaluations } = readers
  for (const reader of [enrich, sink, sinkEvaluations, aggregateSpans, aggregateEvaluations]) {
    const lag = () => kafka.lag(reader.group, reader.topic)
    await until(`no lag of ${reader.group}`, DEADLINE_MS, lag, (left) => left === 0n)
  }
}

/** Sums over the pages of workers, once all has been read and they are what ClickHouse has. */
async function agreed(workers: readonly number[]): Promise<Samples> {
  await noLag()
  expect(await countSpans(stack)).toBe(sentSpans)
  const compare = async () => {
    const pages = await Promise.all(workers.map(pageOf))
    const told = addUp(pages.map(sumsOfPage))
    return { told, wrong: differences(told, addUp([await sumsOfRows(stack.clickhouse, pages)])) }
  }
  const { told } = await until('the sums agree', DEADLINE_MS, compare, ({ wrong }) => wrong === '')
  return told
}

/** The first samples that differ, as text. */
function differences(told: Samples, expected: Samples): string {
  const keys = new Set([...told.keys(), ...expected.keys()])
  return [...keys]
    .filter((key) => told.get(key) !== expected.get(key))
    .slice(0, 10)
    .map((key) => `${key}: ${told.get(key)}, not ${expected.get(key)}`)
    .join('; ')
}

const familyOf = (key: string) => key.replace(/(?:_bucket|_sum|_count)? .*/s, '')

test('A worker tells what ClickHouse has, each call once, of every kind', async () => {
  await send(0)
  const told = await agreed(ports.slice(0, 1))
  expect([...new Set([...told.keys()].map(familyOf))].toSorted()).toEqual([
    'gen_ai_client_operation_duration_seconds',
    'gen_ai_client_operation_time_to_first_chunk_seconds',
    'gen_ai_client_token_usage',
    'gen_ai_server_time_per_output_token_seconds',
    'gen_ai_server_time_to_first_token_seconds',
    'llm_cost_usd_total',
    'llm_errors_total',
    'llm_quality_score',
    'llm_request_duration_seconds',
    'llm_requests_total',
    'llm_tokens_total',
    'llm_ttft_seconds',
    'llm_unpriced_requests_total',
  ])
  const claude = { model: 'claude-sonnet-4-5', provider: 'anthropic', operation: 'chat' }
  const written = { name: 'llm_tokens_total', labels: { ...claude, type: 'cache_write' } }
  expect(told.get(sampleKey(written))).toBe('50000')
})

test('The rollups have the same tokens and the same cost', async () => {
  const told = sumsOfPage(await pageOf(ports[0] ?? 0))
  const total = (name: string, mark: string) => {
    const values = [...told].filter(([key]) => key.startsWith(`${name} `) && key.includes(mark))
    return addUp(values.map(([, value]) => new Map([['', value]]))).get('')
  }
  const [row] = await stack.clickhouse.query<Readonly<Record<string, string>>>(
    `SELECT toString(sum(cost_usd)) AS usd, toString(sum(input_tokens)) AS input,
       toString(sum(output_tokens)) AS output, toString(sum(unpriced)) AS unpriced
     FROM requests_by_model_1m`,
  )
  expect({
    usd: total('llm_cost_usd_total', ''),
    input: total('llm_tokens_total', '"input"'),
    output: total('llm_tokens_total', '"output"'),
    unpriced: total('llm_unpriced_requests_total', ''),
  }).toEqual(row)
})

test('The page is clean for promtool', async (context) => {
  if (!hasPromtool()) context.skip('promtool of the Debian package prometheus is not installed')
  const input = await (await fetch(`http://127.0.0.1:${ports[0]}/metrics`)).text()
  const { stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], {
    input,
    encoding: 'utf8',
  })
  const complaints = `${stdout}${stderr}`.split('\n').filter((line) => line !== '')
  expect([error, complaints]).toEqual([undefined, []])
})

test('Every metric of the page stands in docs/metrics.md', async () => {
  const docs = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
  const page = await pageOf(ports[0] ?? 0)
  const names = page
    .map(({ name }) => name)
    .filter((name) => !/^spanmeter_(?:nodejs|process)_/.test(name))
  expect(names.length).toBeGreaterThan(20)
  expect(names.filter((name) => !docs.includes(`\`${name}\``))).toEqual([])
})

test('Two workers tell of their shares, which add up', async () => {
  secondLogs = await mkdtemp(join(tmpdir(), 'spanmeter-second-'))
  second = await startWorkers({
    env: { ...stack.env, ...env(ports[1] ?? 0) },
    names: ['alert'],
    logDir: secondLogs,
    readyDeadlineMs: 60_000,
    onProgress: () => undefined,
  })
  const shares = async () => [await sharesOf(stack.logDir), await sharesOf(secondLogs)]
  await until('both have partitions', DEADLINE_MS, shares, (all) =>
    all.every(({ length }) => length === 2),
  )
  await send(1)
  const told = await agreed(ports)
  const alone = sumsOfPage(await pageOf(ports[1] ?? 0))
  expect(alone.size).toBeGreaterThan(0)
  expect(alone).not.toEqual(told)
})

/** What Prometheus sums up over workers; a sum drops the name of what it is of. */
async function scrapedSums(
  prometheus: Prometheus,
  told: Samples,
): Promise<ReadonlyMap<string, number>> {
  const sums = new Map<string, number>()
  for (const name of new Set([...told.keys()].map((key) => key.split(' ')[0] ?? ''))) {
    const samples = await prometheus.query(`sum without (job, instance) (${name})`)
    for (const { labels, value } of samples) sums.set(sampleKey({ name, labels }), Number(value))
  }
  return sums
}

test('Prometheus reads the same of the two', async (context) => {
  if (!hasPrometheus()) context.skip('prometheus of the Debian package prometheus is not installed')
  const told = await agreed(ports)
  const prometheus = await startPrometheus(ports)
  try {
    const up = () => prometheus.query('count(up == 1)')
    await until('both are scraped', DEADLINE_MS, up, ([count]) => count?.value === '2')
    const scraped = await scrapedSums(prometheus, told)
    expect([...scraped.keys()].toSorted()).toEqual([...told.keys()].toSorted())
    // Two doubles were added up.
    const wrong = [...told].filter(
      ([key, value]) => Math.abs((scraped.get(key) ?? 0) - Number(value)) > Number(value) * 1e-15,
    )
    expect(wrong).toEqual([])
    const [p95] = await prometheus.query(
      'histogram_quantile(0.95, sum by (le) (llm_request_duration_seconds_bucket))',
    )
    expect(Number(p95?.value)).toBeGreaterThan(0.01)
  } finally {
    await prometheus.stop()
  }
})

/** Figures that have landed. */
async function seen(): Promise<ReadonlySet<string>> {
  const rows = await stack.clickhouse.query<{ name: string }>(
    `SELECT DISTINCT concat(observation, ' ', \`group\`, ' ', topic) AS name FROM observations`,
  )
  return new Set(rows.map(({ name }) => name))
}

test('What is observed of the pipeline lands', async () => {
  const wanted = [
    ...Object.values(readers).map(({ group, topic }) => `lag ${group} ${topic}`),
    'watermark_lag  spans',
    'groups_overflow  ',
  ]
  const isThere = (names: ReadonlySet<string>) => wanted.every((name) => names.has(name))
  const names = await until('all land', DEADLINE_MS, seen, isThere)
  expect([...names]).toEqual(expect.arrayContaining(wanted))
})
