import { PassThrough } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseCommonConfig } from '#runtime/config.ts'
import { connectKafka, type Kafka } from '#runtime/kafka.ts'
import { priceCorrections } from '#schemas/topics.ts'
import { between, createRandom } from '../../services/cli/replay/random.ts'
import {
  bringRowsUpToDate,
  readCorrectedDays,
} from '../../services/enrich/reprice/bring-rows-up-to-date.ts'
import {
  type CallPage,
  type PageSizes,
  readPages,
  readSlices,
} from '../../services/enrich/reprice/calls.ts'
import { readHistory } from '../../services/enrich/reprice/history.ts'
import { createProgress } from '../../services/enrich/reprice/progress.ts'
import { silent } from '../support/stack.ts'
import type { EnrichedSpan } from './enriched-spans.ts'
import { reprice, repricedSpans, type Run, saying, startReprice } from './reprice-runs.ts'
import {
  makeRequests,
  PRIVATE,
  RANGE,
  type RepriceStack,
  startRepriceStack,
  tablesOf,
} from './reprice-stack.ts'

/**
 * Goal: after runs of re-pricing that are killed at any moment, and repeated, every row and rollup is
 * what it would be had the prices been there from the start. Method: calls of a private model and of
 * listed ones go through the pipeline; then prices change, a run is killed, another one completes it,
 * and every table is compared with what pricing the spans anew gives.
 */

const SEED = Number(process.env['SPANMETER_TEST_SEED'] ?? 1)

let stack: RepriceStack
let kafka: Kafka
let spans: readonly EnrichedSpan[]

beforeAll(async () => {
  stack = await startRepriceStack()
  kafka = connectKafka(parseCommonConfig(stack.env).kafka, 'test', silent)
  spans = await stack.land(makeRequests(6_000))
})

afterAll(async () => {
  await kafka?.close()
  await stack?.stop()
})

/** Records of corrections that are in Kafka. */
const records = () => kafka.lag('nobody', priceCorrections.name)
/** Corrections that have landed, and updates of rows that are under way. */
async function count(sql: string): Promise<number> {
  const [row] = await stack.clickhouse.query<{ n: string }>(sql)
  return Number(row?.n ?? 0)
}
const corrections = () => count('SELECT count() AS n FROM price_corrections')
const updates = () =>
  count(
    `SELECT count() AS n FROM system.mutations WHERE database = currentDatabase() AND NOT is_done
       AND position(command, 'price_corrections_join') > 0`,
  )

async function soon(passes: () => Promise<boolean>, run: Run): Promise<void> {
  while (run.child.exitCode === null && !(await passes())) await delay(1)
}

type Moment = (run: Run, random: ReturnType<typeof createRandom>) => Promise<void>

/** When runs are killed: each once for its name's sake, and some at any time. */
const MOMENTS: Readonly<Record<string, Moment>> = {
  'at any time': (_, random) => delay(between(random, 300, 2_500)),
  'with some corrections in Kafka': async (run, random) => {
    const before = await records()
    const some = BigInt(between(random, 1, 8))
    await soon(async () => (await records()) >= before + some, run)
  },
  'with some corrections landed': async (run) => {
    const before = await corrections()
    await soon(async () => (await corrections()) > before, run)
  },
  'with all of them written': (run) => saying(run, 'corrections written'),
  'with all of them landed': (run) => saying(run, 'landed in the rollups'),
  'with an update of rows under way': (run) => soon(async () => (await updates()) > 0, run),
}

test(
  `runs that are killed at any moment, then repeated, make the difference once (seed ${SEED})`,
  { timeout: 180_000 },
  async () => {
    const random = createRandom([SEED, 0, 0])
    const cutOff: string[] = []
    for (const [round, [name, moment]] of Object.entries(MOMENTS).entries()) {
      const env = await stack.withPrices({ [PRIVATE]: [1 + round, 2], 'gpt-4o': [3, 12 + round] })
      const run = startReprice(env, RANGE)
      await moment(run, random)
      run.child.kill('SIGKILL')
      if ((await run.ended).signal === 'SIGKILL') cutOff.push(name)
      await reprice(env, RANGE)
      spans = repricedSpans(spans, env)
      expect(await stack.tables()).toEqual(tablesOf(spans))
    }
    expect(cutOff.length).toBeGreaterThanOrEqual(4)
  },
)

test('rows that a killed run left behind are seen through, and follow with the next run of any range', async () => {
  const env = await stack.withPrices({ [PRIVATE]: [50, 60], 'gpt-4o': [70, 80] })
  const run = startReprice(env, RANGE)
  await saying(run, 'landed in the rollups')
  run.child.kill('SIGKILL')
  await run.ended
  expect(await reprice(env, [...RANGE, '--dry-run'])).toMatchObject({ corrected: 0 })
  expect(await reprice(env, [...RANGE, '--tenant', 'nobody'])).toMatchObject({ calls: 0 })
  spans = repricedSpans(spans, env)
  expect(await stack.tables()).toEqual(tablesOf(spans))
})

test('rows follow in several updates where not all of their prices fit into memory', async () => {
  const env = await stack.withPrices({ [PRIVATE]: [90, 91], 'gpt-4o': [92, 93] })
  const run = startReprice(env, RANGE)
  await saying(run, 'landed in the rollups')
  run.child.kill('SIGKILL')
  await run.ended
  const { clickhouse } = stack
  const [last] = await readHistory(clickhouse)
  const days = await readCorrectedDays(clickhouse, last?.job ?? '')
  const { signal } = new AbortController()
  const progress = createProgress(new PassThrough().resume())
  const options = { clickhouse, progress, signal, maxPrices: 700 }
  await bringRowsUpToDate(days, options)
  spans = repricedSpans(spans, env)
  expect(await stack.tables()).toEqual(tablesOf(spans))
  expect(await bringRowsUpToDate(days, options)).toBe(0)
})

const HOUR_NS = 3_600_000_000_000n
const keysOf = (pages: readonly CallPage[]) =>
  pages.flatMap(({ calls }) => calls.map(({ key }) => key)).sort()

test('pages hold every call once, traces of an hour whole but for large ones', async () => {
  const { clickhouse } = stack
  const selection = {
    fromMs: 0,
    toMs: Date.now(),
    asOfMs: Date.now(),
    kinds: ['llm'],
    model: undefined,
    tenant: undefined,
  }
  const read = async (sizes: PageSizes) => {
    const pages: CallPage[] = []
    for (const slice of await readSlices(clickhouse, selection, sizes))
      for await (const page of readPages(clickhouse, selection, slice, sizes)) pages.push(page)
    return pages
  }
  const whole = await read({ calls: 1_000_000, maxTraceSpans: 1_000_000 })
  const small = await read({ calls: 100, maxTraceSpans: 3 })
  expect(small.length).toBeGreaterThan(30)
  expect(keysOf(small)).toEqual(keysOf(whole))
  const large = new Set(small.flatMap(({ largeTraces }) => [...largeTraces]))
  expect(large.size).toBeGreaterThan(0)
  const pagesOf = new Map<string, Set<number>>()
  for (const [i, { calls }] of small.entries()) {
    for (const { trace_id: traceId, start_time_unix_nano: start } of calls) {
      const place = `${traceId}/${BigInt(start) / HOUR_NS}`
      pagesOf.set(place, (pagesOf.get(place) ?? new Set()).add(i))
    }
  }
  const split = [...pagesOf].flatMap(([place, on]) => (on.size > 1 ? place.split('/', 1) : []))
  expect(split.length).toBeGreaterThan(0)
  expect(split.filter((traceId) => !large.has(traceId))).toEqual([])
})
