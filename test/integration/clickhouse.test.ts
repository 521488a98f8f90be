import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { ClickHouseError } from '#runtime/clickhouse-error.ts'
import { type ClickHouse, connectClickHouse } from '#runtime/clickhouse.ts'
import { migrate, parseMigrationVariables } from '#runtime/migrations.ts'
import { readQuery } from '#runtime/queries.ts'
import { deadLettersFile, makeSpans, spansFile, type EnrichedSpan } from './enriched-spans.ts'
import { actualRollup, actualRollups, expectedRollups, rollups } from './rollups.ts'

const NOON = BigInt(Date.now() - (Date.now() % 86_400_000) - 43_200_000) * 1_000_000n
const MIDNIGHT = NOON + 43_200n * 1_000_000_000n
const variables = parseMigrationVariables({})
const opened: ClickHouse[] = []

/** A database of its own with all tables. */
async function createTables(): Promise<ClickHouse> {
  const database = `test_${randomUUID().replaceAll('-', '')}`
  const url = inject('clickhouseUrl')
  const clickhouse = connectClickHouse({ url, user: 'default', password: '', database })
  opened.push(clickhouse)
  await migrate(clickhouse, { variables })
  return clickhouse
}

const land = (clickhouse: ClickHouse, spans: readonly EnrichedSpan[], token: string) =>
  clickhouse.insertAvro({ table: 'spans_landing', file: spansFile(spans), token })

afterAll(async () => {
  for (const clickhouse of opened) {
    await clickhouse.command(`DROP DATABASE IF EXISTS ${clickhouse.database}`)
    await clickhouse.close()
  }
})

describe('an insert of spans', () => {
  const noon = makeSpans({ seed: 1, count: 3_000, fromNano: NOON, spreadSeconds: 7_000 })

  test('lands once in every table, however often its token is repeated', async () => {
    const clickhouse = await createTables()
    for (let repeat = 0; repeat < 3; repeat++) await land(clickhouse, noon, 'a')
    expect(await actualRollups(clickhouse)).toEqual(expectedRollups(noon))
  })

  test('lands once when its repeats run at the same time', async () => {
    const clickhouse = await createTables()
    await Promise.all(Array.from({ length: 4 }, () => land(clickhouse, noon, 'a')))
    expect(await actualRollups(clickhouse)).toEqual(expectedRollups(noon))
  })

  test('lands beside another with equal rows but another token', async () => {
    const clickhouse = await createTables()
    for (const token of ['a', 'b', 'a', 'b']) await land(clickhouse, noon, token)
    expect(await actualRollups(clickhouse)).toEqual(expectedRollups([...noon, ...noon]))
  })

  test('lands beside another whose rollups are equal though its spans are not', async () => {
    const clickhouse = await createTables()
    const others = noon.map((span) => ({ ...span, span_id: `f${span.span_id.slice(1)}` }))
    for (const token of ['a', 'b', 'b'])
      await land(clickhouse, token === 'a' ? noon : others, token)
    expect(await actualRollups(clickhouse)).toEqual(expectedRollups([...noon, ...others]))
  })

  test('over two days lands once in both partitions', async () => {
    const clickhouse = await createTables()
    const night = makeSpans({
      seed: 2,
      count: 3_000,
      fromNano: MIDNIGHT - 1_800n * 10n ** 9n,
      spreadSeconds: 3_600,
    })
    for (let repeat = 0; repeat < 3; repeat++) await land(clickhouse, night, 'night')
    expect(await actualRollups(clickhouse)).toEqual(expectedRollups(night))
  })

  test('is completed by a repeat where only some tables have it', async () => {
    const clickhouse = await createTables()
    const { database } = clickhouse
    await clickhouse.command(`DROP VIEW ${database}.traces_mv`)
    await clickhouse.command(`DROP VIEW ${database}.requests_by_model_1h_mv`)
    await land(clickhouse, noon, 'a')
    await expect(actualRollup(clickhouse, rollupOf('traces'))).resolves.toEqual([])
    await recreateViews(clickhouse)
    await land(clickhouse, noon, 'a')
    expect(await actualRollups(clickhouse)).toEqual(expectedRollups(noon))
  })

  test('that cannot be read to its end leaves nothing, and is bad data', async () => {
    const clickhouse = await createTables()
    const file = Buffer.concat([...spansFile(noon), Buffer.from('this is no Avro block')])
    const attempt = clickhouse.insertAvro({ table: 'spans_landing', file, token: 'bad' })
    await expect(attempt).rejects.toMatchObject({ kind: 'bad_data', transient: false })
    expect(await actualRollups(clickhouse)).toEqual(expectedRollups([]))
  })

  test('of bytes that are no Avro at all is bad data', async () => {
    const clickhouse = await createTables()
    const file = Buffer.from('{"tenant": "acme"}')
    const attempt = clickhouse.insertAvro({ table: 'spans_landing', file, token: 'bad' })
    await expect(attempt).rejects.toMatchObject({ kind: 'bad_data', transient: false })
  })

  test('into a table that is missing waits for a person, with its data still good', async () => {
    const clickhouse = await createTables()
    const attempt = clickhouse.insertAvro({ table: 'nowhere', file: spansFile(noon), token: 'a' })
    await expect(attempt).rejects.toMatchObject({ code: '60', kind: 'refused', transient: true })
  })
})

function rollupOf(table: string) {
  const rollup = rollups.find((candidate) => candidate.table === table)
  if (rollup === undefined) throw new Error(`no rollup ${table}`)
  return rollup
}

/** Applies the files again as if none had been: every statement of theirs can be repeated. */
async function recreateViews(clickhouse: ClickHouse): Promise<void> {
  await clickhouse.command(`TRUNCATE TABLE ${clickhouse.database}.schema_migrations`)
  await migrate(clickhouse, { variables })
}

test('dead letters land once with their bytes as they were', async () => {
  const clickhouse = await createTables()
  const letter = {
    time_unix_nano: NOON,
    worker: 'ingest',
    source: 'otlp_spans',
    partition: 3,
    offset: 42n,
    index: -1,
    reason: 'invalid_trace_id',
    detail: 'it has 31 digits',
    format: 'otlp_proto',
    payload: Buffer.from([0, 255, 195, 1]),
    tenant: 'acme',
  }
  const insert = { table: 'dead_letters_landing', file: deadLettersFile([letter]), token: 'a' }
  await clickhouse.insertAvro(insert)
  await clickhouse.insertAvro(insert)
  const sql = 'SELECT worker, partition, offset, reason, hex(payload) AS payload FROM dead_letters'
  await expect(clickhouse.query(sql)).resolves.toEqual([
    {
      worker: 'ingest',
      partition: 3,
      offset: '42',
      reason: 'invalid_trace_id',
      payload: '00FFC301',
    },
  ])
})

describe('reading', () => {
  const spans = makeSpans({ seed: 3, count: 4_000, fromNano: NOON, spreadSeconds: 600 })
  const range = { from: Number(NOON / 10n ** 9n), to: Number(NOON / 10n ** 9n) + 3_600 }
  let clickhouse: ClickHouse
  beforeAll(async () => {
    clickhouse = await createTables()
    await land(clickhouse, spans.slice(0, 2_500), 'a')
    await land(clickhouse, spans.slice(2_500), 'b')
  })

  test.each(['requests_by_model_1m', 'requests_by_model_1h'])(
    'percentiles of %s are within 1 %% of the exact ones',
    async (table) => {
      const levels = [0.5, 0.95, 0.99]
      const [row] = await clickhouse.query<{ ms: readonly number[] }>(
        `SELECT quantilesDDMerge(0.01, 0.5, 0.95, 0.99)(duration_ms) AS ms FROM ${table}`,
      )
      const sorted = spans.map((span) => Number(span.duration_nano) / 1e6).sort((a, b) => a - b)
      for (const [index, level] of levels.entries()) {
        const rank = level * (sorted.length - 1)
        const found = row?.ms[index] ?? 0
        expect(found).toBeGreaterThanOrEqual((sorted[Math.floor(rank)] ?? 0) * 0.99)
        expect(found).toBeLessThanOrEqual((sorted[Math.ceil(rank)] ?? 0) * 1.01)
      }
    },
  )

  test('the summary by model counts model calls of its time range', async () => {
    const rows = await clickhouse.query<{ model: string; requests: string; cost_usd: string }>(
      readQuery('summary_by_model'),
      range,
    )
    const calls = spans.filter((span) => span.kind === 'llm' || span.kind === 'embedding')
    const total = rows.reduce((sum, row) => sum + BigInt(row.requests), 0n)
    expect(total).toBe(BigInt(calls.length))
    expect(rows.map((row) => row.model).sort()).toEqual(
      [...new Set(calls.map((span) => span.request_model || span.response_model))].sort(),
    )
    const later = { from: range.to, to: range.to + 3_600 }
    await expect(clickhouse.query(readQuery('summary_by_model'), later)).resolves.toEqual([])
  })

  test('a trace has its root, its time from first start to last end, and its first error', async () => {
    const inTrace = spans.filter((span) => span.trace_id === spans[0]?.trace_id)
    const start = inTrace.map((s) => s.start_time_unix_nano).reduce((a, b) => (a < b ? a : b))
    const end = inTrace
      .map((s) => s.start_time_unix_nano + s.duration_nano)
      .reduce((a, b) => (a > b ? a : b))
    const errors = inTrace.filter((span) => span.error_type !== '')
    errors.sort((a, b) => Number(a.start_time_unix_nano - b.start_time_unix_nano))
    const rows = await clickhouse.query(
      'SELECT duration_ms, spans, root_name, first_error_type FROM trace_summaries WHERE trace_id = {id:String}',
      { id: inTrace[0]?.trace_id ?? '' },
    )
    expect(rows).toEqual([
      {
        duration_ms: Number(end - start) / 1e6,
        spans: String(inTrace.length),
        root_name: inTrace.find((span) => span.parent_span_id === '')?.name,
        first_error_type: errors[0]?.error_type ?? '',
      },
    ])
  })

  test('the slowest traces come slowest first', async () => {
    const rows = await clickhouse.query<{ duration_ms: number }>(readQuery('slowest_traces'), {
      ...range,
      limit: 5,
    })
    const durations = rows.map((row) => row.duration_ms)
    expect(durations).toHaveLength(5)
    expect(durations).toEqual(durations.toSorted((a, b) => b - a))
  })

  test('tells what the server read', async () => {
    const measured = await clickhouse.measuredQuery(
      'SELECT count(DISTINCT span_id) AS n FROM spans',
    )
    expect(measured.rows).toEqual([{ n: '4000' }])
    expect(measured.readRows).toBe(4_000)
    expect(measured.readBytes).toBeGreaterThan(0)
  })

  test('a wrong query is refused with the code of the server', async () => {
    const attempt = clickhouse.query('SELECT nothing FROM spans')
    await expect(attempt).rejects.toBeInstanceOf(ClickHouseError)
    await expect(attempt).rejects.toMatchObject({ code: '47', kind: 'refused' })
  })
})
