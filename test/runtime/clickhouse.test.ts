import { createServer } from 'node:net'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { classifyForeignException, classifyServerCode } from '#runtime/clickhouse-error.ts'
import { connectClickHouse } from '#runtime/clickhouse.ts'

describe("what a server's error says", () => {
  test.each([
    [27, 'bad_data'],
    [6, 'bad_data'],
    [117, 'bad_data'],
    [60, 'refused'],
    [516, 'refused'],
    [252, 'unavailable'], // TOO_MANY_PARTS
    [241, 'unavailable'], // MEMORY_LIMIT_EXCEEDED
    [159, 'unavailable'], // TIMEOUT_EXCEEDED
    [99_999, 'unavailable'],
  ])('code %i: %s', (code, kind) => {
    expect(classifyServerCode(code)).toBe(kind)
  })

  test.each([
    ['avro::Exception, e.what() = EOF reached', { code: '1001', kind: 'bad_data' }],
    [
      'std::filesystem::filesystem_error, e.what() = No space',
      { code: '1001', kind: 'unavailable' },
    ],
  ])('a C++ exception of type %s', (type, meaning) => {
    expect(classifyForeignException(`std::exception. Code: 1001, type: ${type}`)).toEqual(meaning)
  })

  test('anything else is no C++ exception', () => {
    expect(classifyForeignException('Timeout error.')).toBeUndefined()
  })
})

/** A port that is closed, or one that takes connections and never answers. */
async function listen() {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  return { server, url: `http://127.0.0.1:${port}` }
}

describe('a server that is not there', () => {
  const options = { user: 'default', password: '', database: 'spanmeter' }

  test('is unavailable, with the code of the network', async () => {
    const { server, url } = await listen()
    server.close()
    const clickhouse = connectClickHouse({ ...options, url })
    const insert = clickhouse.insertAvro({ table: 'a', file: Buffer.from('Obj'), token: 't' })
    await expect(insert).rejects.toMatchObject({
      name: 'ClickHouseError',
      code: 'ECONNREFUSED',
      kind: 'unavailable',
      transient: true,
    })
    await expect(clickhouse.ping()).rejects.toMatchObject({ kind: 'unavailable' })
    await clickhouse.close()
  })

  test('is unavailable when it says nothing for the time of a request', async () => {
    const { server, url } = await listen()
    const clickhouse = connectClickHouse({ ...options, url }, undefined, { requestTimeoutMs: 50 })
    await expect(clickhouse.query('SELECT 1')).rejects.toMatchObject({ kind: 'unavailable' })
    await clickhouse.close()
    server.close()
  })
})
