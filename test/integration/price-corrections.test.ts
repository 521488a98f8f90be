import { randomUUID } from 'node:crypto'
import * as fc from 'fast-check'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { type ClickHouse, connectClickHouse } from '#runtime/clickhouse.ts'
import { migrate, parseMigrationVariables } from '#runtime/migrations.ts'
import type { PriceCorrection } from '#schemas/items.ts'
import {
  applyCorrections,
  auditOf,
  correctAll,
  correctionOf,
  correctionsFile,
  isCall,
  readAudit,
  STATUSES,
} from './corrected-spans.ts'
import { makeSpans, pricedAt, spansFile, type EnrichedSpan } from './enriched-spans.ts'
import { actualRollups, expectedRollups } from './rollups.ts'

/**
 * Goal: after any corrections of prices every rollup is what it would be, had its spans come with the
 * corrected prices in the first place. Method: spans and corrections go in by the insert that sink
 * makes, each possibly twice, then every line of every rollup is compared with one worked out here.
 */

const DAY = 86_400n * 10n ** 9n
const NOON = (BigInt(Date.now()) / 86_400_000n) * DAY - (5n * DAY) / 2n
const SEED = Number(process.env['SPANMETER_TEST_SEED'] ?? 1)
const variables = parseMigrationVariables({})
const opened: ClickHouse[] = []

async function createTables(): Promise<ClickHouse> {
  const database = `test_${randomUUID().replaceAll('-', '')}`
  const url = inject('clickhouseUrl')
  const clickhouse = connectClickHouse({ url, user: 'default', password: '', database })
  opened.push(clickhouse)
  await migrate(clickhouse, { variables })
  return clickhouse
}

afterAll(async () => {
  for (const clickhouse of opened) {
    await clickhouse.command(`DROP DATABASE IF EXISTS ${clickhouse.database}`)
    await clickhouse.close()
  }
})

const land = (clickhouse: ClickHouse, spans: readonly EnrichedSpan[], token = 'spans') =>
  clickhouse.insertAvro({ table: 'spans_landing', file: spansFile(spans), token })

const correct = (clickhouse: ClickHouse, corrections: readonly PriceCorrection[], token: string) =>
  clickhouse.insertAvro({
    table: 'price_corrections_landing',
    file: correctionsFile(corrections),
    token,
  })

describe('Rollups after corrections', () => {
  const days = makeSpans({ seed: 11, count: 4_000, fromNano: NOON, spreadSeconds: 2 * 86_400 })

  test('are those of spans with the corrected prices, whatever the status was and is', async () => {
    const clickhouse = await createTables()
    const corrections = correctAll(days, 'run-1')
    const pairs = corrections.map((c) => `${c.old_price_status} → ${c.price_status}`)
    expect(new Set(pairs).size).toBe(STATUSES.length ** 2)
    await land(clickhouse, days)
    await correct(clickhouse, corrections, 'a')
    expect(await actualRollups(clickhouse)).toEqual(expectedRollups(days, corrections))
    expect(await readAudit(clickhouse)).toEqual(auditOf(corrections))
  })

  test('are the same when an insert is repeated, one after another or at the same time', async () => {
    const clickhouse = await createTables()
    const corrections = correctAll(days, 'run-1')
    await land(clickhouse, days)
    await Promise.all([1, 2, 3].map(() => correct(clickhouse, corrections, 'a')))
    await correct(clickhouse, corrections, 'a')
    expect(await actualRollups(clickhouse)).toEqual(expectedRollups(days, corrections))
    expect(await readAudit(clickhouse)).toEqual(auditOf(corrections))
  })

  test('are completed by a repeat where only some of them have the corrections', async () => {
    const clickhouse = await createTables()
    const { database } = clickhouse
    const corrections = correctAll(days, 'run-1')
    const corrected = expectedRollups(days, corrections)
    await land(clickhouse, days)
    await clickhouse.command(`DROP VIEW ${database}.traces_correction_mv`)
    await clickhouse.command(`DROP VIEW ${database}.requests_by_model_1h_mv`)
    await correct(clickhouse, corrections, 'a')
    const { traces, requests_by_model_1h: hours } = expectedRollups(days)
    const partly = { ...corrected, traces, requests_by_model_1h: hours }
    expect(await actualRollups(clickhouse)).toEqual(partly)
    await clickhouse.command(`TRUNCATE TABLE ${database}.schema_migrations`)
    await migrate(clickhouse, { variables })
    await correct(clickhouse, corrections, 'a')
    expect(await actualRollups(clickhouse)).toEqual(corrected)
    expect(await readAudit(clickhouse)).toEqual(auditOf(corrections))
  })

  test('are as before when the prices are put back', async () => {
    const clickhouse = await createTables()
    const there = correctAll(days, 'run-1')
    const back = applyCorrections(days, there)
      .filter(isCall)
      .map((span, index) => {
        const before = days.filter(isCall)[index]
        const cost = before?.cost_pico_usd ?? 0n
        return correctionOf(span, { status: before?.price_status ?? '', cost, job: 'run-2' })
      })
    await land(clickhouse, days)
    await correct(clickhouse, there, 'there')
    expect(await actualRollups(clickhouse)).not.toEqual(expectedRollups(days))
    await correct(clickhouse, back, 'back')
    expect(await actualRollups(clickhouse)).toEqual(expectedRollups(days))
  })

  test('are the same when corrections land before their spans, and after merges', async () => {
    const clickhouse = await createTables()
    const corrections = correctAll(days, 'run-1')
    await correct(clickhouse, corrections, 'a')
    await land(clickhouse, days)
    const expected = expectedRollups(days, corrections)
    expect(await actualRollups(clickhouse)).toEqual(expected)
    for (const table of Object.keys(expected)) {
      await clickhouse.command(`OPTIMIZE TABLE ${clickhouse.database}.${table} FINAL`)
    }
    expect(await actualRollups(clickhouse)).toEqual(expected)
  })

  test('are right for any order, overlap and repetition of corrections', async () => {
    const spans = makeSpans({ seed: 12, count: 60, fromNano: NOON, spreadSeconds: 4_000 })
    const calls = spans.filter(isCall)
    const change = fc.record({
      index: fc.nat({ max: calls.length - 1 }),
      status: fc.constantFrom(...STATUSES),
      cost: fc.bigInt({ min: 0n, max: 10n ** 13n }),
    })
    const insert = fc.record({
      changes: fc.array(change, { minLength: 1, maxLength: 12 }),
      repeats: fc.integer({ min: 1, max: 3 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(insert, { minLength: 1, maxLength: 6 }), async (inserts) => {
        const clickhouse = await createTables()
        await land(clickhouse, spans)
        const done: PriceCorrection[] = []
        for (const [number, { changes, repeats }] of inserts.entries()) {
          const batch = changes.map(({ index, ...to }) => {
            const [span] = applyCorrections(calls.slice(index, index + 1), done)
            if (span === undefined) throw new RangeError(`no call ${index}`)
            const correction = correctionOf(span, to)
            done.push(correction)
            return correction
          })
          for (let i = 0; i < repeats; i++) await correct(clickhouse, batch, `token-${number}`)
        }
        expect(await actualRollups(clickhouse)).toEqual(expectedRollups(spans, done))
        expect(await readAudit(clickhouse)).toEqual(auditOf(done))
      }),
      { numRuns: 8, seed: SEED },
    )
  })
})

describe('A row that a correction left in a rollup', () => {
  const spans = makeSpans({ seed: 13, count: 1_000, fromNano: NOON, spreadSeconds: 600 })
  const corrections = correctAll(spans, 'run-1')

  test('moves no percentile, and nothing of a trace but tokens and cost', async () => {
    const clickhouse = await createTables()
    const read = async () => ({
      percentiles: await clickhouse.query(
        `SELECT model, quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(duration_ms) AS duration,
           quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(time_to_first_token_ms) AS first_token
         FROM (SELECT * FROM requests_by_model_1m UNION ALL SELECT * FROM requests_by_model_1h)
         GROUP BY model ORDER BY model`,
      ),
      traces: await clickhouse.query(
        `SELECT * EXCEPT (unpriced, input_tokens, output_tokens, cost_usd) FROM trace_summaries
         ORDER BY trace_id`,
      ),
    })
    await land(clickhouse, spans)
    const before = await read()
    expect(before.traces.length).toBeGreaterThan(100)
    await correct(clickhouse, corrections, 'a')
    expect(await read()).toEqual(before)
    for (const table of ['requests_by_model_1m', 'requests_by_model_1h', 'traces']) {
      await clickhouse.command(`OPTIMIZE TABLE ${clickhouse.database}.${table} FINAL`)
    }
    expect(await read()).toEqual(before)
  })

  test('counts no request where it stands alone, and has no latency', async () => {
    const clickhouse = await createTables()
    await correct(clickhouse, corrections, 'a')
    for (const table of ['requests_by_model_1m', 'requests_by_model_1h']) {
      const rows = await clickhouse.query(
        `SELECT sum(requests) AS requests, sum(errors) AS errors, sum(first_tokens) AS first_tokens,
           sum(duration_nano) AS nano, quantilesDDMerge(0.01, 0.5, 0.99)(duration_ms) AS ms,
           quantilesDDMerge(0.01, 0.5)(time_to_first_token_ms) AS first_ms FROM ${table}`,
      )
      const none = { requests: '0', errors: '0', first_tokens: '0', nano: '0' }
      expect(rows).toEqual([{ ...none, ms: [null, null], first_ms: [null] }])
    }
    const times = await clickhouse.query<{ duration_ms: number; spans: string }>(
      'SELECT duration_ms, spans, first_error_type FROM trace_summaries',
    )
    expect(times.length).toBeGreaterThan(100)
    for (const row of times) expect(row).toMatchObject({ spans: '0', first_error_type: '' })
    expect(Math.max(...times.map((row) => row.duration_ms))).toBeLessThan(600_000)
  })
})

test('a trace costs what its calls cost, though the spans above them repeat it', async () => {
  const clickhouse = await createTables()
  const [sample] = makeSpans({ seed: 14, count: 1, fromNano: NOON, spreadSeconds: 1 })
  if (sample === undefined) throw new Error('no span')
  const span = (id: string, kind: string, status: string, tokens: bigint, cost: bigint) => ({
    ...sample,
    ...pricedAt('gpt-4o', status, cost),
    span_id: id.padStart(16, '0'),
    parent_span_id: id === '1' ? '' : '1'.padStart(16, '0'),
    kind,
    input_tokens: tokens,
    output_tokens: tokens * 2n,
  })
  const agentOnly = span('2', 'agent', 'not_applicable', 30n, 0n)
  const retried = span('5', 'llm', 'priced', 30n, 3_000n)
  const trace = [
    span('1', 'workflow', 'not_applicable', 30n, 0n),
    agentOnly,
    span('3', 'llm', 'nested', 30n, 0n),
    span('4', 'llm', 'priced', 10n, 1_000n),
    retried,
    span('6', 'llm', 'priced', 20n, 2_000n),
  ]
  const read = () =>
    clickhouse.query(
      `SELECT spans, input_tokens, output_tokens, toString(cost_usd) AS usd FROM trace_summaries`,
    )
  await land(clickhouse, trace)
  const spans = String(trace.length)
  await expect(read()).resolves.toEqual([
    { spans, input_tokens: '60', output_tokens: '120', usd: '0.000000006' },
  ])
  await correct(clickhouse, [correctionOf(retried, { status: 'nested', cost: 0n })], 'a')
  const leaves = [{ spans, input_tokens: '30', output_tokens: '60', usd: '0.000000003' }]
  await expect(read()).resolves.toEqual(leaves)
})

test('drift is what was reported less our cost of the same calls, and follows a correction', async () => {
  const clickhouse = await createTables()
  const spans = makeSpans({ seed: 15, count: 2_000, fromNano: NOON, spreadSeconds: 9_000 })
  interface Drift {
    readonly tenant: string
    readonly reported: string
    readonly ours: string
    readonly drift: string
    readonly drift_ratio: number
  }
  const read = () =>
    clickhouse.query<Drift>(
      `SELECT tenant, toUnixTimestamp(hour) AS hour, provider, model, drift_ratio,
         toString(toInt128(reported_usd * 1000000000000)) AS reported,
         toString(toInt128(ours_usd * 1000000000000)) AS ours,
         toString(toInt128(drift_usd * 1000000000000)) AS drift
       FROM cost_drift ORDER BY tenant, hour, model`,
    )
  await land(clickhouse, spans)
  const comparable = spans.filter(
    (span) => span.price_status === 'priced' && span.reported_cost_pico_usd !== null,
  )
  const before = await read()
  expect(before.length).toBeGreaterThan(12)
  for (const tenant of ['acme', 'globex', 'initech']) {
    const own = comparable.filter((span) => span.tenant === tenant)
    const reported = own.reduce((sum, span) => sum + (span.reported_cost_pico_usd ?? 0n), 0n)
    const ours = own.reduce((sum, span) => sum + (span.cost_pico_usd ?? 0n), 0n)
    const rows = before.filter((row) => row.tenant === tenant)
    const sum = (name: 'reported' | 'ours' | 'drift') =>
      rows.reduce((total, row) => total + BigInt(row[name]), 0n)
    expect([sum('reported'), sum('ours'), sum('drift')]).toEqual([reported, ours, reported - ours])
    expect(reported - ours).toBeGreaterThan(0n)
  }
  for (const row of before) {
    expect(row.drift_ratio).toBeCloseTo(Number(row.drift) / Number(row.ours), 9)
  }
  const corrections = comparable.map((span) =>
    correctionOf(span, { status: 'priced', cost: span.reported_cost_pico_usd ?? 0n }),
  )
  await correct(clickhouse, corrections, 'a')
  const after = await read()
  expect(after.map(({ tenant, reported }) => [tenant, reported])).toEqual(
    before.map(({ tenant, reported }) => [tenant, reported]),
  )
  for (const row of after) expect(row).toMatchObject({ drift: '0', drift_ratio: 0 })
})
