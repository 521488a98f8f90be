import { Client, credentials, Metadata, status as GrpcCode, type ServiceError } from '@grpc/grpc-js'
import { afterEach, describe, expect, test } from 'vitest'
import { createApiKey } from '#runtime/api-key.ts'
import { parseApiKeysFile } from '#runtime/api-keys-file.ts'
import { createLogger } from '#runtime/log.ts'
import type { OtlpRequest } from '../../services/ingest/accept.ts'
import { createApiKeys } from '../../services/ingest/api-keys.ts'
import { type GrpcReceiver, startGrpcReceiver } from '../../services/ingest/otlp-grpc.ts'
import { type ByteBudget, createByteBudget } from '../../services/ingest/receiver-limits.ts'
import { createTenantLimits } from '../../services/ingest/tenant-limits.ts'
import { decodeStatus } from './otlp-samples.ts'

const MIB = 1024 * 1024
const same = (bytes: Buffer) => bytes
const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const DETAILS = 'grpc-status-details-bin'
const LIMITS = {
  maxRequestBytes: MIB,
  maxInflightBytes: 4 * MIB,
  maxConnections: 1_000,
  requestTimeoutMs: 10_000,
}
const [all, scores, stranger] = Array.from({ length: 3 }, createApiKey)
const FILE = `
keys:
  - { id: ${all?.id}, hash: ${all?.hash}, tenant: acme }
  - { id: ${scores?.id}, hash: ${scores?.hash}, tenant: globex, scopes: [evaluations] }
tenants: { acme: { limits: { spans_per_second: 10, max_request_bytes: 1000 } } }
`

let client: Client | undefined
let receiver: GrpcReceiver | undefined
afterEach(async () => {
  client?.close()
  await receiver?.stop()
})

async function start({
  budget,
  answer = Promise.resolve(),
}: { budget?: ByteBudget; answer?: Promise<void> } = {}) {
  const accepted: OtlpRequest[] = []
  const refused: string[] = []
  const { admit } = createApiKeys(parseApiKeysFile(FILE, 'keys.yaml'), {
    limits: createTenantLimits(() => 0),
    now: Date.now,
  })
  receiver = await startGrpcReceiver({
    async accept(request) {
      accepted.push(request)
      await answer
      return { type: 'accepted', spans: 1, rejected: 0, message: '' }
    },
    admit,
    onRefused: (via, reason) => refused.push(`${via} ${reason}`),
    limits: LIMITS,
    ...(budget !== undefined && { budget }),
    logger: createLogger('test', 'silent'),
    host: '127.0.0.1',
    port: 0,
  })
  const started = new Client(`127.0.0.1:${receiver.port}`, credentials.createInsecure())
  client = started
  const send = (headers: readonly (readonly [string, string])[], body = Buffer.from('x')) => {
    const metadata = new Metadata()
    for (const [name, value] of headers) metadata.add(name, value)
    const { promise, resolve } = Promise.withResolvers<ServiceError | undefined>()
    started.makeUnaryRequest(EXPORT, same, same, body, metadata, (error) =>
      resolve(error ?? undefined),
    )
    return promise
  }
  return { accepted, refused, send, port: receiver.port }
}

const bearer = (key: string | undefined) => [['authorization', `Bearer ${key}`]] as const

describe('A call with a key', () => {
  test.each([[bearer(all?.key)], [[['x-api-key', all?.key ?? '']] as const]])(
    'is of its tenant: %#',
    async (headers) => {
      const { accepted, refused, send } = await start()
      expect(await send(headers)).toBeUndefined()
      expect(accepted).toMatchObject([{ via: 'otlp_grpc', tenant: 'acme' }])
      expect(refused).toEqual([])
    },
  )

  test.each([
    ['no key', [], GrpcCode.UNAUTHENTICATED, 'no_key'],
    ['a key of nobody', bearer(stranger?.key), GrpcCode.UNAUTHENTICATED, 'unknown_key'],
    [
      'two keys',
      [
        ['x-api-key', all?.key ?? ''],
        ['x-api-key', stranger?.key ?? ''],
      ] as const,
      GrpcCode.UNAUTHENTICATED,
      'unknown_key',
    ],
    ['a key for scores', bearer(scores?.key), GrpcCode.PERMISSION_DENIED, 'wrong_scope'],
  ])('is refused with %s', async (_, headers, code, reason) => {
    const { accepted, refused, send } = await start()
    const error = await send(headers)
    expect(error?.code).toBe(code)
    expect(error?.metadata.get(DETAILS)).toEqual([])
    expect(accepted).toEqual([])
    expect(refused).toEqual([`otlp_grpc ${reason}`])
  })

  test('may be no longer than its tenant is allowed', async () => {
    const { refused, send } = await start()
    expect(await send(bearer(all?.key), Buffer.alloc(1_000))).toBeUndefined()
    const error = await send(bearer(all?.key), Buffer.alloc(1_001))
    expect(error?.code).toBe(GrpcCode.RESOURCE_EXHAUSTED)
    expect(error?.metadata.get(DETAILS)).toEqual([])
    expect(refused).toEqual(['otlp_grpc too_large'])
  })

  test('of a tenant over its limits is to come again, RetryInfo says when', async () => {
    const { accepted, refused, send } = await start()
    await send(bearer(all?.key))
    accepted[0]?.meter?.take({ spans: 45, bytes: 0 })
    const error = await send(bearer(all?.key))
    expect(error?.code).toBe(GrpcCode.RESOURCE_EXHAUSTED)
    const [details] = error?.metadata.get(DETAILS) ?? []
    expect(Buffer.isBuffer(details) ? decodeStatus(details) : undefined).toMatchObject({
      code: 8,
      details: [{ value: { retryDelay: { seconds: 3, nanos: 501_000_000 } } }],
    })
    expect(refused).toEqual(['otlp_grpc rate_limited'])
  })
})

describe('The receiver', () => {
  test('shares its bytes with others', async () => {
    const budget = createByteBudget(1_500)
    const { refused, send } = await start({ budget })
    expect(budget.tryReserve(1_000)).toBe(true)
    const error = await send(bearer(all?.key), Buffer.alloc(600))
    expect(error?.code).toBe(GrpcCode.UNAVAILABLE)
    budget.release(1_000)
    expect(await send(bearer(all?.key), Buffer.alloc(600))).toBeUndefined()
    expect(budget.usedBytes).toBe(0)
    expect(refused).toEqual(['otlp_grpc overloaded'])
  })

  test('takes a hundred calls at once of one connection, and the others after', async () => {
    const gate = Promise.withResolvers<void>()
    const { accepted, send } = await start({ answer: gate.promise })
    const calls = Array.from({ length: 130 }, () => send(bearer(all?.key)))
    await expect.poll(() => accepted.length).toBe(100)
    gate.resolve()
    expect(await Promise.all(calls)).toEqual(calls.map(() => undefined))
    expect(accepted).toHaveLength(130)
  })
})
