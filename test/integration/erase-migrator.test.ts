import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ClickHouse, connectClickHouse } from '#runtime/clickhouse.ts'
import { createPerson } from '../../services/cli/erase/person.ts'
import {
  addTraces,
  countOwned,
  forgetTraces,
  noteTraces,
  notedTraces,
  removeOwned,
} from '../../services/cli/erase/table-removal.ts'
import { searchLetters, searchTables } from '../../services/cli/erase/table-search.ts'
import { type AccessServer, DATABASE, passwordOf, startAccessServer } from './access-server.ts'
import { AT_S, fillTables } from './access-rows.ts'

let server: AccessServer
let clickhouse: ClickHouse

beforeAll(async () => {
  server = await startAccessServer('users: []')
  await server.migrate('migrator', DATABASE)
  const user = 'migrator'
  const config = { url: server.url, user, password: passwordOf(user), database: DATABASE }
  clickhouse = connectClickHouse(config)
})

afterAll(async () => {
  await clickhouse?.close()
  await server?.stop()
})

test('migrator has the rights that erasing needs, in every table', async () => {
  await fillTables(server, DATABASE, () => ['acme', 'other'])
  const [row] = await clickhouse.query<{ hash: string }>(
    `SELECT hex(sipHash128('user of acme')) AS hash`,
  )
  const person = createPerson('user of acme', 'acme', row?.hash ?? '')
  const named = async () =>
    (await searchTables(clickhouse, person)).map(({ table, column }) => `${table}.${column}`)
  await expect(named()).resolves.toEqual(expect.arrayContaining(['spans.user', 'traces.user']))
  await noteTraces(clickhouse, person)
  await addTraces(clickhouse, person, [{ tenant: 'acme', traceId: 'ab'.repeat(16) }])
  await expect(notedTraces(clickhouse, person)).resolves.toContain('ab'.repeat(16))
  await removeOwned(clickhouse, person, { id: '1', author: 'test' })
  await expect(countOwned(clickhouse, person)).resolves.toEqual({})
  for (const { isRemovable, remove } of await searchTables(clickhouse, person)) {
    if (isRemovable) await remove()
  }
  await expect(named()).resolves.toEqual([])
  await expect(searchLetters(clickhouse, person)).resolves.toEqual([])
  await forgetTraces(clickhouse, person)
  await expect(notedTraces(clickhouse, person)).resolves.toEqual(new Set())
  const [left] = await clickhouse.query<{ n: string }>(
    `SELECT count() AS n FROM spans WHERE tenant = 'other' AND start_time > toDateTime({at:UInt32}) - 86400`,
    { at: AT_S },
  )
  expect(Number(left?.n)).toBeGreaterThan(0)
})
