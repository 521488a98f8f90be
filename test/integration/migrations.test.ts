import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { type ClickHouse, connectClickHouse } from '#runtime/clickhouse.ts'
import type { Env } from '#runtime/config.ts'
import { migrate, MigrationError, parseMigrationVariables } from '#runtime/migrations.ts'
import { between, createRandom } from '../../services/cli/replay/random.ts'

const SEED = Number(process.env['SPANMETER_TEST_SEED'] ?? 1)
const opened: ClickHouse[] = []

function connect(database = `test_${randomUUID().replaceAll('-', '')}`): ClickHouse {
  const url = inject('clickhouseUrl')
  const clickhouse = connectClickHouse({ url, user: 'default', password: '', database })
  opened.push(clickhouse)
  return clickhouse
}

const tablesOf = async (clickhouse: ClickHouse) => {
  const rows = await clickhouse.query<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = {database:String} ORDER BY name`,
    { database: clickhouse.database },
  )
  return rows.map(({ name }) => name)
}

const ttlOf = async (clickhouse: ClickHouse, table: string) => {
  const [row] = await clickhouse.query<{ engine_full: string }>(
    'SELECT engine_full FROM system.tables WHERE database = {database:String} AND name = {table:String}',
    { database: clickhouse.database, table },
  )
  return /toIntervalDay\((\d+)\)/.exec(row?.engine_full ?? '')?.[1]
}

afterAll(async () => {
  for (const clickhouse of opened) {
    await clickhouse.command(`DROP DATABASE IF EXISTS ${clickhouse.database}`)
    await clickhouse.close()
  }
})

/** Every table and view as it was made, by name. */
const schemaOf = async (clickhouse: ClickHouse) => {
  const rows = await clickhouse.query<{ name: string; made: string }>(
    'SELECT name, create_table_query AS made FROM system.tables WHERE database = {database:String}',
    { database: clickhouse.database },
  )
  const { database } = clickhouse
  return Object.fromEntries(rows.map(({ name, made }) => [name, made.replaceAll(database, 'db')]))
}

/** Runs `spanmeter setup`, and kills it with -9 a moment after it began with a file; its exit code. */
async function setUp(env: Env, kill?: { readonly file: number; readonly afterMs: number }) {
  const child = spawn(process.execPath, [CLI, 'setup'], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exited = once(child, 'exit')
  let begun = 0
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.includes('Applying') || begun++ !== kill?.file) continue
    await delay(kill.afterMs)
    child.kill('SIGKILL')
  }
  const [code] = await exited
  return code
}

const CLI = fileURLToPath(new URL('../../services/cli/main.ts', import.meta.url))
const KILLS = 8

describe("the project's migrations", () => {
  const variables = parseMigrationVariables({})

  test(`killed ${KILLS} times on their way, make the same tables as in one go`, async () => {
    const whole = connect()
    await migrate(whole, { variables })
    const killed = connect()
    const env = {
      ...process.env,
      SPANMETER_KAFKA_BROKERS: inject('brokers').join(','),
      SPANMETER_CLICKHOUSE_URL: inject('clickhouseUrl'),
      SPANMETER_CLICKHOUSE_DATABASE: killed.database,
      SPANMETER_TOPIC_PREFIX: `${killed.database}.`,
    }
    const random = createRandom([SEED, 0, 0])
    const tables: number[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      await setUp(env, { file: between(random, 0, 4), afterMs: between(random, 0, 40) })
      tables.push((await tablesOf(killed)).length)
    }
    expect(await setUp(env)).toBe(0)
    expect(await schemaOf(killed)).toEqual(await schemaOf(whole))
    // Some of the kills came in the middle.
    const all = (await tablesOf(whole)).length
    expect(tables.some((count) => count > 0 && count < all)).toBe(true)
  })

  test('apply once, and say so', async () => {
    const clickhouse = connect()
    const told: string[] = []
    const onProgress = (message: string) => told.push(message)
    const applied = await migrate(clickhouse, { variables, onProgress })
    expect(applied).toContain('002_spans.sql')
    expect(applied.at(-1)).toBe('retention.sql')
    expect(told).toHaveLength(applied.length + 1)
    await expect(migrate(clickhouse, { variables })).resolves.toEqual([])
  })

  test('make the same tables when several run at once', async () => {
    const single = connect()
    await migrate(single, { variables })
    const shared = connect()
    const runs = Array.from({ length: 3 }, () => migrate(connect(shared.database), { variables }))
    await Promise.all(runs)
    await expect(tablesOf(shared)).resolves.toEqual(await tablesOf(single))
    await expect(migrate(shared, { variables })).resolves.toEqual([])
  })

  test('bring a new number of days to tables that exist', async () => {
    const clickhouse = connect()
    await migrate(clickhouse, { variables })
    await expect(ttlOf(clickhouse, 'span_content')).resolves.toBe('14')
    const changed = parseMigrationVariables({ SPANMETER_CONTENT_TTL_DAYS: '7' })
    await expect(migrate(clickhouse, { variables: changed })).resolves.toEqual(['retention.sql'])
    await expect(ttlOf(clickhouse, 'span_content')).resolves.toBe('7')
    await expect(ttlOf(clickhouse, 'spans')).resolves.toBe('90')
  })

  test('keep corrections of prices as long as the rollups that they moved', async () => {
    const clickhouse = connect()
    const own = parseMigrationVariables({ SPANMETER_ROLLUP_TTL_DAYS: '500' })
    await migrate(clickhouse, { variables: own })
    await expect(ttlOf(clickhouse, 'price_corrections')).resolves.toBe('500')
    await expect(ttlOf(clickhouse, 'requests_by_model_1h')).resolves.toBe('500')
  })
})

const table = (name: string) =>
  `CREATE TABLE IF NOT EXISTS \${DATABASE}.${name} (n UInt8) ENGINE = Memory;\n`

describe('a folder of migrations', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spanmeter-migrations-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const write = (file: string, text: string) => writeFile(join(folder, file), text)

  test('that stopped in the middle is completed by the next run', async () => {
    const clickhouse = connect()
    await write('001_first.sql', table('a'))
    await write('002_second.sql', `${table('b')} SELECT nothing; ${table('c')}`)
    await expect(migrate(clickhouse, { folder, variables: {} })).rejects.toMatchObject({
      code: '47',
    })
    await expect(tablesOf(clickhouse)).resolves.toEqual(['a', 'b', 'schema_migrations'])
    await write('002_second.sql', `${table('b')} ${table('c')}`)
    const applied = await migrate(clickhouse, { folder, variables: {} })
    expect(applied).toEqual(['002_second.sql'])
    await expect(tablesOf(clickhouse)).resolves.toEqual(['a', 'b', 'c', 'schema_migrations'])
  })

  test('is refused as a whole when an applied file has changed', async () => {
    const clickhouse = connect()
    await write('001_first.sql', table('a'))
    await migrate(clickhouse, { folder, variables: {} })
    await write('001_first.sql', `${table('a')}\n-- and a comment`)
    await write('002_second.sql', table('b'))
    const attempt = migrate(clickhouse, { folder, variables: {} })
    await expect(attempt).rejects.toBeInstanceOf(MigrationError)
    await expect(attempt).rejects.toThrow('001_first.sql has been applied')
    await expect(tablesOf(clickhouse)).resolves.toEqual(['a', 'schema_migrations'])
  })
})
