import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type ClickHouse, connectClickHouse } from '#runtime/clickhouse.ts'
import { migrate, parseMigrationVariables } from '#runtime/migrations.ts'

/**
 * Goal: rows of a tenant go after the days that were set for it, those of others after theirs. Method: a row of
 * ten days and one of a hundred days ago of each of two tenants in every table that has tenants, and merges.
 */

const TABLES = {
  span_content: { time: 'start_time', class: 'content' },
  dead_letters: { time: 'time', class: 'content' },
  spans: { time: 'start_time', class: 'spans' },
  traces: { time: 'hour', class: 'spans' },
  evaluations: { time: 'time', class: 'evaluations' },
  requests_by_model_1m: { time: 'time', class: 'rollups' },
  cost_by_user_1h: { time: 'time', class: 'rollups' },
  calls_by_feature_1d: { time: 'time', class: 'rollups' },
  price_corrections: { time: 'start_time', class: 'rollups' },
  annotations: { time: 'time', class: 'rollups' },
} as const

let clickhouse: ClickHouse
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spanmeter-retention-'))
  clickhouse = connectClickHouse({
    url: inject('clickhouseUrl'),
    user: 'default',
    password: '',
    database: `test_${randomUUID().replaceAll('-', '')}`,
  })
})

afterAll(async () => {
  await clickhouse?.command(`DROP DATABASE IF EXISTS ${clickhouse.database}`)
  await clickhouse?.close()
  await rm(folder, { recursive: true, force: true })
})

async function setUp(text: string): Promise<readonly string[]> {
  const file = join(folder, 'retention.yaml')
  await writeFile(file, text)
  return migrate(clickhouse, { variables: parseMigrationVariables({ SPANMETER_RETENTION: file }) })
}

async function fill(): Promise<void> {
  for (const [table, { time }] of Object.entries(TABLES)) {
    await clickhouse.command(
      `INSERT INTO ${clickhouse.database}.${table} (tenant, ${time})
       SELECT arrayJoin(['acme', 'other']), now() - INTERVAL arrayJoin([10, 100]) DAY`,
    )
  }
}

async function left(): Promise<Readonly<Record<string, readonly string[]>>> {
  const found: [string, readonly string[]][] = []
  for (const [table, { time }] of Object.entries(TABLES)) {
    await clickhouse.command(`OPTIMIZE TABLE ${clickhouse.database}.${table} FINAL`)
    const rows = await clickhouse.query<{ row: string }>(
      `SELECT DISTINCT concat(tenant, ' ', if(${time} > now() - INTERVAL 50 DAY, '10', '100')) AS row
       FROM ${table} ORDER BY row`,
    )
    found.push([table, rows.map(({ row }) => row)])
  }
  return Object.fromEntries(found)
}

const whole = async (table: string) => {
  const [row] = await clickhouse.query<{ n: number }>(
    `SELECT toUInt8(position(engine_full, 'ttl_only_drop_parts = 1') > 0) AS n FROM system.tables
     WHERE database = currentDatabase() AND name = {table:String}`,
    { table },
  )
  return row?.n === 1
}

const ALL = ['acme 10', 'acme 100', 'other 10', 'other 100']

test('each tenant keeps its rows for its own days', async () => {
  await setUp('{}')
  await setUp(
    'default: {content: 90, spans: 365, rollups: 365}\ntenants: {acme: {content: 7, spans: 50}, "o\'c": {spans: 5}}',
  )
  await fill()
  const rows = await left()
  expect(rows).toMatchObject({
    span_content: ['other 10'],
    dead_letters: ['other 10'],
    spans: ['acme 10', 'other 10', 'other 100'],
    traces: ['acme 10', 'other 10', 'other 100'],
    evaluations: ALL,
    requests_by_model_1m: ALL,
    cost_by_user_1h: ALL,
    calls_by_feature_1d: ALL,
    price_corrections: ALL,
    annotations: ALL,
  })
  await expect(whole('span_content')).resolves.toBe(false)
  await expect(whole('requests_by_model_1m')).resolves.toBe(true)
})

test('other days hold for rows that are there, and whole parts are dropped again where all are alike', async () => {
  await setUp('default: {content: 90, spans: 365, rollups: 50, evaluations: 5}')
  expect(await left()).toMatchObject({
    spans: ['acme 10', 'other 10', 'other 100'],
    evaluations: [],
    requests_by_model_1m: ['acme 10', 'other 10'],
    cost_by_user_1h: ['acme 10', 'other 10'],
    price_corrections: ['acme 10', 'other 10'],
    annotations: ['acme 10', 'other 10'],
  })
  await expect(whole('span_content')).resolves.toBe(true)
})
