import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type ClickHouse, connectClickHouse } from '#runtime/clickhouse.ts'
import { migrate, parseMigrationVariables } from '#runtime/migrations.ts'

/**
 * Goal: a dashboard query over a day costs at least 50 times fewer rows from a rollup than from the
 * spans, and gives the same. Method: half a million spans over one day, at the sample's mix of
 * dimensions, then the same question to both.
 */

const SPANS = 500_000
const DAY_S = 86_400
const MIDNIGHT_S = Math.floor(Date.now() / 1_000 / DAY_S) * DAY_S - DAY_S

let clickhouse: ClickHouse

beforeAll(async () => {
  const database = `reads_${randomBytes(4).toString('hex')}`
  clickhouse = connectClickHouse({
    url: inject('clickhouseUrl'),
    user: 'default',
    password: '',
    database,
  })
  await migrate(clickhouse, { variables: parseMigrationVariables({}) })
  await clickhouse.command(
    `INSERT INTO ${database}.spans_landing (tenant, kind, service, provider, request_model, operation,
       feature, endpoint, environment, trace_id, span_id, start_time_unix_nano, duration_nano,
       input_tokens, output_tokens, cost_pico_usd, price_status)
     SELECT concat('tenant-', toString(number % 5)), 'llm', 'assistant', 'openai',
       ['gpt-4o', 'gpt-4o-mini', 'gpt-4.1'][1 + intHash64(number) % 3], 'chat',
       ['chat', 'search'][1 + number % 2], '/v1/chat', 'production', hex(number), hex(number),
       toInt64((${MIDNIGHT_S} + intDiv(number * ${DAY_S}, ${SPANS})) * 1000000000),
       toInt64(1000000 + exp(intHash64(number * 7) % 100000 / 9000) * 1000000),
       toInt64(number % 4000), toInt64(number % 900), toInt64(number), 'priced'
     FROM numbers(${SPANS}) SETTINGS max_insert_block_size = 50000`,
  )
})

afterAll(async () => {
  await clickhouse.command(`DROP DATABASE IF EXISTS ${clickhouse.database}`)
  await clickhouse.close()
})

interface Row {
  readonly hour: string
  readonly model: string
  readonly requests: string
  readonly usd: string
  readonly p95: number
}

/** The values next to the rank 0.95 (n - 1): the sketch promises to be within 1 % of those. */
interface ExactRow extends Omit<Row, 'p95'> {
  readonly low: number
  readonly high: number
}

const range = `>= toDateTime(${MIDNIGHT_S}, 'UTC') AND`
const end = `< toDateTime(${MIDNIGHT_S + DAY_S}, 'UTC')`

test('a day of latency, requests and spend by model and hour: the same answer from 50 times fewer rows', async () => {
  const rollup = await clickhouse.measuredQuery<Row>(
    `SELECT time AS hour, model, sum(parts.requests) AS requests, sum(parts.cost_usd) AS usd,
       quantilesDDMerge(0.01, 0.95)(duration_ms)[1] AS p95
     FROM requests_by_model_1h AS parts WHERE time ${range} time ${end}
     GROUP BY hour, model ORDER BY hour, model`,
  )
  const spans = await clickhouse.measuredQuery<ExactRow>(
    `SELECT * EXCEPT (sorted) FROM (SELECT toStartOfHour(start_time) AS hour, request_model AS model,
       count() AS requests,
       sum(cost_usd) AS usd, arraySort(groupArray(duration_nano / 1000000)) AS sorted,
       sorted[toUInt32(1 + floor(0.95 * (requests - 1)))] AS low, sorted[toUInt32(1 + ceil(0.95 * (requests - 1)))] AS high
     FROM spans WHERE start_time ${range} start_time ${end}
     GROUP BY hour, model) ORDER BY hour, model`,
  )
  expect(spans.readRows).toBeGreaterThanOrEqual(SPANS)
  expect(spans.readRows / rollup.readRows).toBeGreaterThan(50)
  const exact = (row: Omit<Row, 'p95'>) => [
    row.hour.slice(0, 13),
    row.model,
    row.requests,
    Number(row.usd),
  ]
  expect(rollup.rows.map(exact)).toEqual(spans.rows.map(exact))
  expect(rollup.rows).toHaveLength(24 * 3)
  for (const [i, { p95 }] of rollup.rows.entries()) {
    const { low = 0, high = 0 } = spans.rows[i] ?? {}
    expect(p95).toBeGreaterThanOrEqual(low * 0.99)
    expect(p95).toBeLessThanOrEqual(high * 1.01)
  }
})
