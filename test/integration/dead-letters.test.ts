import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { connectKafka } from '#runtime/kafka.ts'
import { parseCommonConfig } from '#runtime/config.ts'
import { otlpSpans } from '#schemas/topics.ts'
import { startWorkers, type Workers } from '../../services/cli/workers.ts'
import { otlpRequest, type SpanInput } from '../support/otlp-proto.ts'
import { silent, startTestStack, type TestStack, until } from '../support/stack.ts'
import { type Ended, type Run, startNode } from './reprice-runs.ts'

/**
 * Goal: what was refused is sent again once it is mended, and each span and score then counts once,
 * however often, and by however many, it is sent. Method: spans that ingest refuses by a limit, bad
 * requests and bad scores go through the pipeline; then the command runs as a process, again, twice at
 * once, and killed at random moments.
 */

const CLI = fileURLToPath(new URL('../../services/cli/main.ts', import.meta.url))
const DEADLINE_MS = 60_000
const SPANS = 600
const START = BigInt(Date.now() - 3_600_000) * 1_000_000n

let stack: TestStack
let folder: string
let later: Workers | undefined

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanmeter-letters-'))
  stack = await startTestStack({
    brokers: inject('brokers'),
    clickhouseUrl: inject('clickhouseUrl'),
    env: { SPANMETER_OTLP_MAX_ATTRIBUTES: '5', SPANMETER_SINK_MAX_WAIT_MS: '50' },
  })
})

afterAll(async () => {
  await later?.stop()
  await stack?.stop()
  await rm(folder, { recursive: true, force: true })
})

const id = (bytes: number, n: number) =>
  Buffer.from((n + 1).toString(16).padStart(bytes * 2, '0'), 'hex')

/** A span with more attributes than the limit that the pipeline starts with. */
const wide = (n: number): SpanInput => ({
  traceId: id(16, n),
  spanId: id(8, n),
  start: START,
  end: START + 1_000_000n,
  attributes: Array.from({ length: 6 }, (_, i) => [`key.${i}`, `value ${n}`] as const),
})

async function post(path: string, type: string, body: string | Buffer): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${stack.httpPort}${path}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  })
  expect(response.status).toBe(200)
  return response.json().catch(() => undefined)
}

async function toTopic(value: Buffer): Promise<void> {
  const kafka = connectKafka(parseCommonConfig(stack.env).kafka, 'test', silent)
  const writer = await kafka.openWriter()
  await writer.write(otlpSpans.name, [{ partition: 0, key: null, value, headers: {} }])
  await writer.close()
  await kafka.close()
}

const headSchema = z.object({
  id: z.string(),
  source: z.string(),
  index: z.number(),
  reason: z.string(),
  format: z.string(),
})
const listSchema = z.object({
  groups: z.array(z.object({ reason: z.string(), letters: z.number() })),
  letters: z.array(headSchema),
})
const sentSchema = z.object({
  sent: z.number(),
  before: z.number(),
  problems: z.array(z.string()),
})

const start = (...args: readonly string[]): Run =>
  startNode(stack.env, [CLI, 'dead-letters', ...args])

async function run(...args: readonly string[]): Promise<string> {
  const ended: Ended = await start(...args).ended
  if (ended.code !== 0)
    throw new Error(`${args.join(' ')} ended with ${ended.code}: ${ended.stderr}`)
  return ended.stdout
}

const send = async (...args: readonly string[]) =>
  sentSchema.parse(JSON.parse(await run('send', ...args, '--json')))
const list = async (...args: readonly string[]) =>
  listSchema.parse(JSON.parse(await run('list', ...args, '--json')))

async function letterOf(reason: string): Promise<z.output<typeof headSchema>> {
  const [letter, ...more] = (await list('--reason', reason)).letters
  expect(more).toEqual([])
  if (letter === undefined) throw new Error(`no letter of ${reason}`)
  return letter
}

const countRows = async (sql: string) => {
  const [row] = await stack.clickhouse.query<{ n: string }>(sql)
  return Number(row?.n ?? 0)
}
const letters = () => countRows('SELECT uniqExact(id) AS n FROM dead_letters')

/** The names of spans, each as often as it landed. */
async function landed(): Promise<readonly string[]> {
  const rows = await stack.clickhouse.query<{ line: string }>(
    `SELECT concat(lower(span_id), ' ', service, ' ', tenant) AS line FROM spans ORDER BY line`,
  )
  return rows.map(({ line }) => line)
}

const wideLines = Array.from(
  { length: SPANS },
  (_, n) => `${id(8, n).toString('hex')} shop acme`,
).sort()

/** All of otlp_spans, and what became of it, has landed. */
async function untilLanded(): Promise<void> {
  const kafka = connectKafka(parseCommonConfig(stack.env).kafka, 'test', silent)
  const groups = [
    ['ingest', 'otlp_spans'],
    ['enrich', 'spans'],
    ['sink', 'spans.enriched'],
    ['sink-evaluations', 'evaluations'],
    ['sink-dead-letters', 'dead-letters'],
  ] as const
  const lags = async () => {
    const all: bigint[] = []
    for (const [group, topic] of groups) all.push(await kafka.lag(group, topic))
    return all.every((lag) => lag === 0n)
  }
  await until('all has landed', DEADLINE_MS, lags, (done) => done)
  await kafka.close()
}

test('list tells what was refused, by cause, and each letter by a name', async () => {
  const resource = [
    ['service.name', 'shop'],
    ['tenant.id', 'acme'],
  ] as const
  for (let n = 0; n < SPANS; n += 50) {
    const spans = Array.from({ length: 50 }, (_, i) => wide(n + i))
    await post('/v1/traces', 'application/x-protobuf', otlpRequest({ resource, spans }))
  }
  const good = {
    traceId: 'a'.repeat(32),
    startTimeUnixNano: `${START}`,
    endTimeUnixNano: `${START}`,
  }
  const bad = { ...good, spanId: 'not hex', name: 'mended' }
  await post(
    '/v1/traces',
    'application/json',
    JSON.stringify({
      resourceSpans: [
        {
          resource: {
            attributes: [{ key: 'service.name', value: { stringValue: 'till' } }],
          },
          scopeSpans: [{ scope: { name: 'lib' }, spans: [bad] }],
        },
      ],
    }),
  )
  await post(
    '/v1/evaluations',
    'application/json',
    JSON.stringify([
      { trace_id: 'b'.repeat(32), evaluator: 'judge', score: 0.5 },
      { trace_id: 'b'.repeat(32), evaluator: 'judge', score: 7, label: 'bad' },
    ]),
  )
  await toTopic(Buffer.from('{"resourceSpans":'))
  await until('letters land', DEADLINE_MS, letters, (n) => n >= SPANS + 3)
  const { groups, letters: heads } = await list('--limit', '1000')
  expect(Object.fromEntries(groups.map((group) => [group.reason, group.letters]))).toEqual({
    too_many_attributes: SPANS,
    invalid_span_id: 1,
    invalid_evaluation: 1,
    malformed: 1,
  })
  expect(new Set(heads.map((head) => head.id)).size).toBe(SPANS + 3)
  const text = await run('list')
  expect(text).toContain('too_many_attributes')
  expect(text).toContain('older ones')
})

test('show tells all of a letter, its span with its resource', async () => {
  const [letter] = (await list('--reason', 'too_many_attributes', '--limit', '1')).letters
  const text = await run('show', letter?.id ?? '')
  expect(text).toContain('"stringValue": "shop"')
  expect(text).toContain('SPANMETER_OTLP_MAX_ATTRIBUTES')
  const unknown = await start('show', 'ffff').ended
  expect([unknown.code, unknown.stderr]).toEqual([
    1,
    expect.stringContaining('no dead letter ffff'),
  ])
})

test('a letter that is mended and sent lands once, however often it is sent', async () => {
  const letter = await letterOf('invalid_span_id')
  const file = join(folder, 'letter.json')
  await run('export', letter.id, file)
  await writeFile(file, (await readFile(file, 'utf8')).replace('not hex', 'cd'.repeat(8)))
  expect(await send(letter.id, '--file', file)).toEqual({
    dry_run: undefined,
    sent: 1,
    before: 0,
    problems: [],
  })
  expect(await send(letter.id, '--file', file)).toMatchObject({ sent: 0, before: 1 })
  expect(await send(letter.id)).toMatchObject({ sent: 0, before: 1 })
  await untilLanded()
  expect(await landed()).toEqual([`${'cd'.repeat(8)} till `])
})

test('a score that is mended goes the same way', async () => {
  const letter = await letterOf('invalid_evaluation')
  const file = join(folder, 'score.json')
  await run('export', letter.id, file)
  await writeFile(file, (await readFile(file, 'utf8')).replace('7', '0.7'))
  expect(await send(letter.id, '--file', file)).toMatchObject({ sent: 1 })
  expect(await send(letter.id, '--file', file)).toMatchObject({ before: 1 })
  await untilLanded()
  expect(await countRows(`SELECT count() AS n FROM evaluations WHERE label = 'bad'`)).toBe(1)
  expect(await countRows(`SELECT sum(evaluations) AS n FROM scores_by_evaluator_1m`)).toBe(2)
})

test('what is sent unmended is refused again, as a letter of its own', async () => {
  const before = await letters()
  const letter = await letterOf('malformed')
  expect(await send(letter.id)).toMatchObject({ sent: 1 })
  await until('it comes back', DEADLINE_MS, letters, (n) => n === before + 1)
  const { letters: both } = await list('--reason', 'malformed')
  expect(both.map(({ source }) => source)).toEqual(['otlp_spans', 'otlp_spans'])
})

test('all of a cause is sent once, by two at once that are killed again and again', async () => {
  await stack.workers.stop()
  later = await startWorkers({
    env: { ...stack.env, SPANMETER_OTLP_MAX_ATTRIBUTES: '1000' },
    names: ['ingest', 'enrich', 'sink'],
    logDir: stack.logDir,
    readyDeadlineMs: DEADLINE_MS,
    restart: { firstMs: 100, maxMs: 500 },
    onProgress: () => undefined,
  })
  const choice = ['--reason', 'too_many_attributes']
  expect(await send(...choice, '--dry-run')).toMatchObject({ sent: SPANS, before: 0 })
  // A run takes about two seconds: these end at the start, while asking, and while sending.
  for (const killAfterMs of [700, 1_100, 1_500, 1_900, 2_400]) {
    const runs = [start('send', ...choice), start('send', ...choice)]
    await delay(killAfterMs)
    for (const { child } of runs) child.kill('SIGKILL')
    await Promise.all(runs.map(({ ended }) => ended))
  }
  await Promise.all([send(...choice), send(...choice)])
  expect(await send(...choice)).toMatchObject({ sent: 0, before: SPANS })
  await untilLanded()
  const all = await landed()
  expect(all.filter((line) => line.endsWith(' shop acme'))).toEqual(wideLines)
  expect(await countRows('SELECT sum(requests) AS n FROM requests_by_model_1m')).toBe(SPANS + 1)
})
