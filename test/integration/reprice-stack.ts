import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject } from 'vitest'
import type { Env } from '#runtime/config.ts'
import { expectedSpans } from '../support/expected.ts'
import { otlpRequest, type SpanInput } from '../support/otlp-proto.ts'
import { countSpans, startTestStack, type TestStack, until } from '../support/stack.ts'
import type { EnrichedSpan } from './enriched-spans.ts'
import { actualRollups, expectedRollups } from './rollups.ts'

/** A model that no list knows. */
export const PRIVATE = 'acme-llm-7b'
const DAY_MS = 86_400_000
export const TODAY_MS = Math.floor(Date.now() / DAY_MS) * DAY_MS
/** Noon of the day before yesterday: calls reach over a midnight. */
export const FIRST_MS = TODAY_MS - 1.5 * DAY_MS
const SPREAD_MS = DAY_MS
export const RANGE = ['--from', iso(TODAY_MS - 3 * DAY_MS), '--to', iso(TODAY_MS)]

export function iso(timeMs: number): string {
  return new Date(timeMs).toISOString()
}

const MODELS = [
  ['acme', PRIVATE],
  ['openai', 'gpt-4o'],
  ['acme', PRIVATE],
  ['openai', 'gpt-4o-mini'],
] as const

export function id(digits: number, value: number): Buffer {
  return Buffer.from((value + 1).toString(16).padStart(digits, '0'), 'hex')
}

/** Call number i of n: three to a trace, of four tenants. */
function callSpan(i: number, n: number): SpanInput {
  const [provider, model] = MODELS[i % MODELS.length] ?? MODELS[0]
  const start = BigInt(Math.floor(FIRST_MS + (i * SPREAD_MS) / n)) * 1_000_000n
  return {
    traceId: id(32, Math.floor(i / 3)),
    spanId: id(16, i),
    start,
    end: start + 1_000_000_000n,
    attributes: [
      ['gen_ai.operation.name', 'chat'],
      ['gen_ai.provider.name', provider],
      ['gen_ai.request.model', model],
      ['gen_ai.usage.input_tokens', 100 + (i % 977)],
      ['gen_ai.usage.output_tokens', i % 89],
      ['tenant.id', `tenant-${i % 4}`],
      ['user.id', `user-${i % 30}`],
    ],
  }
}

/** Calls, a tool beside some of them, and some spans that were sent twice, in requests that differ. */
export function makeRequests(n: number): readonly Buffer[] {
  const calls = Array.from({ length: n }, (_, i) => callSpan(i, n))
  const tools = calls.slice(0, 300).map((span, i) => ({
    ...span,
    spanId: id(16, n + i),
    attributes: [['gen_ai.operation.name', 'execute_tool'] as const],
  }))
  const all = [...calls, ...tools, ...calls.slice(500, 600), ...tools.slice(0, 1)]
  return Array.from({ length: Math.ceil(all.length / 1_000) }, (_, i) =>
    otlpRequest({ spans: all.slice(i * 1_000, (i + 1) * 1_000) }),
  )
}

/** USD for a million tokens, by model. */
type Usd = Readonly<Record<string, readonly [input: number, output: number]>>

/** The pipeline, and a folder for price files and locks. */
export interface RepriceStack extends TestStack {
  readonly folder: string
  /** Sends requests over HTTP; resolves when their spans have landed, with what they must be. */
  land(bodies: readonly Buffer[]): Promise<readonly EnrichedSpan[]>
  /** The environment of a process that knows these prices beside the listed ones. */
  withPrices(prices: Usd): Promise<Env>
  /** What every table holds, to be compared with tablesOf. */
  tables(): Promise<Tables>
}

/** A stack that lands in small inserts, so that a kill finds some corrections landed and some not. */
export async function startRepriceStack(): Promise<RepriceStack> {
  const folder = await mkdtemp(join(tmpdir(), 'spanmeter-reprice-'))
  const stack = await startTestStack({
    brokers: inject('brokers'),
    clickhouseUrl: inject('clickhouseUrl'),
    env: {
      SPANMETER_SINK_MIN_BATCH_BYTES: '65536',
      SPANMETER_SINK_MAX_BATCH_BYTES: '262144',
      SPANMETER_SINK_MAX_WAIT_MS: '50',
    },
  })
  let files = 0
  return {
    ...stack,
    folder,
    land: (bodies) => land(stack, bodies),
    async withPrices(prices) {
      const file = join(folder, `prices-${files++}.json`)
      await writeFile(file, priceFile(prices))
      return { ...stack.env, SPANMETER_PRICES: file, SPANMETER_DATA_DIR: folder }
    },
    tables: () => readTables(stack),
    async stop() {
      await stack.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function priceFile(prices: Usd): string {
  const models = Object.entries(prices).map(([model, [input, output]]) => ({
    model,
    prices: { input: String(input), output: String(output) },
  }))
  return JSON.stringify({ models })
}

async function land(stack: TestStack, bodies: readonly Buffer[]): Promise<readonly EnrichedSpan[]> {
  const expected = expectedSpans(bodies)
  const wanted = (await countSpans(stack)) + expected.length
  for (const body of bodies) await post(stack, body)
  const landed = await until(
    'spans land',
    60_000,
    () => countSpans(stack),
    (n) => n >= wanted,
  )
  expect(landed).toBe(wanted)
  return expected
}

async function post({ httpPort }: TestStack, body: Buffer): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${httpPort}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: new Uint8Array(body),
  })
  expect([response.status, await response.text()]).toEqual([200, expect.anything()])
}

/** Lines of tables, and of calls by the price that their rows show. */
type Tables = Readonly<Record<string, readonly string[]>>

async function readTables({ clickhouse }: TestStack): Promise<Tables> {
  const rows = await clickhouse.query<{ line: string }>(
    `SELECT concat(price_status, '|', price_model, '|', toString(count())) AS line
     FROM spans GROUP BY price_status, price_model`,
  )
  const prices = rows.map(({ line }) => line).sort()
  return { ...(await actualRollups(clickhouse)), prices }
}

/** What every table must hold for these spans. */
export function tablesOf(spans: readonly EnrichedSpan[]): Tables {
  const counts = Map.groupBy(spans, (span) => `${span.price_status}|${span.price_model}`)
  const prices = [...counts].map(([key, { length }]) => `${key}|${length}`).sort()
  return { ...expectedRollups(spans), prices }
}
