import { deflateSync, gzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { createLogger } from '#runtime/log.ts'
import type { EvaluationsAcceptance } from '../../services/ingest/evaluations-acceptor.ts'
import { createHttpReceiver } from '../../services/ingest/otlp-http.ts'

const MIB = 1024 * 1024
const LIMITS = {
  maxRequestBytes: MIB,
  maxInflightBytes: 4 * MIB,
  maxConnections: 100,
  requestTimeoutMs: 10_000,
}
const ACCEPTED: EvaluationsAcceptance = { type: 'accepted', accepted: 1, rejected: [] }
const JSON_TYPE = { 'content-type': 'application/json' }

let app: FastifyInstance | undefined
afterEach(() => app?.close())

/** A listening receiver that gives one answer to evaluations, and records what it got. */
async function start(
  answer: () => Promise<EvaluationsAcceptance> = () => Promise.resolve(ACCEPTED),
  limits: Partial<typeof LIMITS> = {},
) {
  const accepted: string[] = []
  app = createHttpReceiver({
    accept: () => Promise.reject(new Error('no test here sends spans')),
    acceptEvaluations(body) {
      accepted.push(body.toString())
      return answer()
    },
    limits: { ...LIMITS, ...limits },
    logger: createLogger('test', 'silent'),
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const post = async (body: string | Buffer, headers: Record<string, string> = JSON_TYPE) => {
    const response = await fetch(`${url}/v1/evaluations`, {
      method: 'POST',
      body: new Uint8Array(Buffer.from(body)),
      headers,
    })
    const type = response.headers.get('content-type')
    const retryAfter = response.headers.get('retry-after')
    const answered: unknown = await response.json()
    return { status: response.status, type, retryAfter, answered }
  }
  return { accepted, url, post }
}

describe('POST /v1/evaluations', () => {
  test.each<[string, string | Buffer, Record<string, string>]>([
    ['plain', '[]', JSON_TYPE],
    ['with a charset', '[]', { 'content-type': 'Application/JSON; charset=utf-8' }],
    ['in gzip', gzipSync('[]'), { ...JSON_TYPE, 'content-encoding': 'gzip' }],
    ['in deflate', deflateSync('[]'), { ...JSON_TYPE, 'content-encoding': 'deflate' }],
  ])('takes JSON %s', async (_, body, headers) => {
    const { accepted, post } = await start()
    expect(await post(body, headers)).toEqual({
      status: 200,
      type: 'application/json',
      retryAfter: null,
      answered: { accepted: 1, rejected: [] },
    })
    expect(accepted).toEqual(['[]'])
  })

  test('says which evaluations were rejected, and why', async () => {
    const rejected = [{ index: 3, message: 'score is missing' }]
    const { post } = await start(() => Promise.resolve({ type: 'accepted', accepted: 2, rejected }))
    expect(await post('[]')).toMatchObject({ status: 200, answered: { accepted: 2, rejected } })
  })

  test('says everything that is wrong where all is', async () => {
    const mistakes = [
      { index: 0, field: 'score', message: 'is missing' },
      { index: 1, field: '', message: 'must be an object' },
    ]
    const acceptance: EvaluationsAcceptance = { type: 'malformed', message: 'No', mistakes }
    const { post } = await start(() => Promise.resolve(acceptance))
    expect(await post('[]')).toMatchObject({ status: 400, answered: { error: 'No', mistakes } })
  })

  test('names a thousand mistakes, and counts the others', async () => {
    const mistakes = Array.from({ length: 1_234 }, (_, index) => ({
      index,
      field: 'score',
      message: 'is missing',
    }))
    const acceptance: EvaluationsAcceptance = { type: 'malformed', message: 'No', mistakes }
    const { post } = await start(() => Promise.resolve(acceptance))
    const answered = { error: 'No', mistakes: mistakes.slice(0, 1_000), more: 234 }
    expect(await post('[]')).toMatchObject({ status: 400, answered })
  })

  test.each<[EvaluationsAcceptance, number, string | null]>([
    [{ type: 'malformed', message: 'why', mistakes: [] }, 400, null],
    [{ type: 'too_large', message: 'why' }, 413, null],
    [{ type: 'overloaded', message: 'why', retryAfterMs: 1_500 }, 429, '2'],
    [{ type: 'unavailable', message: 'why', retryAfterMs: 5_000 }, 503, '5'],
  ])('answers a refusal in plain JSON: %j', async (acceptance, status, retryAfter) => {
    const { post } = await start(() => Promise.resolve(acceptance))
    const expected = { status, type: 'application/json', retryAfter, answered: { error: 'why' } }
    expect(await post('{}')).toEqual(expected)
  })

  test.each<[string, string | Buffer, Record<string, string>, number]>([
    ['another type', '[]', { 'content-type': 'text/plain' }, 415],
    ['protobuf', '[]', { 'content-type': 'application/x-protobuf' }, 415],
    ['another encoding', '[]', { ...JSON_TYPE, 'content-encoding': 'br' }, 415],
    ['gzip that is none', '[]', { ...JSON_TYPE, 'content-encoding': 'gzip' }, 400],
    ['too many bytes', Buffer.alloc(MIB + 1, 0x20), JSON_TYPE, 413],
    [
      'too many bytes in gzip',
      gzipSync(Buffer.alloc(MIB + 1)),
      { ...JSON_TYPE, 'content-encoding': 'gzip' },
      413,
    ],
  ])('refuses %s itself', async (_, body, headers, status) => {
    const { accepted, post } = await start()
    expect(await post(body, headers)).toMatchObject({
      status,
      type: 'application/json',
      answered: { error: expect.any(String) },
    })
    expect(accepted).toEqual([])
  })

  test('asks to come again where all requests together hold too much, and gives room back', async () => {
    const waiting: (() => void)[] = []
    const { accepted, post } = await start(
      () => new Promise((resolve) => waiting.push(() => resolve(ACCEPTED))),
      { maxInflightBytes: MIB },
    )
    const first = post(Buffer.alloc(MIB, 0x20))
    await expect.poll(() => accepted.length).toBe(1)
    expect(await post('[]')).toMatchObject({ status: 429, retryAfter: '1' })
    for (const answer of waiting.splice(0)) answer()
    expect(await first).toMatchObject({ status: 200 })
    const third = post('[]')
    await expect.poll(() => accepted.length).toBe(2)
    for (const answer of waiting) answer()
    expect(await third).toMatchObject({ status: 200 })
  })

  test('is the only way to send evaluations', async () => {
    const { url } = await start()
    for (const path of ['/v1/evaluations', '/v1/evaluations/', '/v1/evaluations?x=1']) {
      const response = await fetch(`${url}${path}`)
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
      expect(await response.json()).toEqual({ error: '/v1/evaluations takes only POST' })
    }
  })

  test('answers a bug with 500, and without its details', async () => {
    const { post } = await start(() => Promise.reject(new RangeError('secret')))
    expect(await post('[]')).toMatchObject({
      status: 500,
      answered: { error: 'Internal error; the log has the details' },
    })
  })
})
