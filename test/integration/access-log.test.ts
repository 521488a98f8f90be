import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type ClickHouse, connectClickHouse } from '#runtime/clickhouse.ts'
import { formatReads, readAccessLog } from '../../services/cli/access/access-log.ts'

/**
 * The embedded server keeps no log of queries. So a table stands for it that has the columns of the real one, by
 * ClickHouse's documentation, and rows as a server writes them.
 */

const NOW_MS = Date.UTC(2026, 10, 21, 12)
let clickhouse: ClickHouse
let log: string

beforeAll(async () => {
  const database = `test_${randomUUID().replaceAll('-', '')}`
  const url = inject('clickhouseUrl')
  clickhouse = connectClickHouse({ url, user: 'default', password: '', database })
  log = `${database}.log`
  await clickhouse.command(`CREATE DATABASE ${database}`)
  await clickhouse.command(
    `CREATE TABLE ${log}
     (
         type Enum8('QueryStart' = 1, 'QueryFinish' = 2, 'ExceptionBeforeStart' = 3, 'ExceptionWhileProcessing' = 4),
         event_date Date DEFAULT toDate(event_time_microseconds), event_time DateTime('UTC') DEFAULT event_time_microseconds,
         event_time_microseconds DateTime64(6, 'UTC'), user LowCardinality(String), address IPv6 DEFAULT toIPv6('10.1.2.3'),
         http_user_agent LowCardinality(String), client_name LowCardinality(String), query_kind LowCardinality(String),
         columns Array(LowCardinality(String)), is_initial_query UInt8 DEFAULT 1, result_rows UInt64, query String
     ) ENGINE = MergeTree ORDER BY event_time`,
  )
  const row = (minute: number, more: Readonly<Record<string, unknown>>) => ({
    type: 'QueryFinish',
    event_time_microseconds: `2026-11-21 11:${String(minute).padStart(2, '0')}:00`,
    user: 'grafana',
    query_kind: 'Select',
    columns: [`${database}.span_content.prompt`, `${database}.span_content.trace_id`],
    result_rows: 3,
    query: 'SELECT prompt\nFROM span_content',
    ...more,
  })
  const rows = [
    row(1, { http_user_agent: 'curl' }),
    row(1, { type: 'QueryStart' }),
    row(2, {
      user: 'acme',
      client_name: 'ClickHouse client',
      columns: [`${database}_all.dead_letters.payload`],
    }),
    row(3, { columns: [`${database}.spans.cost_usd`, `${database}.span_content.trace_id`] }),
    row(4, { columns: ['other.span_content.prompt'] }),
    row(5, { type: 'ExceptionBeforeStart' }),
    row(6, { query_kind: 'Insert', query: 'INSERT INTO spans_landing FORMAT Avro' }),
    row(7, { query_kind: 'Insert', query: 'insert into x select prompt from span_content' }),
    row(8, { is_initial_query: 0 }),
    row(9, { event_time_microseconds: '2026-11-19 11:00:00' }),
  ]
  await clickhouse.command(
    `INSERT INTO ${log} FORMAT JSONEachRow ${rows.map((each) => JSON.stringify(each)).join('\n')}`,
  )
})

afterAll(async () => {
  await clickhouse?.command(`DROP DATABASE IF EXISTS ${clickhouse.database}`)
  await clickhouse?.close()
})

const DAY_MS = 86_400_000
const ask = (user = '') =>
  readAccessLog(clickhouse, { fromMs: NOW_MS - DAY_MS, toMs: NOW_MS, user, limit: 10 }, log)

test('who reached content is told, with what, from where and how it ended', async () => {
  const found = await ask()
  expect(found?.since).toBe('2026-11-19 11:00:00')
  expect(
    found?.reads.map(({ time, user, client, outcome, read_columns: columns }) => [
      time.slice(14, 16),
      user,
      client,
      outcome,
      ...columns,
    ]),
  ).toEqual([
    ['07', 'grafana', '', 'read', 'span_content.prompt'],
    ['05', 'grafana', '', 'refused', 'span_content.prompt'],
    ['02', 'acme', 'ClickHouse client', 'read', 'dead_letters.payload'],
    ['01', 'grafana', 'curl', 'read', 'span_content.prompt'],
  ])
  const [head, , , acme] = formatReads(found?.reads ?? [])
  expect(head).toMatch(/^time \(UTC\)/)
  expect(acme).toMatch(/acme +10\.1\.2\.3 +ClickHouse client +read +dead_letters\.payload +SELECT/)
})

test('one user is asked for by name', async () => {
  const found = await ask('acme')
  expect(found?.reads.map(({ user }) => user)).toEqual(['acme'])
  expect(formatReads([])).toEqual(['Nobody read content.'])
})

test('a server that keeps no log is told apart from one where nobody read', async () => {
  const asked = { fromMs: 0, toMs: NOW_MS, user: '', limit: 1 }
  const [there] = await clickhouse.query<{ n: number }>(
    `SELECT toUInt8(count()) AS n FROM system.tables WHERE database = 'system' AND name = 'query_log'`,
  )
  const found = await readAccessLog(clickhouse, asked)
  expect(found === undefined).toBe(there?.n === 0)
})
