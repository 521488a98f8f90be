import { once } from 'node:events'
import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { createApiKey } from '#runtime/api-key.ts'
import { parseApiKeysFile } from '#runtime/api-keys-file.ts'
import { createLogger } from '#runtime/log.ts'
import type { Acceptance, OtlpRequest, Sender } from '../../services/ingest/accept.ts'
import { createApiKeys } from '../../services/ingest/api-keys.ts'
import { keyIn } from '../../services/ingest/http-admission.ts'
import { createHttpReceiver } from '../../services/ingest/otlp-http.ts'
import { createTenantLimits } from '../../services/ingest/tenant-limits.ts'
import { decodeStatus } from './otlp-samples.ts'

const MIB = 1024 * 1024
const LIMITS = {
  maxRequestBytes: MIB,
  maxInflightBytes: 4 * MIB,
  maxConnections: 100,
  requestTimeoutMs: 10_000,
}
const ACCEPTED: Acceptance = { type: 'accepted', spans: 1, rejected: 0, message: '' }
const [all, traces, scores, stranger] = Array.from({ length: 4 }, createApiKey)
const FILE = `
keys:
  - { id: ${all?.id}, hash: ${all?.hash}, tenant: acme }
  - { id: ${traces?.id}, hash: ${traces?.hash}, tenant: acme, scopes: [traces] }
  - { id: ${scores?.id}, hash: ${scores?.hash}, tenant: globex, scopes: [evaluations] }
tenants: { acme: { limits: { spans_per_second: 10, max_request_bytes: 1000 } } }
`

let app: FastifyInstance | undefined
afterEach(() => app?.close())

/** A receiver with keys, that records who sent what. */
async function start() {
  const senders: Sender[] = []
  const refused: string[] = []
  const { admit } = createApiKeys(parseApiKeysFile(FILE, 'keys.yaml'), {
    limits: createTenantLimits(() => 0),
    now: Date.now,
  })
  app = createHttpReceiver({
    accept(request: OtlpRequest) {
      senders.push(request)
      return Promise.resolve(ACCEPTED)
    },
    acceptEvaluations(_body, sender = { tenant: 'nobody was handed over' }) {
      senders.push(sender)
      return Promise.resolve({ type: 'accepted', accepted: 1, rejected: [] })
    },
    admit,
    onRefused: (via, reason) => refused.push(`${via} ${reason}`),
    limits: LIMITS,
    logger: createLogger('test', 'silent'),
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const post = (path: string, headers: Record<string, string>, body = '{}') => {
    const type = { 'content-type': 'application/json' }
    return fetch(`${url}/v1/${path}`, { method: 'POST', body, headers: { ...type, ...headers } })
  }
  return { senders, refused, post, port: Number(new URL(url).port), admit }
}

const bearer = (key: string | undefined) => ({ authorization: `Bearer ${key}` })

describe('A request with a key', () => {
  test.each([
    ['traces', bearer(all?.key)],
    ['traces', { authorization: `bearer  ${all?.key}` }],
    ['traces', { 'x-api-key': all?.key ?? '' }],
    ['traces', { 'x-api-key': all?.key ?? '', authorization: 'Basic cHJveHk6cHJveHk=' }],
    ['evaluations', bearer(all?.key)],
  ])('to %s is of its tenant: %#', async (path, headers) => {
    const { senders, refused, post } = await start()
    expect((await post(path, headers)).status).toBe(200)
    expect(senders).toMatchObject([{ tenant: 'acme' }])
    expect(refused).toEqual([])
  })

  test.each([
    ['traces', {}, 401, { code: 16 }, 'no_key'],
    ['traces', { authorization: 'Basic cHJveHk6cHJveHk=' }, 401, { code: 16 }, 'no_key'],
    ['traces', bearer(stranger?.key), 401, { code: 16 }, 'unknown_key'],
    ['traces', bearer(scores?.key), 403, { code: 7 }, 'wrong_scope'],
    ['evaluations', {}, 401, { error: expect.any(String) }, 'no_key'],
    ['evaluations', bearer(traces?.key), 403, { error: expect.any(String) }, 'wrong_scope'],
  ])('to %s may be refused: %# is %d', async (path, headers, http, shape, reason) => {
    const { senders, refused, post } = await start()
    const response = await post(path, headers)
    expect(response.status).toBe(http)
    expect(response.headers.get('www-authenticate')).toBe(
      http === 401 ? 'Bearer realm="spanmeter"' : null,
    )
    const answer: unknown = await response.json()
    expect(answer).toMatchObject(shape)
    expect(senders).toEqual([])
    expect(refused).toEqual([`${path === 'traces' ? 'otlp_http' : 'evaluations_http'} ${reason}`])
  })

  test('in protobuf is refused in protobuf', async () => {
    const { post } = await start()
    const response = await post('traces', { 'content-type': 'application/x-protobuf' })
    expect(response.status).toBe(401)
    expect(decodeStatus(Buffer.from(await response.arrayBuffer()))).toMatchObject({ code: 16 })
  })

  test('may be no longer than its tenant is allowed', async () => {
    const { post, refused } = await start()
    const body = ' '.repeat(1_001)
    expect((await post('traces', bearer(all?.key), body)).status).toBe(413)
    expect((await post('evaluations', bearer(all?.key), body)).status).toBe(413)
    expect((await post('evaluations', bearer(scores?.key), body)).status).toBe(200)
    expect(refused).toEqual(['otlp_http too_large', 'evaluations_http too_large'])
  })

  test('of a tenant over its limits is to come again when there is room', async () => {
    const { post, senders, refused } = await start()
    await post('traces', bearer(all?.key))
    senders[0]?.meter?.take({ spans: 45, bytes: 0 })
    for (const [path, key] of [
      ['traces', traces?.key],
      ['evaluations', all?.key],
    ] as const) {
      const response = await post(path, bearer(key))
      expect(response.status).toBe(429)
      expect(response.headers.get('retry-after')).toBe('4')
    }
    expect(refused).toEqual(['otlp_http rate_limited', 'evaluations_http rate_limited'])
    expect((await post('evaluations', bearer(scores?.key))).status).toBe(200)
  })
})

const head = (headers: string) =>
  `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}\r\n\r\n`

describe('A stranger', () => {
  test('is answered before a byte of the body has come', async () => {
    const { port } = await start()
    const socket = connect(port, '127.0.0.1')
    socket.write(head(`Content-Length: ${32 * 1024}\r\nExpect: 100-continue`))
    const answer: Buffer[] = []
    socket.on('data', (chunk: Buffer) => answer.push(chunk))
    socket.end(Buffer.alloc(32 * 1024))
    await once(socket, 'close')
    expect(Buffer.concat(answer).toString()).toContain('HTTP/1.1 401 ')
  })

  test('is cut off who goes on sending, long before the limit of a request', async () => {
    const { port } = await start()
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(head(`Content-Length: ${MIB}`))
    socket.write(Buffer.alloc(65 * 1024))
    const answer: Buffer[] = []
    socket.on('data', (chunk: Buffer) => answer.push(chunk))
    await once(socket, 'close')
    expect(Buffer.concat(answer).toString()).toMatch(/^HTTP\/1\.1 401 [^]*connection: close/)
  })
})

describe('The key of a client', () => {
  test.each([
    ['x', undefined, 'x'],
    [' x ', 'Bearer y', 'x'],
    [undefined, 'Bearer y', 'y'],
    [undefined, 'BEARER\ty ', 'y'],
    [undefined, 'y', undefined],
    [undefined, 'Bearer', undefined],
    [undefined, undefined, undefined],
  ])('of x-api-key %j and authorization %j is %j', (own, authorization, key) => {
    expect(keyIn(own, authorization)).toBe(key)
  })
})
