import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  isTable,
  readRelations,
  readsOnly,
  type Relation,
  tenantPlace,
} from './access-relations.ts'
import { fillTables } from './access-rows.ts'
import {
  ACCESS_DENIED,
  type AccessServer,
  type Answer,
  DATABASE,
  passwordOf,
  startAccessServer,
} from './access-server.ts'

/**
 * Goal: a tenant's user sees what it would see if there were no other tenants, and nothing else. Method:
 * every table of the database is filled with rows of two tenants and of nobody, and every table of a
 * second database with those of one alone. Then whatever the tenant's user is answered on the first
 * must be what the user `default` is answered on the second, in every relation that there is.
 */

const ALONE = 'only_acme'
const ACME = 'acme_grafana'
/** Says whose a row is; no answer to acme may hold it. */
const OTHERS = /globex|of nobody|\brival\b/
const READONLY = 164
/** Every view is asked many times; some are large. */
const LONG = { timeout: 300_000 }
const USERS = `
users:
  - { name: ${ACME}, role: tenant, tenants: [acme], password: "\${ACME}" }
  - { name: rival, role: tenant, tenants: [globex], password: "\${RIVAL}" }
  - { name: both, role: tenant, tenants: [acme, globex], password: "\${BOTH}" }
  - { name: quoting, role: tenant, tenants: ["x') OR ('1'='1", '\\'], password: "\${QUOTING}" }
`

let server: AccessServer
let relations: readonly Relation[]
let readable: readonly Relation[]

beforeAll(async () => {
  server = await startAccessServer(USERS, {
    ACME: passwordOf(ACME),
    RIVAL: passwordOf('rival'),
    BOTH: passwordOf('both'),
    QUOTING: passwordOf('quoting'),
  })
  await server.migrate('migrator', DATABASE)
  await server.migrate('default', ALONE)
  // An annotation of nobody is for everyone.
  await fillTables(server, DATABASE, () => ['globex', 'acme', ''])
  await fillTables(server, ALONE, (table) => (table === 'annotations' ? ['acme', ''] : ['acme']))
  relations = await readRelations(server)
  const refused = await Promise.all(
    relations.map(async ({ calls: [call = ''] }) => {
      const answer = await ask(`EXPLAIN SELECT * FROM ${call}`)
      return answer.code === ACCESS_DENIED
    }),
  )
  readable = relations.filter((_, i) => !refused[i])
})
afterAll(() => server?.stop())

const ask = (sql: string, settings: Readonly<Record<string, string>> = {}) =>
  server.ask(ACME, sql, settings)
const askAlone = (sql: string) => server.ask('default', sql, { database: ALONE })
/** Rows in no order; of a failure its code, as its words name the database. */
const contentOf = ({ code, text }: Answer) => (code === 0 ? text.trim().split('\n').sort() : code)
const rowsOf = (call: string) => `SELECT * FROM ${call} FORMAT JSONCompactEachRow`
const names = (found: readonly Relation[]) => found.map(({ name }) => name)

describe('A tenant', () => {
  test('may read the tables that tell tenants apart and the views of these, and no other', () => {
    const tables = relations.filter(isTable)
    const apart = tables.filter((table) => tenantPlace(table) !== undefined)
    const views = relations.filter(
      (relation) => relation.engine === 'View' && readsOnly(relation, apart, relations),
    )
    expect(names(readable)).toEqual(names([...apart, ...views]).sort())
    expect([apart.length, views.length]).toEqual([expect.any(Number), expect.any(Number)])
    expect(apart.length).toBeGreaterThan(12)
    expect(views.length).toBeGreaterThan(15)
    expect(names(tables)).toEqual(expect.arrayContaining(['dead_letters', 'alert_deliveries']))
  })

  test('sees in each of them what it would see if it were alone', LONG, async () => {
    const seen = new Set<string>()
    for (const { name, calls } of readable) {
      for (const call of calls) {
        const answers = [ask(rowsOf(call)), askAlone(rowsOf(call))] as const
        const [mine, alone] = await Promise.all(answers)
        expect([call, contentOf(mine)]).toEqual([call, contentOf(alone)])
        expect([call, leakIn(withoutShared(name, mine.text.replaceAll(call, '')))]).toEqual([
          call,
          null,
        ])
        if (mine.code === 0 && mine.text !== '') seen.add(name)
      }
    }
    const shown = ['cost_drift', 'trace_summaries', 'alerts_firing', 'evaluated_spans', 'spend']
    expect([...seen]).toEqual(
      expect.arrayContaining([...names(readable.filter(isTable)), ...shown]),
    )
  })

  test('of several tenants sees those, and one with an odd name nothing', async () => {
    for (const relation of readable.filter(isTable)) {
      const place = tenantPlace(relation)
      const sql = `SELECT arraySort(groupUniqArray(${place})) FROM ${relation.name}`
      const everyones = relation.name === 'annotations' ? ["''"] : []
      const sees = async (user: string) => (await server.ask(user, sql)).text.trim()
      expect(await sees('both')).toBe(`[${[...everyones, "'acme'", "'globex'"].join(',')}]`)
      expect(await sees('quoting')).toBe(`[${everyones.join(',')}]`)
    }
  })
})

/** Whom a text tells of who should not stand there. */
const leakIn = (text: string) => OTHERS.exec(text)?.[0] ?? null

/** The annotations of nobody are everyone's. */
function withoutShared(name: string, text: string): string {
  return name === 'annotations' ? text.replaceAll(/(?:\w+ )+of nobody/g, '') : text
}

/** Ways to read a relation, or to learn of it; none may show more than the plain one. */
const WAYS: readonly ((call: string) => string)[] = [
  (call) => `SELECT * FROM view(SELECT * FROM ${DATABASE}.${call})`,
  (call) => `EXPLAIN PLAN indexes = 1, actions = 1 SELECT * FROM ${call}`,
  (call) => `EXPLAIN ESTIMATE SELECT * FROM ${call}`,
  (call) => `DESCRIBE TABLE (SELECT * FROM ${call})`,
]
/** Ways for tables alone. */
const TABLE_WAYS: readonly ((table: string) => string)[] = [
  (table) => `SELECT * FROM ${table} UNION ALL SELECT * FROM ${table}`,
  (table) => `WITH x AS (SELECT * FROM ${table}) SELECT * FROM (SELECT * FROM x)`,
  (table) => `SELECT * FROM viewIfPermitted(SELECT * FROM ${table} ELSE null('x UInt8'))`,
  (table) => `SELECT * FROM numbers(3) AS n CROSS JOIN ${table} AS x`,
  (table) => `SELECT (SELECT groupArray(toString(tuple(*))) FROM ${table})`,
  (table) => `EXPLAIN SYNTAX run_query_tree_passes = 1 SELECT * FROM ${table}`,
  (table) => `SELECT *, _part, _partition_id, _part_offset FROM ${table}`,
  (table) => `SELECT * FROM ${table} FINAL`,
  (table) => `SELECT * FROM merge('${DATABASE}', '^${table}$')`,
  (table) =>
    `SELECT * FROM eval('SELECT * FROM ${table}') SETTINGS allow_experimental_eval_table_function = 1`,
  (table) =>
    `SELECT * FROM mergeTreeIndex('${DATABASE}', '${table}', with_marks = true, with_minmax = true)`,
  (table) => `SELECT * FROM mergeTreeIndex('${DATABASE}', '${table}') SETTINGS enable_analyzer = 0`,
  (table) =>
    `SELECT * FROM mergeTreeIndex('${DATABASE}', '${table}') WHERE throwIf(part_name != '')`,
  (table) => `SELECT * FROM mergeTreeAnalyzeIndexes('${DATABASE}', '${table}')`,
  (table) => `SELECT * FROM mergeTreeProjection('${DATABASE}', '${table}', 'p')`,
  (table) => `SELECT * FROM mergeTreeTextIndex('${DATABASE}', '${table}', 'trace_id_bloom')`,
  (table) => `SELECT * FROM remote('127.0.0.1', '${DATABASE}', '${table}')`,
  (table) => `SELECT * FROM cluster('default', '${DATABASE}', '${table}')`,
  (table) => `SELECT * FROM clusterAllReplicas('default', '${DATABASE}', '${table}')`,
  (table) => `SELECT * FROM loop('${DATABASE}', '${table}') LIMIT 100`,
  (table) => `SHOW CREATE TABLE ${table}`,
  (table) => `SHOW INDEX FROM ${table}`,
]
/** Settings under which rows are filtered elsewhere, or not where they were. */
const SETTINGS: readonly Readonly<Record<string, string>>[] = [
  {},
  { enable_analyzer: '0' },
  { optimize_move_to_prewhere: '0', short_circuit_function_evaluation: 'disable' },
  { query_plan_enable_optimizations: '0', short_circuit_function_evaluation: 'disable' },
  { enable_multiple_prewhere_read_steps: '0', move_all_conditions_to_prewhere: '1' },
  { query_plan_optimize_lazy_materialization: '0', optimize_use_implicit_projections: '1' },
  { final: '1', apply_row_policy_after_final: '1', apply_prewhere_after_final: '0' },
  { use_query_condition_cache: '1', use_skip_indexes_on_data_read: '1' },
]

const callsOf = (tenant: string) => `SELECT count() FROM spans WHERE user = 'user of ${tenant}'`

describe("A tenant's attempts", () => {
  test('to read a relation in another way show no more', LONG, async () => {
    for (const relation of readable) {
      const [call = ''] = relation.calls
      for (const way of isTable(relation) ? [...WAYS, ...TABLE_WAYS] : WAYS) {
        const { text } = await ask(way(call))
        expect([way(call), leakIn(withoutShared(relation.name, text))]).toEqual([way(call), null])
      }
    }
  })

  test('to look at rows before they are filtered find none, whatever the settings', async () => {
    for (const relation of readable) {
      const place = tenantPlace(relation)
      const [call = ''] = relation.calls
      if (place === undefined || relation.name === 'annotations') continue
      // Not how many rows: FINAL adds up those of one key.
      const sql = `SELECT count() > 0, min(${place}), max(${place}) FROM ${call} WHERE throwIf(${place} != 'acme') = 0`
      const alone = await askAlone(sql)
      for (const settings of SETTINGS) {
        const mine = await ask(sql, settings)
        // Some settings are not for every engine; what they refuse they do not show.
        const content = mine.text.includes("doesn't support FINAL") ? alone : mine
        expect([call, settings, contentOf(content)]).toEqual([call, settings, contentOf(alone)])
      }
    }
  })

  test('to read indexes by the id of a table find none', async () => {
    const uuids = await server.rows(
      `SELECT uuid FROM system.tables WHERE database = '${DATABASE}' AND engine LIKE '%MergeTree'`,
    )
    for (const uuid of uuids) {
      const { text } = await ask(`SELECT * FROM mergeTreeAnalyzeIndexesUUID('${uuid}')`)
      expect(text === '' || text.includes('ACCESS_DENIED')).toBe(true)
    }
  })

  test('to widen the row filter by filters of their own widen nothing', async () => {
    for (const { name } of readable.filter(isTable)) {
      const settings = {
        additional_table_filters: `{'${DATABASE}.${name}': '1 OR 1', '${name}': '1 OR 1'}`,
        additional_result_filter: '1 OR 1',
      }
      expect(contentOf(await ask(rowsOf(name), settings))).toEqual(
        contentOf(await askAlone(rowsOf(name))),
      )
    }
  })

  test('to remember what another tenant asked do not change what either sees', async () => {
    const settings = { use_query_condition_cache: '1', use_query_cache: '1' }
    const counts: string[] = []
    for (const user of [ACME, 'rival', ACME, 'rival', 'both']) {
      const both = ['acme', 'globex'].map((tenant) => server.ask(user, callsOf(tenant), settings))
      counts.push((await Promise.all(both)).map(({ text }) => text.trim()).join())
    }
    expect(counts).toEqual(['4,0', '0,4', '4,0', '0,4', '4,4'])
    const shared = await ask(callsOf('acme'), { query_cache_share_between_users: '1' })
    expect(shared.text).toContain('query_cache_share_between_users')
    expect(shared.code).not.toBe(0)
  })

  test('to read tables that are not theirs are refused', async () => {
    const refused = relations.filter((relation) => !readable.includes(relation))
    expect(names(refused)).toEqual(
      expect.arrayContaining(['spans_landing', 'spans_mv', 'dead_letters', 'schema_migrations']),
    )
    for (const { name, calls } of refused) {
      for (const sql of [
        ...calls.map((call) => `SELECT * FROM ${call}`),
        `SELECT count() FROM ${name}`,
        `SELECT 1 FROM ${name}`,
        `SELECT * FROM view(SELECT * FROM ${name})`,
        `SELECT 1 IN (SELECT 1 FROM ${name})`,
        `DESCRIBE TABLE ${name}`,
        `SHOW CREATE TABLE ${name}`,
        `EXISTS TABLE ${name}`,
      ]) {
        expect([sql, (await ask(sql)).code]).toEqual([sql, ACCESS_DENIED])
      }
    }
    for (const table of [`${ALONE}.spans`, 'system.one_of_mine', 'nowhere.spans']) {
      expect((await ask(`SELECT * FROM ${table}`)).code).not.toBe(0)
    }
    expect((await ask(`SELECT * FROM ${ALONE}.spans`)).code).toBe(ACCESS_DENIED)
  })

  test('to learn of others from tables of the system show no name and no text of theirs', async () => {
    const tables = await server.rows("SELECT name FROM system.tables WHERE database = 'system'")
    expect(tables.length).toBeGreaterThan(80)
    const open: string[] = []
    for (const table of tables) {
      const { code, text } = await ask(`SELECT * FROM system.${table} LIMIT 100000`)
      expect([table, leakIn(text)]).toEqual([table, null])
      if (code !== ACCESS_DENIED) open.push(table)
    }
    for (const table of ['query_log', 'processes', 'parts', 'users', 'row_policies', 'mutations']) {
      expect(open).not.toContain(table)
    }
    // These tell what the server can do, and of the tables that may be read how large they are.
    expect(open.filter((table) => !OPEN_SYSTEM_TABLES.has(table))).toEqual([])
  })

  test.each(Object.entries(REFUSED))('to %s are refused', async (_, statements) => {
    for (const sql of statements) {
      const { code, text } = await ask(sql)
      expect([sql, code, text]).toEqual([sql, expect.toSatisfy(isRefusal), expect.anything()])
      expect(text).not.toMatch(OTHERS)
    }
  })

  test('to change what they are by settings of the request are refused', async () => {
    for (const settings of [
      { readonly: '0' },
      { readonly: '1' },
      { allow_ddl: '1', readonly: '0' },
    ]) {
      expect((await ask('SELECT 1', settings)).code).toBe(READONLY)
    }
    const insert = "INSERT INTO spans (tenant) VALUES ('acme')"
    expect((await ask(insert, { profile: 'default' })).code).toBe(ACCESS_DENIED)
    const longer = { profile: 'default', max_execution_time: '9999' }
    expect((await ask('SELECT 1', longer)).code).not.toBe(0)
    expect((await ask('SELECT 1', { role: 'rival' })).code).not.toBe(0)
  })

  test('to use a table function that this test does not know would be news', async () => {
    const found = await server.rows('SELECT name FROM system.table_functions WHERE allow_readonly')
    expect(found.filter((name) => !KNOWN_FUNCTIONS.has(name))).toEqual([])
  })
})

test('The embedded server, unlike a real one, lets SQL read files: nothing keeps tenants from each other there', async () => {
  const file = String(server.env['SPANMETER_ACCESS'])
  const { text } = await ask(`SELECT file('${file}') FORMAT RawBLOB`)
  expect(text).toBe(await readFile(file, 'utf8'))
})

const isRefusal = (code: unknown) => code === ACCESS_DENIED || code === READONLY

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'read elsewhere': [
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM file('/etc/hostname', 'LineAsString')",
    `SELECT * FROM remote('127.0.0.1', '${DATABASE}', 'dead_letters')`,
    `SELECT * FROM remoteSecure('127.0.0.1', '${DATABASE}', 'spans')`,
    `SELECT * FROM remote('127.0.0.1:9000', '${DATABASE}', 'spans', 'default', '')`,
    "SELECT * FROM s3('http://127.0.0.1:1/x.csv', 'CSV', 'x String')",
    "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
    "SELECT * FROM executable('x', 'TSV', 'x String')",
    `SELECT * FROM loop('${DATABASE}', 'spans') LIMIT 1`,
    "SELECT * FROM filesystem('/')",
  ],
  write: [
    "INSERT INTO spans (tenant) VALUES ('acme')",
    "INSERT INTO spans_landing (tenant) VALUES ('acme')",
    "INSERT INTO FUNCTION file('x.csv', 'CSV', 'x String') VALUES ('1')",
    'CREATE TABLE mine (x UInt8) ENGINE = Memory',
    'CREATE TEMPORARY TABLE mine (x UInt8)',
    'CREATE VIEW mine AS SELECT 1',
    'CREATE DATABASE mine',
    'CREATE FUNCTION mine AS x -> x',
    'CREATE DICTIONARY mine (x UInt64) PRIMARY KEY x SOURCE(NULL()) LAYOUT(FLAT()) LIFETIME(0)',
    'ALTER TABLE spans DELETE WHERE 1',
    "ALTER TABLE spans UPDATE tenant = 'acme' WHERE 1",
    'DELETE FROM spans WHERE 1',
    'TRUNCATE TABLE spans',
    'DROP TABLE spans',
    'OPTIMIZE TABLE spans',
    'RENAME TABLE spans TO mine',
    'CHECK TABLE spans',
    "BACKUP TABLE spans TO File('x')",
  ],
  'become somebody else': [
    'SET readonly = 0',
    "CREATE USER mine IDENTIFIED BY 'x'",
    `ALTER USER ${ACME} DEFAULT ROLE ALL`,
    `GRANT ALL ON *.* TO ${ACME}`,
    `CREATE ROW POLICY mine ON spans USING 1 TO ${ACME}`,
    'SHOW USERS',
    'SHOW ROW POLICIES',
    'SHOW CREATE USER default',
    'SHOW ACCESS',
  ],
  'meddle with the server': [
    'KILL QUERY WHERE 1',
    'KILL MUTATION WHERE 1',
    'SHOW PROCESSLIST',
    'SYSTEM FLUSH LOGS',
    'SYSTEM SHUTDOWN',
    'SYSTEM DROP MARK CACHE',
    'SYSTEM RELOAD USERS',
    'USE system',
  ],
}

/** Table functions of readers: they make rows up, or stand in WAYS and TABLE_WAYS. */
const KNOWN_FUNCTIONS = new Set(
  `numbers numbers_mt primes generateRandom generateSeries generate_series values null input
  SQLStandardValues fuzzQuery fuzzJSON view viewIfPermitted merge eval cluster clusterAllReplicas mergeTreeIndex
  mergeTreeProjection mergeTreeTextIndex mergeTreeAnalyzeIndexes mergeTreeAnalyzeIndexesUUID`.split(
    /\s+/,
  ),
)

const OPEN_SYSTEM_TABLES = new Set(
  `aggregate_function_combinators collations columns completions contributors current_roles data_type_families
  database_engines databases dictionary_layouts disk_types enabled_roles formats functions licenses one
  privileges quota_usage settings table_engines table_functions tables time_zones`.split(/\s+/),
)
