import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { acquireLock } from '#runtime/process-lock.ts'
import { startWorkers } from '../../services/cli/workers.ts'
import { otlpRequest } from '../support/otlp-proto.ts'
import type { EnrichedSpan } from './enriched-spans.ts'
import {
  type Ended,
  reprice,
  repricedSpans,
  saying,
  startNode,
  startReprice,
} from './reprice-runs.ts'
import {
  FIRST_MS,
  id,
  iso,
  makeRequests,
  PRIVATE,
  RANGE,
  type RepriceStack,
  startRepriceStack,
  tablesOf,
  TODAY_MS,
} from './reprice-stack.ts'

/**
 * Goal: what a run of re-pricing tells is what it does, in every row and rollup. Method: calls of a
 * private model without a price and of listed ones go through the pipeline; then prices change, the
 * command runs as a process, and every table is compared with what pricing the spans anew gives.
 */

const CALLS = 3_000
const CLI = fileURLToPath(new URL('../../services/cli/main.ts', import.meta.url))

let stack: RepriceStack
let spans: readonly EnrichedSpan[]

beforeAll(async () => {
  stack = await startRepriceStack()
  spans = await stack.land(makeRequests(CALLS))
})

afterAll(() => stack?.stop())

const picoOf = (usd: string) => BigInt(usd.replace('.', ''))
const costOf = (all: readonly EnrichedSpan[]) =>
  all.reduce((sum, { cost_pico_usd: cost }) => sum + (cost ?? 0n), 0n)
const isOuter = ({ span_id: spanId }: EnrichedSpan) => spanId === id(16, 1_000_000).toString('hex')
const isOneTenant = ({ tenant }: EnrichedSpan) => tenant === 'tenant-2'
const isPrivate = ({ request_model: model }: EnrichedSpan) => model === PRIVATE

async function spanmeter(env: RepriceStack['env'], ...flags: readonly string[]): Promise<Ended> {
  return startNode(env, [CLI, ...flags]).ended
}

test('prices missing names the models without a price, and none once all have one', async () => {
  const { code, stdout } = await spanmeter(stack.env, 'prices', 'missing', ...RANGE, '--json')
  const calls = spans.filter(isPrivate)
  expect([code, JSON.parse(stdout)]).toMatchObject([
    0,
    {
      missing: [
        {
          provider: 'acme',
          model: PRIVATE,
          tier: '',
          reason: 'unknown model',
          tenants: 2,
          calls: calls.length,
          input_tokens: calls.reduce((sum, { input_tokens: n }) => sum + Number(n), 0),
          output_tokens: calls.reduce((sum, { output_tokens: n }) => sum + Number(n), 0),
          first_seen: iso(FIRST_MS),
        },
      ],
    },
  ])
  const table = await spanmeter(stack.env, 'prices', 'missing', ...RANGE)
  expect(table.stdout).toContain(PRIVATE)
  expect(table.stdout).toContain('SPANMETER_PRICES')
})

test('a dry run tells the difference and changes nothing; a run makes it, once', async () => {
  const env = await stack.withPrices({ [PRIVATE]: [0.5, 1.5], 'gpt-4o': [3, 12] })
  const repriced = repricedSpans(spans, env)
  expect(await stack.tables()).toEqual(tablesOf(spans))
  const dry = await reprice(env, [...RANGE, '--dry-run'])
  expect(dry).toMatchObject({ job: null, dry_run: true, ambiguous: 0 })
  expect([picoOf(dry.old_usd), picoOf(dry.new_usd)]).toEqual([costOf(spans), costOf(repriced)])
  expect(dry.corrected).toBe(
    repriced.filter((span, i) => span.cost_pico_usd !== spans[i]?.cost_pico_usd).length,
  )
  expect([dry.unpriced_before, dry.unpriced_after]).toEqual([spans.filter(isPrivate).length, 0])
  expect(await stack.tables()).toEqual(tablesOf(spans))

  const run = await reprice(env, RANGE)
  expect({ ...run, job: null, dry_run: true }).toEqual(dry)
  expect(await stack.tables()).toEqual(tablesOf(repriced))

  const again = await reprice(env, RANGE)
  expect(again).toMatchObject({ corrected: 0, old_usd: run.new_usd, new_usd: run.new_usd })
  expect(await stack.tables()).toEqual(tablesOf(repriced))
  spans = repriced
  const missing = await spanmeter(env, 'prices', 'missing', ...RANGE, '--json')
  expect(JSON.parse(missing.stdout)).toMatchObject({ missing: [] })
})

test('the audit holds what each call cost before and after, and the history lists the run', async () => {
  const [old] = await stack.clickhouse.query(
    `SELECT old_price_status, isNull(old_cost_usd) AS had_none, price_status,
       toString(sum(cost_usd)) AS usd, count() AS calls
     FROM price_corrections WHERE request_model = '${PRIVATE}' GROUP BY ALL`,
  )
  const calls = spans.filter(isPrivate)
  expect(old).toMatchObject({
    old_price_status: 'unpriced',
    had_none: 1,
    price_status: 'priced',
    calls: String(calls.length),
  })
  const { stdout } = await startReprice(stack.env, ['--history', '--json']).ended
  expect(JSON.parse(stdout)).toMatchObject({
    jobs: [{ job: expect.stringMatching(/^reprice-\d{8}T\d{6}\.\d{3}Z$/), unpriced_after: 0 }],
  })
})

test('a model, a tenant and a range of time bound what is corrected', async () => {
  const env = await stack.withPrices({ [PRIVATE]: [5, 6], 'gpt-4o': [7, 8] })
  const [fromMs, toMs] = [FIRST_MS + 3_600_000, FIRST_MS + 20 * 3_600_000]
  const range = ['--from', iso(fromMs), '--to', iso(toMs)]
  const isIn = ({ start_time_unix_nano: start }: EnrichedSpan) =>
    start >= BigInt(fromMs) * 1_000_000n && start < BigInt(toMs) * 1_000_000n
  const repriced = repricedSpans(spans, env)
  const only = (takes: (span: EnrichedSpan) => boolean) =>
    spans.map((span, i) => (takes(span) ? (repriced[i] ?? span) : span))

  await reprice(env, [...range, '--model', PRIVATE, '--tenant', 'tenant-2'])
  expect(await stack.tables()).toEqual(
    tablesOf(only((span) => isIn(span) && isPrivate(span) && isOneTenant(span))),
  )
  await reprice(env, [...range, '--tenant', 'tenant-2'])
  expect(await stack.tables()).toEqual(tablesOf(only((span) => isIn(span) && isOneTenant(span))))
  await reprice(env, range)
  expect(await stack.tables()).toEqual(tablesOf(only(isIn)))
  spans = only(isIn)
})

test('of a nested pair that came in two requests, the outer one is corrected to cost nothing', async () => {
  const start = BigInt(TODAY_MS - 600_000) * 1_000_000n
  const pair = [0, 1].map((i) => ({
    traceId: id(32, 1_000_000),
    spanId: id(16, 1_000_000 + i),
    ...(i === 0 ? {} : { parentSpanId: id(16, 1_000_000) }),
    start: start + BigInt(i) * 1_000_000n,
    end: start + 900_000_000n,
    attributes: [
      ['gen_ai.operation.name', 'chat'],
      ['gen_ai.provider.name', 'openai'],
      ['gen_ai.request.model', 'gpt-4o'],
      ['gen_ai.usage.input_tokens', 1_000],
      ['gen_ai.usage.output_tokens', 100],
    ] as const,
  }))
  const outer = pair.slice(0, 1)
  const landed = [
    ...(await stack.land([otlpRequest({ spans: pair.slice(1) })])),
    ...(await stack.land([otlpRequest({ spans: outer })])),
  ]
  expect(landed.map(({ price_status: status }) => status)).toEqual(['priced', 'priced'])
  await reprice(stack.env, ['--from', iso(TODAY_MS - 3_600_000), '--to', iso(TODAY_MS)])
  spans = [...spans, ...repricedSpans(landed, stack.env, isOuter)]
  expect(await stack.tables()).toEqual(tablesOf(spans))
})

test('another run is told who holds the lock', async () => {
  const env = await stack.withPrices({})
  const lock = acquireLock(join(stack.folder, 'reprice.lock'))
  const { code, stderr } = await startReprice(env, RANGE).ended
  lock.release()
  expect([code, stderr]).toEqual([
    1,
    expect.stringContaining(`by the process with pid ${process.pid}`),
  ])
})

test('Ctrl-C and exit codes pass through spanmeter, and the next run completes what was begun', async () => {
  const env = await stack.withPrices({ [PRIVATE]: [9, 10], 'gpt-4o': [11, 12] })
  const run = startNode(env, [CLI, 'reprice', ...RANGE])
  await saying(run, 'corrections written')
  run.child.kill('SIGINT')
  expect(await run.ended).toMatchObject({ code: 130, stderr: expect.stringContaining('Stopping') })
  const { code } = await spanmeter(env, 'reprice', ...RANGE)
  expect(code).toBe(0)
  spans = repricedSpans(spans, env, ({ price_status: status }) => status === 'nested')
  expect(await stack.tables()).toEqual(tablesOf(spans))
  expect((await spanmeter(env, 'reprice', '--from', 'yesterday')).code).toBe(1)
  expect(await spanmeter(env, 'reprice', '--help')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('--dry-run'),
  })
})

test('without a sink a run gives up and says so; the next one, with a sink, adds nothing twice', async () => {
  const env = await stack.withPrices({ [PRIVATE]: [13, 14], 'gpt-4o': [15, 16] })
  await stack.workers.stop()
  for (const corrections of ['corrections written', 'Waiting until sink']) {
    const { code, stderr } = await startReprice(env, [...RANGE, '--wait', '2']).ended
    expect([code, stderr]).toEqual([1, expect.stringContaining('Is sink running?')])
    expect(stderr).toContain(corrections)
  }
  const workers = await startWorkers({
    env: stack.env,
    logDir: stack.logDir,
    readyDeadlineMs: 60_000,
    onProgress: () => undefined,
  })
  try {
    await reprice(env, RANGE)
    spans = repricedSpans(spans, env, ({ price_status: status }) => status === 'nested')
    expect(await stack.tables()).toEqual(tablesOf(spans))
  } finally {
    await workers.stop()
  }
})
