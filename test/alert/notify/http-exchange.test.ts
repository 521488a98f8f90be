import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  createExchange,
  type ExchangeOptions,
  type HttpRequest,
} from '../../../services/alert/notify/http-exchange.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'

let receiver: Receiver
beforeAll(async () => {
  receiver = await startReceiver()
})
afterAll(() => receiver.stop())

const signal = new AbortController().signal
const post = (url: string): HttpRequest => ({
  method: 'POST',
  url,
  headers: { 'x-test': 'yes' },
  body: '{"ü": 1}',
})
const exchange = (options: Partial<ExchangeOptions> = {}) =>
  createExchange({ allowPrivate: true, timeoutMs: 10_000, ...options })
const toThisMachine = async () => [{ address: '127.0.0.1', family: 4 }]
const toNobody = () => Promise.reject(new Error('ENOTFOUND'))
const silent: (socket: Socket) => void = () => undefined
const portOf = (url: string) => new URL(url).port

describe('An exchange', () => {
  test('sends the request and gives the answer', async () => {
    receiver.replies.push({ status: 429, body: 'wait', headers: { 'retry-after': '7' } })
    const result = await exchange()(post(`${receiver.url}/a/b?c=d`), signal)
    expect(result).toEqual({ type: 'answer', status: 429, retryAfter: '7', body: 'wait' })
    expect(receiver.requests.at(-1)).toMatchObject({
      method: 'POST',
      path: '/a/b?c=d',
      body: '{"ü": 1}',
      headers: { 'x-test': 'yes', 'content-length': '9' },
    })
  })

  test('gets without a body', async () => {
    const request = { ...post(`${receiver.url}/x`), method: 'GET', body: '' } as const
    expect(await exchange()(request, signal)).toMatchObject({ type: 'answer', status: 200 })
    expect(receiver.requests.at(-1)).toMatchObject({ method: 'GET', path: '/x', body: '' })
  })

  test('follows no redirect', async () => {
    const before = receiver.requests.length
    const location = `${receiver.url}/elsewhere`
    receiver.replies.push({ status: 307, headers: { location } })
    const result = await exchange()(post(receiver.url), signal)
    expect(result).toMatchObject({ type: 'answer', status: 307 })
    expect(receiver.requests.length - before).toBe(1)
  })

  test('that gets no answer in time may have sent the request', async () => {
    receiver.replies.push('hang')
    expect(await exchange({ timeoutMs: 100 })(post(receiver.url), signal)).toEqual({
      type: 'lost',
      detail: 'no answer within 100 ms',
      isSent: true,
    })
  })

  test('whose connection breaks may have sent the request', async () => {
    receiver.replies.push('break')
    const result = await exchange()(post(receiver.url), signal)
    expect(result).toMatchObject({ type: 'lost', isSent: true })
  })

  test('that nobody listens to has sent nothing', async () => {
    const gone = await startReceiver()
    await gone.stop()
    expect(await exchange()(post(gone.url), signal)).toMatchObject({
      type: 'lost',
      detail: expect.stringMatching(/ECONNREFUSED/),
      isSent: false,
    })
  })

  test('whose name nobody knows has sent nothing', async () => {
    const result = await exchange({ resolve: toNobody })(
      post('http://nowhere.example.com/'),
      signal,
    )
    expect(result).toEqual({ type: 'lost', detail: 'ENOTFOUND', isSent: false })
  })

  test('that does not get a connection in time has sent nothing', async () => {
    const never = Promise.withResolvers<never>()
    const slow = exchange({ timeoutMs: 100, resolve: () => never.promise })
    expect(await slow(post('http://slow.example.com/'), signal)).toEqual({
      type: 'lost',
      detail: 'no connection within 100 ms',
      isSent: false,
    })
  })

  test('ends when it is told to', async () => {
    const stopping = new AbortController()
    const hanging = await startReceiver({ answer: () => 'hang' })
    const result = exchange()(post(hanging.url), stopping.signal)
    await expect.poll(() => hanging.requests.length).toBe(1)
    stopping.abort()
    await expect(result).rejects.toMatchObject({ name: 'AbortError' })
    await expect(exchange()(post(hanging.url), stopping.signal)).rejects.toThrow('aborted')
    await hanging.stop()
    expect(hanging.requests).toHaveLength(1)
  })
})

describe('An answer', () => {
  const sockets = new Set<Socket>()
  let replyWith = silent
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => replyWith(socket))
  })
  let url = ''
  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address !== null && typeof address !== 'string') url = `http://127.0.0.1:${address.port}/`
  })
  afterEach(() => sockets.forEach((socket) => socket.destroy()))
  afterAll(() => server.close())

  test('that breaks off has said its status', async () => {
    replyWith = (socket) => socket.end('HTTP/1.1 202 Accepted\r\nContent-Length: 99\r\n\r\npart')
    const result = await exchange()(post(url), signal)
    expect(result).toMatchObject({ type: 'answer', status: 202, body: 'part' })
  })

  test('that never ends is cut off in size', async () => {
    const megabyte = Buffer.alloc(1024 * 1024, 'x')
    replyWith = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const more = () => {
        while (!socket.destroyed && socket.write(megabyte));
      }
      socket.on('drain', more)
      more()
    }
    const result = await exchange()(post(url), signal)
    expect(result).toMatchObject({ type: 'answer', status: 200 })
    expect(result.type === 'answer' && result.body.length).toBe(4 * 1024 * 1024)
  })

  test('that never ends is cut off in time', async () => {
    replyWith = (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nslow')
    const result = await exchange({ timeoutMs: 200 })(post(url), signal)
    expect(result).toMatchObject({ type: 'answer', status: 200, body: 'slow' })
  })
})

describe('Addresses of private networks', () => {
  const guarded = exchange({ allowPrivate: false })

  test.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '10.0.0.1',
    '169.254.169.254',
    '0.0.0.0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[fd00:ec2::254]',
    '[64:ff9b::7f00:1]',
  ])('are refused where they stand themselves: %s', async (host) => {
    const before = receiver.requests.length
    const result = await guarded(post(`http://${host}:${portOf(receiver.url)}/`), signal)
    expect(result).toMatchObject({ type: 'refused', detail: expect.stringMatching(/not a public/) })
    expect(receiver.requests.length).toBe(before)
  })

  test.each([
    [['127.0.0.1']],
    [['10.1.2.3']],
    [['169.254.169.254']],
    [['::1']],
    [['::ffff:192.168.0.1']],
    [['8.8.8.8', '127.0.0.1']],
    [['2606:4700:4700::1111', 'fe80::1']],
  ])('are refused where a name leads to them: %j', async (addresses) => {
    const before = receiver.requests.length
    const resolve = async () =>
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    const url = `http://rebound.example.com:${portOf(receiver.url)}/`
    const result = await exchange({ allowPrivate: false, resolve })(post(url), signal)
    expect(result).toEqual({
      type: 'refused',
      detail: expect.stringMatching(/^rebound.example.com: .* is not a public address/),
    })
    expect(receiver.requests.length).toBe(before)
  })

  test('are refused for localhost, as this machine resolves it', async () => {
    const url = `http://localhost:${portOf(receiver.url)}/`
    expect(await guarded(post(url), signal)).toMatchObject({ type: 'refused' })
  })

  test('are reached where the channel allows them, by name too', async () => {
    const url = `http://inside.example.com:${portOf(receiver.url)}/`
    const result = await exchange({ resolve: toThisMachine })(post(url), signal)
    expect(result).toMatchObject({ type: 'answer', status: 200 })
  })

  test.each([true, false])(
    'are looked up once for a request, so that what is checked is what is reached (%s)',
    async (allowPrivate) => {
      const asked: string[] = []
      const resolve = async (hostname: string) => {
        asked.push(hostname)
        return [{ address: '127.0.0.1', family: 4 }]
      }
      const counted = exchange({ allowPrivate, resolve })
      const url = `http://rebound.example.com:${portOf(receiver.url)}/`
      const type = allowPrivate ? 'answer' : 'refused'
      expect(await counted(post(url), signal)).toMatchObject({ type })
      expect(await counted(post(url), signal)).toMatchObject({ type })
      expect(asked).toEqual(['rebound.example.com', 'rebound.example.com'])
    },
  )
})

describe('HTTPS', () => {
  const trusted = getCACertificates('default')
  afterEach(() => setDefaultCACertificates(trusted))

  test('is spoken with whom is trusted, by the name in the address', async () => {
    const secure = await startReceiver({ isTls: true })
    try {
      const untrusted = await exchange()(post(secure.url), signal)
      expect(untrusted).toMatchObject({ type: 'lost', isSent: false })
      setDefaultCACertificates([...trusted, secure.certificate])
      expect(await exchange()(post(secure.url), signal)).toMatchObject({ status: 200 })
      const port = portOf(secure.url)
      const other = exchange({ resolve: toThisMachine })
      expect(await other(post(`https://localhost:${port}`), signal)).toMatchObject({ status: 200 })
      expect(await other(post(`https://other.example.com:${port}`), signal)).toMatchObject({
        type: 'lost',
        detail: expect.stringMatching(/altnames/),
        isSent: false,
      })
      expect(secure.requests).toHaveLength(2)
    } finally {
      await secure.stop()
    }
  })
})
