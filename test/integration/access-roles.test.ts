import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type Env, parseCommonConfig } from '#runtime/config.ts'
import { setUp } from '../../services/cli/stack.ts'
import { startWorkers } from '../../services/cli/workers.ts'
import { findFreePorts } from '../../services/embedded/ports.ts'
import { silent, until } from '../support/stack.ts'
import { isTable, readRelations, type Relation } from './access-relations.ts'
import {
  ACCESS_DENIED,
  type AccessServer,
  DATABASE,
  passwordOf,
  startAccessServer,
} from './access-server.ts'
import { reprice } from './reprice-runs.ts'
import { makeRequests, PRIVATE, RANGE } from './reprice-stack.ts'

/**
 * Goal: migrator, writer and grafana can do their work and no more. Method: every table and view of the
 * server is tried as each of them, limits are run into, and the pipeline's workers and a run of
 * re-pricing do all of their work as the users that they are meant to be.
 */

/** Small enough to run into, large enough for every view of little data. */
const LIMITS = {
  SPANMETER_QUERY_MAX_SECONDS: '2',
  SPANMETER_QUERY_MAX_MEMORY: '200m',
  SPANMETER_QUERY_MAX_ROWS: '1000000',
  SPANMETER_QUERY_MAX_BYTES: '100m',
  SPANMETER_QUERY_MAX_RESULT_ROWS: '1000',
}
const MIB = 2 ** 20
/** What one may be set to at most. */
const BOUNDS = {
  max_execution_time: 7,
  max_memory_usage: 200 * MIB,
  max_rows_to_read: 1_000_000,
  max_bytes_to_read: 100 * MIB,
  max_result_rows: 1_000,
}
const LANDING_DEADLINE_MS = 60_000

let server: AccessServer
let relations: readonly Relation[]

beforeAll(async () => {
  server = await startAccessServer('users: []', LIMITS)
  await server.migrate('migrator', DATABASE)
  await server.rows('CREATE DATABASE private')
  await server.rows('CREATE TABLE private.x (x UInt8) ENGINE = Memory')
  relations = await readRelations(server)
})
afterAll(() => server?.stop())

const codeOf = async (user: string, sql: string, settings?: Readonly<Record<string, string>>) =>
  (await server.ask(user, sql, settings)).code

const codeOfGrafana = (sql: string, settings?: Readonly<Record<string, string>>) =>
  codeOf('grafana', sql, settings)

describe('grafana', () => {
  test('reads every table and view, and nothing of the server or of other databases', async () => {
    for (const { calls } of relations) {
      const [call = ''] = calls
      expect([call, await codeOfGrafana(`EXPLAIN SELECT * FROM ${call}`)]).toEqual([call, 0])
    }
    expect(await codeOfGrafana('SELECT name FROM system.tables')).toBe(0)
    expect(await codeOfGrafana('SHOW TABLES')).toBe(0)
    for (const table of ['private.x', 'system.users', 'system.processes', 'system.parts']) {
      expect([table, await codeOfGrafana(`SELECT * FROM ${table}`)]).toEqual([table, ACCESS_DENIED])
    }
    expect((await server.ask('grafana', 'SHOW DATABASES')).text).not.toContain('private')
  })

  test('changes nothing', async () => {
    for (const sql of [
      "INSERT INTO spans (tenant) VALUES ('x')",
      "INSERT INTO spans_landing (tenant) VALUES ('x')",
      'ALTER TABLE spans DELETE WHERE 1',
      'TRUNCATE TABLE spans',
      'DROP VIEW cost_drift',
      'CREATE TABLE x (x UInt8) ENGINE = Memory',
      "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
      "SELECT * FROM file('x', 'LineAsString')",
    ]) {
      expect([sql, await codeOfGrafana(sql)]).toEqual([sql, ACCESS_DENIED])
    }
  })

  test.each(Object.entries(BOUNDS))('may lower %s and not raise it', async (name, bound) => {
    expect(await codeOfGrafana('SELECT 1', { [name]: String(bound) })).toBe(0)
    expect(await codeOfGrafana('SELECT 1', { [name]: '1' })).not.toBe(452)
    for (const profile of [{}, { profile: 'default' }]) {
      // 0 is without limit.
      for (const value of [bound + 1, 0, -1]) {
        const settings = { ...profile, [name]: String(value) }
        expect([settings, await codeOfGrafana('SELECT 1', settings)]).toEqual([
          settings,
          expect.toSatisfy((code) => code !== 0),
        ])
      }
    }
    expect(await codeOfGrafana(`SELECT 1 SETTINGS ${name} = ${bound + 1}`)).not.toBe(0)
    const { text } = await server.ask('grafana', `SELECT getSetting('${name}')`, {
      profile: 'default',
    })
    expect(Number(text)).toBeLessThanOrEqual(bound)
    expect(Number(text)).toBeGreaterThan(0)
  })

  test('is stopped at each limit', async () => {
    const slow = { max_block_size: '1', function_sleep_max_microseconds_per_block: '10000000' }
    expect(await codeOfGrafana('SELECT sleepEachRow(1) FROM numbers(30)', slow)).toBe(159)
    const heavy = "SELECT length(arrayMap(x -> repeat('x', 100), range(10000000)))"
    expect(await codeOfGrafana(heavy)).toBe(241)
    expect(await codeOfGrafana('SELECT count() FROM numbers(1000001)')).toBe(158)
    expect(await codeOfGrafana('SELECT number FROM numbers(1001)')).toBe(396)
    expect(await codeOfGrafana('SELECT number FROM numbers(1000)')).toBe(0)
    for (const name of ['log_queries', 'query_cache_share_between_users', 'readonly']) {
      expect(
        await codeOfGrafana('SELECT 1', { [name]: name === 'log_queries' ? '0' : '1' }),
      ).not.toBe(0)
    }
  })
})

/** The tables where records arrive. */
const landings = () => relations.filter(({ engine }) => engine === 'Null')

/** What materialized views read: records as they arrive, and rollups that others are made from. */
const sources = () =>
  relations
    .filter(({ engine }) => engine === 'MaterializedView')
    .flatMap(({ text }) => [...text.matchAll(/\bFROM\s+\w+\.(\w+)/g)].map(([, name = '']) => name))

/** A record of now into each of them: an older one would be past its retention. */
async function insertEverywhere(): Promise<void> {
  for (const { name, columns } of landings()) {
    const times = columns.flatMap((column) => /^\w*time_unix_nano(?= )/.exec(column) ?? [])
    const record = Object.fromEntries(times.map((time) => [time, `${Date.now()}000000`]))
    const sql = `INSERT INTO ${name} FORMAT JSONEachRow ${JSON.stringify(record)}`
    expect([name, await server.ask('writer', sql)]).toEqual([name, { code: 0, text: '' }])
  }
}

/** The tables that hold rows. */
async function filledTables(): Promise<readonly string[]> {
  return server.rows(
    `SELECT table FROM system.parts WHERE database = '${DATABASE}' AND active AND rows > 0 GROUP BY table ORDER BY table`,
  )
}

describe('writer', () => {
  test('inserts where records arrive, through every materialized view', async () => {
    expect(landings().length).toBeGreaterThan(5)
    await insertEverywhere()
    expect(await filledTables()).toEqual(
      expect.arrayContaining(['spans', 'requests_by_model_1m', 'requests_by_model_1h', 'alerts']),
    )
  })

  test('also where views run as who made them, as a server of its own makes them', async () => {
    const sum = `SELECT sum(requests) FROM ${DATABASE}.requests_by_model_1h`
    const before = Number((await server.rows(sum))[0])
    for (const { name } of relations.filter(({ engine }) => engine === 'MaterializedView')) {
      const sql = `ALTER TABLE ${DATABASE}.${name} MODIFY SQL SECURITY DEFINER DEFINER = migrator`
      expect([name, await server.ask('migrator', sql)]).toEqual([name, { code: 0, text: '' }])
    }
    await insertEverywhere()
    expect(Number((await server.rows(sum))[0])).toBe(before + 1)
  })

  test('reads no spans, no content and no scores, and changes nothing else', async () => {
    const needs = new Set([...landings().map(({ name }) => name), ...sources(), 'annotations'])
    for (const name of [
      'spans',
      'span_content',
      'evaluations',
      'alerts',
      'traces',
      'dead_letters',
    ]) {
      expect(needs).not.toContain(name)
    }
    for (const { name, calls } of relations.filter((relation) => !needs.has(relation.name))) {
      const [call = ''] = calls
      const code = await codeOf('writer', `SELECT * FROM ${call} LIMIT 1`)
      expect([name, code]).toEqual([name, ACCESS_DENIED])
    }
    for (const { name } of relations.filter(isTable)) {
      for (const sql of [
        ...(name === 'annotations' ? [] : [`INSERT INTO ${name} FORMAT JSONEachRow {}`]),
        `TRUNCATE TABLE ${name}`,
        `DROP TABLE ${name}`,
        `ALTER TABLE ${name} DELETE WHERE 1`,
      ]) {
        expect([sql, await codeOf('writer', sql)]).toEqual([sql, ACCESS_DENIED])
      }
    }
  })
})

describe('migrator', () => {
  test('brings the database up to the migrations, and changes how long tables keep rows', async () => {
    expect(await server.migrate('migrator', DATABASE)).toEqual([])
    const sql = `ALTER TABLE ${DATABASE}.spans MODIFY TTL toDateTime(start_time) + INTERVAL 91 DAY`
    expect(await codeOf('migrator', sql)).toBe(0)
  })

  test('stays in its database, and is nobody else', async () => {
    for (const sql of [
      'CREATE DATABASE elsewhere',
      'CREATE TABLE private.y (x UInt8) ENGINE = MergeTree ORDER BY x',
      'SELECT * FROM private.x',
      `DROP DATABASE ${DATABASE}`,
      `TRUNCATE TABLE ${DATABASE}.spans`,
      'SELECT * FROM system.users',
      "CREATE USER x IDENTIFIED BY 'x'",
      "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
      `CREATE TABLE ${DATABASE}.x (x String) ENGINE = URL('http://127.0.0.1:1/', 'CSV')`,
      'SYSTEM SHUTDOWN',
    ]) {
      expect([sql, await codeOf('migrator', sql)]).toEqual([sql, ACCESS_DENIED])
    }
  })
})

test('A wrong password, and no password, let nobody in', async () => {
  for (const user of ['migrator', 'writer', 'grafana', 'nobody']) {
    for (const key of ['', 'wrong']) {
      const headers = { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': key }
      const response = await fetch(`${server.url}/?query=SELECT+1`, { headers })
      expect([user, key, response.ok]).toEqual([user, key, false])
    }
  }
})

describe('The pipeline', () => {
  test('runs as writer, and re-prices as migrator', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spanmeter-access-pipeline-'))
    const { env, httpPort } = await pipelineEnv(folder)
    await setUp(as('migrator', env), parseCommonConfig(as('migrator', env)), silent, () => {})
    const workers = await startWorkers({
      env: as('writer', env),
      logDir: folder,
      readyDeadlineMs: 60_000,
      onProgress: () => {},
    })
    try {
      for (const body of makeRequests(300)) {
        const response = await fetch(`http://127.0.0.1:${httpPort}/v1/traces`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-protobuf' },
          body: new Uint8Array(body),
        })
        expect(response.status).toBe(200)
      }
      const unpriced = `SELECT count() FROM ${DATABASE}.spans WHERE request_model = '${PRIVATE}' AND price_status = 'unpriced'`
      const calls = 150
      const count = async () => Number((await server.rows(unpriced))[0])
      await until('spans land', LANDING_DEADLINE_MS, count, (n) => n >= calls)
      const prices = join(folder, 'prices.json')
      const models = [{ model: PRIVATE, prices: { input: '0.5', output: '1.5' } }]
      await writeFile(prices, JSON.stringify({ models }))
      const run = await reprice(as('migrator', { ...env, SPANMETER_PRICES: prices }), RANGE)
      expect(run).toMatchObject({ unpriced_after: 0 })
      expect(await count()).toBe(0)
    } finally {
      await workers.stop()
      await rm(folder, { recursive: true, force: true })
    }
  })
})

function as(user: string, env: Env): Env {
  return {
    ...env,
    SPANMETER_CLICKHOUSE_USER: user,
    SPANMETER_CLICKHOUSE_PASSWORD: passwordOf(user),
  }
}

async function pipelineEnv(
  folder: string,
): Promise<{ readonly env: Env; readonly httpPort: number }> {
  const [httpPort = 0, grpcPort = 0] = await findFreePorts(2)
  const env: Env = {
    ...process.env,
    SPANMETER_KAFKA_BROKERS: inject('brokers').join(','),
    SPANMETER_CLICKHOUSE_URL: server.url,
    SPANMETER_TOPIC_PREFIX: `${randomBytes(4).toString('hex')}.`,
    SPANMETER_DATA_DIR: folder,
    SPANMETER_OTLP_HTTP_PORT: String(httpPort),
    SPANMETER_OTLP_GRPC_PORT: String(grpcPort),
    SPANMETER_INGEST_METRICS_PORT: '0',
    SPANMETER_ENRICH_METRICS_PORT: '0',
    SPANMETER_SINK_METRICS_PORT: '0',
    SPANMETER_ALERT_METRICS_PORT: '0',
  }
  return { env, httpPort }
}
