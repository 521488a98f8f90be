import { connect as connectHttp2 } from 'node:http2'
import { createServer } from 'node:net'
import {
  Client,
  compressionAlgorithms,
  credentials,
  Metadata,
  status as GrpcCode,
  type ServiceError,
} from '@grpc/grpc-js'
import { afterEach, describe, expect, test } from 'vitest'
import { createLogger } from '#runtime/log.ts'
import type { Acceptance, OtlpRequest } from '../../services/ingest/accept.ts'
import { startGrpcReceiver, type GrpcReceiver } from '../../services/ingest/otlp-grpc.ts'
import type { ReceiverLimits } from '../../services/ingest/receiver-limits.ts'
import { decodeResponse, decodeStatus } from './otlp-samples.ts'

const MIB = 1024 * 1024
const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const LIMITS: ReceiverLimits = {
  maxRequestBytes: MIB,
  maxInflightBytes: 4 * MIB,
  maxConnections: 100,
  requestTimeoutMs: 10_000,
}
const ACCEPTED: Acceptance = { type: 'accepted', spans: 1, rejected: 0, message: '' }

const same = (bytes: Buffer) => bytes
const acceptAll = () => Promise.resolve(ACCEPTED)

const clients: Client[] = []
let receiver: GrpcReceiver | undefined
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await receiver?.stop()
  receiver = undefined
})

type Outcome =
  | { readonly type: 'response'; readonly bytes: Buffer }
  | { readonly type: 'error'; readonly error: ServiceError }

/** A receiver whose `accept` gives one answer and records what it got, and a client of it. */
async function start({
  answer = acceptAll,
  limits = {},
  compression = compressionAlgorithms.identity,
}: {
  answer?: () => Promise<Acceptance>
  limits?: Partial<ReceiverLimits>
  compression?: compressionAlgorithms
} = {}) {
  const accepted: OtlpRequest[] = []
  const accept = (request: OtlpRequest) => {
    accepted.push(request)
    return answer()
  }
  const logger = createLogger('test', 'silent')
  const options = { accept, logger, limits: { ...LIMITS, ...limits }, host: '127.0.0.1', port: 0 }
  const started = await startGrpcReceiver(options)
  receiver = started
  const client = new Client(`127.0.0.1:${started.port}`, credentials.createInsecure(), {
    'grpc.default_compression_algorithm': compression,
    'grpc.max_send_message_length': -1,
    'grpc.enable_retries': 0,
  })
  clients.push(client)
  const begin = (body: Buffer, path = EXPORT) => {
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    const call = client.makeUnaryRequest(path, same, same, body, new Metadata(), (error, bytes) => {
      if (error !== null) resolve({ type: 'error', error })
      else resolve({ type: 'response', bytes: bytes ?? Buffer.alloc(0) })
    })
    return { call, outcome: promise }
  }
  const send = (body: Buffer, path?: string) => begin(body, path).outcome
  return { accepted, begin, send, port: started.port }
}

const codeOf = (outcome: Outcome) => (outcome.type === 'error' ? outcome.error.code : GrpcCode.OK)

function detailsOf(outcome: Outcome): unknown {
  const [bytes] = outcome.type === 'error' ? outcome.error.metadata.get(DETAILS) : []
  return Buffer.isBuffer(bytes) ? decodeStatus(bytes) : undefined
}
const DETAILS = 'grpc-status-details-bin'

describe('an export', () => {
  test.each([
    ['plain', compressionAlgorithms.identity],
    ['with gzip', compressionAlgorithms.gzip],
    ['with deflate', compressionAlgorithms.deflate],
  ])('is taken in %s', async (_, compression) => {
    const { accepted, send } = await start({ compression })
    const body = Buffer.from('span '.repeat(100_000))
    expect(await send(body)).toEqual({ type: 'response', bytes: Buffer.alloc(0) })
    expect(accepted).toEqual([{ via: 'otlp_grpc', encoding: 'proto', body }])
  })

  test('without any bytes is taken in', async () => {
    const { accepted, send } = await start()
    expect(codeOf(await send(Buffer.alloc(0)))).toBe(GrpcCode.OK)
    expect(accepted[0]?.body).toHaveLength(0)
  })

  test('tells of rejected spans', async () => {
    const partial: Acceptance = { ...ACCEPTED, rejected: 3, message: 'no trace id' }
    const { send } = await start({ answer: () => Promise.resolve(partial) })
    const outcome = await send(Buffer.from('x'))
    const bytes = outcome.type === 'response' ? outcome.bytes : Buffer.alloc(0)
    expect(decodeResponse(bytes)).toEqual({
      partialSuccess: { rejectedSpans: 3, errorMessage: 'no trace id' },
    })
  })

  test.each<[Acceptance, GrpcCode]>([
    [{ type: 'malformed', message: 'why – ünd 100%' }, GrpcCode.INVALID_ARGUMENT],
    [{ type: 'malformed', message: `\ud800${'x'.repeat(100_000)}` }, GrpcCode.INVALID_ARGUMENT],
    [{ type: 'too_large', message: 'why' }, GrpcCode.RESOURCE_EXHAUSTED],
  ])('refused for good (%#) has no RetryInfo', async (acceptance, code) => {
    const { send } = await start({ answer: () => Promise.resolve(acceptance) })
    const outcome = await send(Buffer.from('x'))
    expect(codeOf(outcome)).toBe(code)
    expect(detailsOf(outcome)).toBeUndefined()
  })

  test.each(['overloaded', 'unavailable'] as const)(
    'that is %s is to be sent again, RetryInfo says when',
    async (type) => {
      const refusal: Acceptance = { type, message: 'busy', retryAfterMs: 2_500 }
      const { send } = await start({ answer: () => Promise.resolve(refusal) })
      const outcome = await send(Buffer.from('x'))
      expect(codeOf(outcome)).toBe(GrpcCode.UNAVAILABLE)
      const value = { retryDelay: { seconds: 2, nanos: 500_000_000 } }
      expect(detailsOf(outcome)).toMatchObject({ code: 14, message: 'busy', details: [{ value }] })
    },
  )

  test('failed by a bug is INTERNAL and the server goes on', async () => {
    const { send } = await start({ answer: () => Promise.reject(new Error('secret of the bug')) })
    const outcome = await send(Buffer.from('x'))
    expect(codeOf(outcome)).toBe(GrpcCode.INTERNAL)
    expect(JSON.stringify(outcome)).not.toContain('secret')
    expect(codeOf(await send(Buffer.from('x')))).toBe(GrpcCode.INTERNAL)
  })

  test.each([
    ['plain', compressionAlgorithms.identity, 2 * MIB],
    ['decompressed', compressionAlgorithms.gzip, 64 * MIB],
  ])('over the limit, %s, is RESOURCE_EXHAUSTED for good', async (_, compression, size) => {
    const { accepted, send } = await start({ compression })
    const outcome = await send(Buffer.alloc(size))
    expect(codeOf(outcome)).toBe(GrpcCode.RESOURCE_EXHAUSTED)
    expect(detailsOf(outcome)).toBeUndefined()
    expect(accepted).toEqual([])
  })

  test('of another method is UNIMPLEMENTED', async () => {
    const { send } = await start()
    const logs = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'
    expect(codeOf(await send(Buffer.from('x'), logs))).toBe(GrpcCode.UNIMPLEMENTED)
  })
})

describe('the receiver under load', () => {
  test('refuses bytes beyond its limit, and takes calls again after', async () => {
    const gate = Promise.withResolvers<Acceptance>()
    const answer = () => gate.promise
    const { accepted, send } = await start({ answer, limits: { maxInflightBytes: 1_500 } })
    const first = send(Buffer.alloc(1_000))
    await expect.poll(() => accepted.length).toBe(1)
    const second = await send(Buffer.alloc(1_000))
    expect(codeOf(second)).toBe(GrpcCode.UNAVAILABLE)
    expect(detailsOf(second)).toMatchObject({
      details: [{ value: { retryDelay: { seconds: 1 } } }],
    })
    gate.resolve(ACCEPTED)
    expect(codeOf(await first)).toBe(GrpcCode.OK)
    expect(codeOf(await send(Buffer.alloc(1_000)))).toBe(GrpcCode.OK)
  })

  test('holds the bytes of a cancelled call until it is dealt with, and no longer', async () => {
    const gate = Promise.withResolvers<Acceptance>()
    const answer = () => gate.promise
    const { accepted, begin, send } = await start({ answer, limits: { maxInflightBytes: 1_500 } })
    const { call, outcome } = begin(Buffer.alloc(1_000))
    await expect.poll(() => accepted.length).toBe(1)
    call.cancel()
    expect(codeOf(await outcome)).toBe(GrpcCode.CANCELLED)
    expect(codeOf(await send(Buffer.alloc(1_000)))).toBe(GrpcCode.UNAVAILABLE)
    gate.resolve(ACCEPTED)
    await expect.poll(async () => codeOf(await send(Buffer.alloc(1_000)))).toBe(GrpcCode.OK)
  })

  test('refuses calls beyond its limit', async () => {
    const gate = Promise.withResolvers<Acceptance>()
    const { accepted, send, port } = await start({
      answer: () => gate.promise,
      limits: { maxConnections: 1 },
    })
    const first = send(Buffer.from('x'))
    await expect.poll(() => accepted.length).toBe(1)
    expect(await exportRaw(port, frame(Buffer.from('x')))).toMatchObject({ 'grpc-status': '14' })
    gate.resolve(ACCEPTED)
    expect(codeOf(await first)).toBe(GrpcCode.OK)
    expect(codeOf(await send(Buffer.from('x')))).toBe(GrpcCode.OK)
  })

  test('cuts off a call whose message does not arrive', async () => {
    const { accepted, port } = await start({ limits: { requestTimeoutMs: 100 } })
    const half = frame(Buffer.alloc(100)).subarray(0, 50)
    expect(await exportRaw(port, half)).toMatchObject({ 'grpc-status': '4' })
    expect(accepted).toEqual([])
  })

  test('lets calls in progress end when it stops, and listens no more', async () => {
    const gate = Promise.withResolvers<Acceptance>()
    const { accepted, send, port } = await start({ answer: () => gate.promise })
    const pending = send(Buffer.from('x'))
    await expect.poll(() => accepted.length).toBe(1)
    const stopped = receiver?.stop()
    receiver = undefined
    gate.resolve(ACCEPTED)
    expect(codeOf(await pending)).toBe(GrpcCode.OK)
    await stopped
    const next = createServer()
    await new Promise<void>((resolve) => {
      next.listen(port, '127.0.0.1', resolve)
    })
    next.close()
  })

  test('says so when its port is taken', async () => {
    const { port } = await start()
    const logger = createLogger('test', 'silent')
    await expect(
      startGrpcReceiver({ accept: acceptAll, logger, limits: LIMITS, host: '127.0.0.1', port }),
    ).rejects.toThrow(String(port))
  })
})

/** A gRPC frame of one message that is not compressed. */
function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** Sends bytes as a call on a connection of its own, leaves it open, and returns the answer's head. */
async function exportRaw(port: number, bytes: Buffer): Promise<Record<string, unknown>> {
  const connection = connectHttp2(`http://127.0.0.1:${port}`)
  const stream = connection.request({
    ':method': 'POST',
    ':path': EXPORT,
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  stream.write(bytes)
  const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>()
  stream.on('response', resolve).on('error', reject)
  const headers = await promise
  connection.destroy()
  return headers
}
