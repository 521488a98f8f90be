import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { deflateSync, gzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createLogger } from '#runtime/log.ts'
import type { Acceptance, OtlpRequest } from '../../services/ingest/accept.ts'
import { createHttpReceiver } from '../../services/ingest/otlp-http.ts'
import type { ReceiverLimits } from '../../services/ingest/receiver-limits.ts'
import { decodeResponse, decodeStatus } from './otlp-samples.ts'

const MIB = 1024 * 1024
const LIMITS: ReceiverLimits = {
  maxRequestBytes: MIB,
  maxInflightBytes: 4 * MIB,
  maxConnections: 100,
  requestTimeoutMs: 10_000,
}
const ACCEPTED: Acceptance = { type: 'accepted', spans: 1, rejected: 0, message: '' }
const PROTO = 'application/x-protobuf'
const JSON_TYPE = 'application/json'

let app: FastifyInstance | undefined
afterEach(() => app?.close())

const acceptEvaluations = () => Promise.reject(new Error('no test here sends evaluations'))

/** A listening receiver whose `accept` gives one answer and records what it got. */
async function start({
  answer = () => Promise.resolve(ACCEPTED),
  limits = {},
}: {
  answer?: () => Promise<Acceptance>
  limits?: Partial<ReceiverLimits>
} = {}) {
  const accepted: OtlpRequest[] = []
  const accept = (request: OtlpRequest) => {
    accepted.push(request)
    return answer()
  }
  const logger = createLogger('test', 'silent')
  app = createHttpReceiver({ accept, acceptEvaluations, limits: { ...LIMITS, ...limits }, logger })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const post = (body: Buffer, headers: Record<string, string>) =>
    fetch(`${url}/v1/traces`, { method: 'POST', body: new Uint8Array(body), headers })
  return { accepted, url, port: Number(new URL(url).port), post }
}

const proto = (extra: Record<string, string> = {}) => ({ 'content-type': PROTO, ...extra })
const json = (extra: Record<string, string> = {}) => ({ 'content-type': JSON_TYPE, ...extra })
const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer())

describe('a request that is taken in', () => {
  test.each([
    ['protobuf', PROTO, {}, Buffer.from('bytes'), 'proto'],
    ['protobuf with a parameter', 'Application/X-Protobuf; v=1', {}, Buffer.from('bytes'), 'proto'],
    ['no bytes of protobuf', PROTO, {}, Buffer.alloc(0), 'proto'],
    ['JSON', JSON_TYPE, {}, Buffer.from('{}'), 'json'],
    ['JSON with a charset', 'application/JSON;charset=utf-8', {}, Buffer.from('{}'), 'json'],
    ['identity', PROTO, { 'content-encoding': 'Identity' }, Buffer.from('bytes'), 'proto'],
  ])('may be %s', async (_, type, headers, body, encoding) => {
    const { accepted, post } = await start()
    const response = await post(body, { 'content-type': type, ...headers })
    expect(response.status).toBe(200)
    expect(accepted).toEqual([{ via: 'otlp_http', encoding, body }])
  })

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])('may be compressed with %s', async (encoding, compress) => {
    const { accepted, post } = await start()
    const body = Buffer.from('span '.repeat(100_000))
    const response = await post(compress(body), proto({ 'content-encoding': encoding }))
    expect(response.status).toBe(200)
    expect(accepted[0]?.body.equals(body)).toBe(true)
  })

  test('may come in chunks', async () => {
    const { accepted, port } = await start()
    const request = httpRequest({
      port,
      path: '/v1/traces',
      method: 'POST',
      headers: proto(),
      agent: false,
    })
    request.write('one ')
    request.end('two')
    await once(request, 'response')
    expect(accepted[0]?.body.toString()).toBe('one two')
  })

  test('is answered with an empty message of its own type', async () => {
    const { post } = await start()
    const inProto = await post(Buffer.from('x'), proto())
    expect(inProto.headers.get('content-type')).toBe(PROTO)
    expect(await bytesOf(inProto)).toHaveLength(0)
    const inJson = await post(Buffer.from('{}'), json())
    expect(inJson.headers.get('content-type')).toBe(JSON_TYPE)
    expect(await inJson.text()).toBe('{}')
  })

  test('tells of rejected spans', async () => {
    const partial: Acceptance = { ...ACCEPTED, rejected: 3, message: 'no trace id' }
    const { post } = await start({ answer: () => Promise.resolve(partial) })
    const inJson = await post(Buffer.from('{}'), json())
    expect(inJson.status).toBe(200)
    expect(await inJson.text()).toBe(
      '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"no trace id"}}',
    )
    const inProto = await post(Buffer.from('x'), proto())
    expect(decodeResponse(await bytesOf(inProto))).toEqual({
      partialSuccess: { rejectedSpans: 3, errorMessage: 'no trace id' },
    })
  })
})

describe('a refusal by the pipeline', () => {
  const message = 'why'
  test.each<[Acceptance, number, number, string | null]>([
    [{ type: 'malformed', message }, 400, 3, null],
    [{ type: 'too_large', message }, 413, 8, null],
    [{ type: 'overloaded', message, retryAfterMs: 1_200 }, 429, 8, '2'],
    [{ type: 'unavailable', message, retryAfterMs: 0 }, 503, 14, '1'],
  ])('%j becomes %d', async (acceptance, http, code, retryAfter) => {
    const { post } = await start({ answer: () => Promise.resolve(acceptance) })
    const inProto = await post(Buffer.from('x'), proto())
    expect(inProto.status).toBe(http)
    expect(inProto.headers.get('content-type')).toBe(PROTO)
    expect(inProto.headers.get('retry-after')).toBe(retryAfter)
    expect(decodeStatus(await bytesOf(inProto))).toMatchObject({ code, message })
    const inJson = await post(Buffer.from('{}'), json())
    expect(inJson.status).toBe(http)
    expect(inJson.headers.get('content-type')).toBe(JSON_TYPE)
    expect(await inJson.json()).toMatchObject({ code, message })
  })

  test('by a bug becomes 500 and the server goes on', async () => {
    const { post } = await start({ answer: () => Promise.reject(new Error('secret of the bug')) })
    const response = await post(Buffer.from('x'), proto())
    expect(response.status).toBe(500)
    const status = decodeStatus(await bytesOf(response))
    expect(status).toMatchObject({ code: 13 })
    expect(JSON.stringify(status)).not.toContain('secret')
    expect((await post(Buffer.from('{}'), json())).status).toBe(500)
  })
})

describe('a request that cannot be read', () => {
  const zip = { 'content-encoding': 'gzip' }
  test.each([
    ['without a content type', {}, Buffer.from('x'), 415],
    ['of another content type', { 'content-type': 'text/plain' }, Buffer.from('x'), 415],
    ['of a content type that is none', { 'content-type': '???' }, Buffer.from('x'), 415],
    ['in another compression', proto({ 'content-encoding': 'br' }), Buffer.from('x'), 415],
    ['that is not gzip', proto(zip), Buffer.from('not gzip at all'), 400],
    ['of half a gzip', proto(zip), gzipSync(Buffer.alloc(99_999, 'ab')).subarray(0, 60), 400],
    ['of no bytes in JSON', json(), Buffer.alloc(0), 400],
    ['over the limit', proto(), Buffer.alloc(MIB + 1), 413],
    ['over the limit when decompressed', json(zip), gzipSync(Buffer.alloc(64 * MIB)), 413],
  ])('%s is refused with a Status', async (_, headers, body, http) => {
    const { accepted, post } = await start()
    const response = await post(body, headers)
    expect(response.status).toBe(http)
    const bytes = await bytesOf(response)
    const isProto = response.headers.get('content-type') === PROTO
    const status: unknown = isProto ? decodeStatus(bytes) : JSON.parse(bytes.toString())
    expect(status).toMatchObject({ code: expect.any(Number), message: expect.any(String) })
    expect(isProto).toBe('content-type' in headers && headers['content-type'] === PROTO)
    expect(accepted).toEqual([])
  })

  test('over the limit without a declared length is refused', async () => {
    const { port } = await start()
    const chunked = httpRequest({
      port,
      path: '/v1/traces',
      method: 'POST',
      headers: proto({ 'transfer-encoding': 'chunked' }),
      agent: false,
    })
    chunked.end(Buffer.alloc(2 * MIB))
    const [response] = await once(chunked, 'response')
    expect(response.statusCode).toBe(413)
  })

  test.each([
    ['GET', '/v1/traces', 405, '/v1/traces'],
    ['PUT', '/v1/traces', 405, '/v1/traces'],
    ['DELETE', '/v1/traces?x=1', 405, '/v1/traces'],
    ['POST', '/v1/logs', 404, '/v1/traces'],
    ['POST', '/', 404, '/v1/traces'],
    ['GET', '/metrics', 404, '/v1/traces'],
    ['GET', '/%zz', 400, '%zz'],
  ])('%s %s is answered with %d', async (method, path, http, mention) => {
    const { url } = await start()
    const response = await fetch(`${url}${path}`, { method, headers: json() })
    expect(response.status).toBe(http)
    expect(response.headers.get('content-type')).toBe(JSON_TYPE)
    expect(response.headers.get('allow')).toBe(http === 405 ? 'POST' : null)
    expect(await response.json()).toMatchObject({ message: expect.stringContaining(mention) })
  })
})

describe('the receiver under load', () => {
  test('answers 429 while its bytes are in use, and takes requests again after', async () => {
    const gate = Promise.withResolvers<Acceptance>()
    const { accepted, post } = await start({
      answer: () => gate.promise,
      limits: { maxInflightBytes: 1_500 },
    })
    const first = post(Buffer.alloc(1_000), proto())
    await expect.poll(() => accepted.length).toBe(1)
    const second = await post(Buffer.alloc(1_000), proto())
    expect(second.status).toBe(429)
    expect(second.headers.get('retry-after')).toBe('1')
    expect(decodeStatus(await bytesOf(second))).toMatchObject({ code: 8 })
    gate.resolve(ACCEPTED)
    expect((await first).status).toBe(200)
    expect((await post(Buffer.alloc(1_000), proto())).status).toBe(200)
  })

  test('gives back the bytes of a client that goes away', async () => {
    const { accepted, port, post } = await start({ limits: { maxInflightBytes: 1_500 } })
    const head = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${PROTO}\r\nContent-Length: 1400\r\n\r\n`
    const socket = connect(port, '127.0.0.1')
    socket.write(`${head}${'x'.repeat(1_300)}`)
    await expect.poll(async () => (await post(Buffer.alloc(1_000), proto())).status).toBe(429)
    socket.destroy()
    await expect.poll(async () => (await post(Buffer.alloc(1_000), proto())).status).toBe(200)
    expect(accepted.every(({ body }) => body.length === 1_000)).toBe(true)
  })

  test('cuts off a client that is too slow', async () => {
    const { port } = await start({ limits: { requestTimeoutMs: 200 } })
    const socket = connect(port, '127.0.0.1')
    const head = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${PROTO}\r\nContent-Length: 9\r\n\r\n`
    socket.write(head)
    const answer: Buffer[] = []
    socket.on('data', (chunk: Buffer) => answer.push(chunk))
    await once(socket, 'close')
    const text = Buffer.concat(answer).toString()
    expect(text).toMatch(/^HTTP\/1\.1 408 /)
    expect(text).toContain('{"code":4,')
  })

  test('closes the connection of a client that goes on sending what was refused', async () => {
    const { port } = await start()
    const socket = connect(port, '127.0.0.1')
    const head = `POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: ${PROTO}\r\nContent-Length: ${9 * MIB}\r\n\r\n`
    socket.write(head)
    socket.write(Buffer.alloc(MIB + 1))
    const answer: Buffer[] = []
    socket.on('data', (chunk: Buffer) => answer.push(chunk))
    await once(socket, 'close')
    expect(Buffer.concat(answer).toString()).toMatch(/^HTTP\/1\.1 413 [^]*connection: close/)
  })

  test('answers what is not HTTP with a Status', async () => {
    const { port } = await start()
    const socket = connect(port, '127.0.0.1')
    const answer: Buffer[] = []
    socket.on('data', (chunk: Buffer) => answer.push(chunk))
    socket.write('\u0016\u0003\u0001 hello\r\n\r\n')
    await once(socket, 'close')
    expect(Buffer.concat(answer).toString()).toMatch(/^HTTP\/1\.1 400 [^]*\{"code":3,/)
  })

  test('refuses connections beyond its limit', async () => {
    const { port } = await start({ limits: { maxConnections: 1 } })
    const first = connect(port, '127.0.0.1')
    await once(first, 'connect')
    const second = connect(port, '127.0.0.1')
    second.on('error', () => {})
    await once(second, 'close')
    expect(first.destroyed).toBe(false)
    first.destroy()
  })

  test('lets requests in progress end when it closes', async () => {
    const gate = Promise.withResolvers<Acceptance>()
    const { accepted, post } = await start({ answer: () => gate.promise })
    const pending = post(Buffer.from('x'), proto())
    await vi.waitFor(() => expect(accepted).toHaveLength(1))
    const closed = app?.close()
    gate.resolve(ACCEPTED)
    expect((await pending).status).toBe(200)
    await closed
  })
})
