import { Client, credentials, Metadata, status as GrpcCode } from '@grpc/grpc-js'
import { pino } from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import { createApiKey } from '#runtime/api-key.ts'
import { parseApiKeysFile } from '#runtime/api-keys-file.ts'
import { createMetrics } from '#runtime/metrics.ts'
import { findFreePorts } from '../../services/embedded/ports.ts'
import type { Acceptance } from '../../services/ingest/accept.ts'
import { type IngestConfig, parseConfig } from '../../services/ingest/config.ts'
import { startReceivers } from '../../services/ingest/receivers.ts'

const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const ACCEPTED: Acceptance = { type: 'accepted', spans: 1, rejected: 0, message: '' }
const same = (bytes: Buffer) => bytes

let stop: (() => Promise<void>) | undefined
afterEach(() => stop?.())

/** Both receivers with settings of a test's own, and what they logged. */
async function start(
  own: Partial<IngestConfig>,
  answer: () => Promise<Acceptance> = () => Promise.resolve(ACCEPTED),
) {
  const [httpPort = 0, grpcPort = 0] = await findFreePorts(2)
  const logged: string[] = []
  const config = { ...parseConfig({}), httpPort, grpcPort, ...own }
  const receivers = await startReceivers(
    config,
    { accept: answer, acceptEvaluations: () => Promise.reject(new Error('none is sent')) },
    {
      logger: pino({ level: 'warn' }, { write: (line) => logged.push(line) }),
      metrics: createMetrics('test'),
    },
  )
  ;({ stop } = receivers)
  const post = async (body: string, headers: Record<string, string> = {}) => {
    const type = { 'content-type': 'application/x-protobuf' }
    const url = `http://127.0.0.1:${httpPort}/v1/traces`
    return (await fetch(url, { method: 'POST', body, headers: { ...type, ...headers } })).status
  }
  return { receivers, logged, post, grpcPort }
}

function exportTo(port: number, body: Buffer): Promise<GrpcCode> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  const { promise, resolve } = Promise.withResolvers<GrpcCode>()
  client.makeUnaryRequest(EXPORT, same, same, body, new Metadata(), (error) => {
    client.close()
    resolve(error?.code ?? GrpcCode.OK)
  })
  return promise
}

describe('A start', () => {
  const none = parseApiKeysFile('keys: []', 'keys.yaml')
  test.each<[string, Partial<IngestConfig>, number]>([
    ['on every network', { host: '0.0.0.0' }, 1],
    ['on every network of IPv6', { host: '::' }, 1],
    ['on every network with keys', { host: '0.0.0.0', apiKeys: none }, 0],
    ['on loopback', {}, 0],
    ['on loopback by name', { host: 'localhost' }, 0],
  ])('%s warns where anybody may send: %#', async (_, own, warnings) => {
    const { logged } = await start(own)
    expect(logged).toHaveLength(warnings)
    expect(logged.every((line) => line.includes('SPANMETER_API_KEYS'))).toBe(true)
  })
})

test('HTTP and gRPC share one budget of bytes', async () => {
  const gate = Promise.withResolvers<Acceptance>()
  let taken = 0
  const { post, grpcPort } = await start({ maxInflightBytes: 1_500, maxBodyBytes: 1_024 }, () => {
    taken++
    return gate.promise
  })
  const first = post('x'.repeat(1_000))
  await expect.poll(() => taken).toBe(1)
  expect(await exportTo(grpcPort, Buffer.alloc(600))).toBe(GrpcCode.UNAVAILABLE)
  gate.resolve(ACCEPTED)
  expect(await first).toBe(200)
  expect(await exportTo(grpcPort, Buffer.alloc(600))).toBe(GrpcCode.OK)
})

test('Keys that are read again hold at once, on both ways in', async () => {
  const { id, hash, key } = createApiKey()
  const apiKeys = parseApiKeysFile('keys: []', 'keys.yaml')
  const { receivers, post, grpcPort } = await start({ apiKeys })
  expect(await post('x', { 'x-api-key': key })).toBe(401)
  const next = `keys: [{ id: ${id}, hash: ${hash}, tenant: acme }]`
  receivers.reload({ apiKeys: parseApiKeysFile(next, 'keys.yaml'), tls: undefined })
  expect(await post('x', { 'x-api-key': key })).toBe(200)
  expect(await exportTo(grpcPort, Buffer.from('x'))).toBe(GrpcCode.UNAUTHENTICATED)
})
