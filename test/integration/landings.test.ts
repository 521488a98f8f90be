import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { makeSpans } from './enriched-spans.ts'
import { openQuestionDatabase, type QuestionDatabase } from './question-database.ts'

/**
 * Goal: landings_1m tells what landed, when and how late, each insert once. Method: inserts with repeats,
 * of spans that are said to have been received a known time before.
 */

const NANOS_PER_MS = 1_000_000n
const AGE_MS = 5_000
const OLD_MS = 3_600_000

let database: QuestionDatabase

beforeAll(async () => {
  database = await openQuestionDatabase(inject('clickhouseUrl'))
})

afterAll(() => database?.drop())

interface Landings {
  readonly landed: string
  readonly inserts_done: string
  readonly p50: number
  readonly slowest: number
  readonly first: number
  readonly last: number
}

test('Landings count spans and inserts once, by the minute of landing, and how long spans took', async () => {
  const startMs = Date.now()
  const receivedAgo = (ms: number, seed: number, count: number) => {
    const nano = BigInt(startMs - ms) * NANOS_PER_MS
    const spans = makeSpans({ seed, count, fromNano: nano, spreadSeconds: 1 })
    return spans.map((span) => ({ ...span, received_time_unix_nano: nano }))
  }
  const fresh = receivedAgo(AGE_MS, 1, 900)
  for (let repeat = 0; repeat < 3; repeat++) await database.land('fresh', fresh)
  await database.land('old', receivedAgo(OLD_MS, 2, 99))
  // A clock that is ahead: it makes no span younger than 0.
  await database.land('ahead', receivedAgo(-OLD_MS, 3, 1))
  const [row] = await database.clickhouse.query<Landings>(
    `SELECT sum(spans) AS landed, sum(inserts) AS inserts_done, max(slowest_ms) AS slowest,
       quantilesDDMerge(0.01, 0.5)(freshness_ms)[1] AS p50,
       toUnixTimestamp(min(time)) AS first, toUnixTimestamp(max(time)) AS last
     FROM landings_1m`,
  )
  const endMs = Date.now()
  expect(row).toMatchObject({ landed: '1000', inserts_done: '3' })
  expect(row?.p50).toBeGreaterThanOrEqual(AGE_MS * 0.99)
  expect(row?.p50).toBeLessThanOrEqual((endMs - startMs + AGE_MS) * 1.01)
  expect(row?.slowest).toBeGreaterThanOrEqual(OLD_MS)
  expect(row?.slowest).toBeLessThanOrEqual(endMs - startMs + OLD_MS)
  expect(row?.first).toBeGreaterThan(startMs / 1_000 - 60)
  expect(row?.last).toBeLessThanOrEqual(endMs / 1_000)
})
