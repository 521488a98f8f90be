import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { Evaluation } from '#schemas/items.ts'
import { evaluations } from '#schemas/topics.ts'
import { containerFile } from '#runtime/container-file.ts'
import { makeSpans, type EnrichedSpan } from './enriched-spans.ts'
import { openQuestionDatabase, type QuestionDatabase } from './question-database.ts'

/**
 * Goal: whoever copies a query from a page gets an answer. Method: every query of every page runs on
 * spans and scores of the last hours; those of docs/queries.md must find something in them. Left out are
 * those that read logs of a server's own, or write.
 */

const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url))
const READY = 'queries.md'
const NOW_NANO = BigInt(Date.now()) * 1_000_000n
const MINUTE_NANO = 60_000_000_000n

/** What the embedded server does not keep, and what changes tables. */
const NOT_ASKED = /\bsystem\.\w+_log\b|^INSERT\b/

const queries = readdirSync(DOCS)
  .filter((page) => page.endsWith('.md'))
  .flatMap((page) => {
    const blocks = [...readFileSync(DOCS + page, 'utf8').matchAll(/```sql\n(?<sql>[^]*?)```/g)]
    return blocks.map(({ groups }, index) => ({ page, n: index + 1, sql: groups?.['sql'] ?? '' }))
  })
  .filter(({ sql }) => !NOT_ASKED.test(sql))

let database: QuestionDatabase

beforeAll(async () => {
  database = await openQuestionDatabase(inject('clickhouseUrl'))
  const count = 1_500
  const hour = { seed: 1, count, fromNano: NOW_NANO - 58n * MINUTE_NANO, spreadSeconds: 3_400 }
  const day = { seed: 2, count, fromNano: NOW_NANO - 500n * MINUTE_NANO, spreadSeconds: 25_000 }
  const spans = [...makeSpans(hour), ...makeSpans(day)]
  await database.land('spans', spans)
  const scores = spans.filter(({ kind }) => kind === 'llm').map(scoreOf)
  const file = containerFile(evaluations.codec, [evaluations.codec.encode(scores)])
  await database.clickhouse.insertAvro({ table: 'evaluations_landing', file, token: 'scores' })
})

afterAll(() => database?.drop())

/** What an evaluator, or every third time a user, says of a call. */
function scoreOf(span: EnrichedSpan, index: number): Evaluation {
  const isVote = index % 3 === 0
  const score = (index % 11) / 10
  return {
    ...span,
    evaluation_id: `score-${index}`,
    time_unix_nano: span.start_time_unix_nano,
    evaluator: isVote ? 'users' : 'factuality-judge',
    evaluator_version: '1',
    dimension: isVote ? 'user_satisfaction' : 'factuality',
    score,
    label: score < 0.5 ? 'fail' : 'pass',
    explanation: '',
    response_id: '',
    request_id: '',
    model: span.request_model,
    experiment: '',
    variant: '',
    domain: 'billing',
    use_case: 'critical',
    origin: 'api',
  }
}

const ready = queries.filter(({ page }) => page === READY)

test('Pages are found, and the queries in them', () => {
  expect(ready.length).toBeGreaterThan(40)
  expect(new Set(queries.map(({ page }) => page))).toContain('clickhouse.md')
})

test.each(ready)('$page, query $n finds something', async ({ sql }) => {
  const rows = await database.clickhouse.query<Readonly<Record<string, unknown>>>(sql)
  expect(rows.length).toBeGreaterThan(0)
  for (const row of rows) expect(Object.values(row)).not.toContain(null)
})

test.each(queries.filter(({ page }) => page !== READY))('$page, query $n runs', async ({ sql }) => {
  await expect(database.clickhouse.query(sql)).resolves.toBeInstanceOf(Array)
})
