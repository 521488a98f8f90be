import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import type { Clock } from '../../../services/cli/replay/clock.ts'
import { createHttpSender, retryAfterMs } from '../../../services/cli/replay/http-sender.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** A receiver on a free port that gives one answer after another, and the last one for ever. */
async function listen(...answers: Answer[]) {
  const bodies: Buffer[] = []
  const server = createServer(async (request, response) => {
    bodies.push(Buffer.concat(await request.toArray()))
    const answer = answers[Math.min(bodies.length, answers.length) - 1]
    answer?.(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close().closeAllConnections())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { bodies, endpoint: `http://127.0.0.1:${address.port}`, server }
}

function createSender(endpoint: string, apiKey?: string) {
  const sleeps: number[] = []
  const rejected: [number, string][] = []
  const clock: Clock = {
    now: () => Date.parse('2026-01-01T00:00:00Z'),
    sleep: async (ms) => {
      sleeps.push(ms)
    },
  }
  const sender = createHttpSender(
    { endpoint, maxAttempts: 4, maxBackoffMs: 30_000, timeoutMs: 10_000, apiKey },
    {
      clock,
      signal: new AbortController().signal,
      onRejected: (spans, reason) => rejected.push([spans, reason]),
    },
  )
  return { sender, sleeps, rejected }
}

const accept: Answer = (_, response) => response.writeHead(200).end()
const refuse =
  (status: number, headers: Record<string, string> = {}, body: string | Uint8Array = ''): Answer =>
  (_, response) =>
    response.writeHead(status, headers).end(body)
const body = new Uint8Array([10, 0])
const protobuf = { 'content-type': 'application/x-protobuf' }

describe('createHttpSender', () => {
  it('sends an API key where it has one, and asks for one where it is refused', async () => {
    const seen: unknown[] = []
    const { endpoint } = await listen((request, response) => {
      seen.push(request.headers.authorization)
      response.end()
    }, refuse(401))
    await createSender(endpoint, 'sm_a_b').sender.send([body])
    expect(seen).toEqual(['Bearer sm_a_b'])
    await expect(createSender(endpoint).sender.send([body])).rejects.toThrow('SPANMETER_API_KEY')
  })

  it.each(['', '/', '/v1/traces'])(
    'posts protobuf to /v1/traces for an address with "%s"',
    async (end) => {
      let seen: unknown
      const { endpoint, bodies } = await listen((request, response) => {
        seen = [request.method, request.url, request.headers['content-type']]
        response.end()
      })
      await createSender(endpoint + end).sender.send([body])
      expect(seen).toEqual(['POST', '/v1/traces', 'application/x-protobuf'])
      expect(bodies).toEqual([Buffer.from(body)])
    },
  )

  it('waits as long as Retry-After says, within its limit, and sends the same bytes', async () => {
    const { endpoint, bodies } = await listen(
      refuse(429, { 'retry-after': '7' }),
      refuse(503, { 'retry-after': '3600' }),
      accept,
    )
    const { sender, sleeps } = createSender(endpoint)
    await sender.send([body])
    expect(sleeps).toEqual([7000, 30_000])
    expect(bodies).toEqual([Buffer.from(body), Buffer.from(body), Buffer.from(body)])
  })

  it('backs off longer and longer without Retry-After, and gives up after its attempts', async () => {
    const { endpoint } = await listen(refuse(503))
    const { sender, sleeps } = createSender(endpoint)
    await expect(sender.send([body])).rejects.toThrow(/in 4 attempts: HTTP 503/)
    expect(sleeps).toHaveLength(3)
    for (const [index, ms] of sleeps.entries()) {
      expect(ms >= 250 * 2 ** index && ms <= 500 * 2 ** index).toBe(true)
    }
  })

  it('does not retry what will never work, and shows the message of the status', async () => {
    // google.rpc.Status: code 3, message "no spans".
    const status = Buffer.concat([Buffer.from([0x08, 3, 0x12, 8]), Buffer.from('no spans')])
    const { endpoint, bodies } = await listen(refuse(400, protobuf, status))
    await expect(createSender(endpoint).sender.send([body])).rejects.toThrow('HTTP 400 no spans')
    expect(bodies).toHaveLength(1)
  })

  it('shows the beginning of a page that is no status', async () => {
    const { endpoint } = await listen(refuse(404, { 'content-type': 'text/plain' }, 'not here'))
    await expect(createSender(endpoint).sender.send([body])).rejects.toThrow('HTTP 404 not here')
  })

  it('tells of spans that the receiver refused', async () => {
    const partial = Buffer.concat([Buffer.from([0x0a, 9, 0x08, 2, 0x12, 5]), Buffer.from('no id')])
    const { endpoint } = await listen(refuse(200, protobuf, partial))
    const { sender, rejected } = createSender(endpoint)
    await sender.send([body])
    expect(rejected).toEqual([[2, 'no id']])
  })

  it('says what to do when nobody listens', async () => {
    const { endpoint, server } = await listen(accept)
    await new Promise((resolve) => server.close(resolve))
    const { sender, sleeps } = createSender(endpoint)
    await expect(sender.send([body])).rejects.toThrow(
      `Cannot reach ${endpoint}/v1/traces: connection refused. Is Spanmeter running?`,
    )
    expect(sleeps).toEqual([])
  })

  it('retries a broken connection to a receiver that has answered before', async () => {
    const { endpoint, bodies } = await listen(accept, (request) => request.socket.destroy(), accept)
    const { sender, sleeps } = createSender(endpoint)
    await sender.send([body, body])
    expect(bodies).toHaveLength(3)
    expect(sleeps).toHaveLength(1)
  })
})

it.each([
  [null, undefined],
  ['5', 5000],
  ['Thu, 01 Jan 2026 00:00:09 GMT', 9000],
  ['Thu, 01 Jan 2020 00:00:00 GMT', 0],
  ['soon', undefined],
])('reads Retry-After %s as %s ms', (header, expected) => {
  expect(retryAfterMs(header, Date.parse('2026-01-01T00:00:00Z'))).toBe(expected)
})
