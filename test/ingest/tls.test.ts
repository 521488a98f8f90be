import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, type SecureVersion } from 'node:tls'
import { Client, credentials, Metadata, status as GrpcCode } from '@grpc/grpc-js'
import type { FastifyInstance } from 'fastify'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ConfigError } from '#runtime/config.ts'
import { createLogger } from '#runtime/log.ts'
import type { Acceptance } from '../../services/ingest/accept.ts'
import { type GrpcReceiver, startGrpcReceiver } from '../../services/ingest/otlp-grpc.ts'
import { createHttpReceiver } from '../../services/ingest/otlp-http.ts'
import { type ReceiverTls, readReceiverTls, replaceTls } from '../../services/ingest/tls.ts'
import { type Authority, type Certificate, createAuthority } from '../support/certificates.ts'

const MIB = 1024 * 1024
const same = (bytes: Buffer) => bytes
const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const ACCEPTED: Acceptance = { type: 'accepted', spans: 1, rejected: 0, message: '' }

const folder = mkdtempSync(join(tmpdir(), 'spanmeter-tls-'))
let ours: Authority
let others: Authority
let server: Certificate
beforeAll(() => {
  ours = createAuthority(folder, 'ours')
  others = createAuthority(folder, 'others')
  server = ours.issue('server')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let http: FastifyInstance | undefined
let grpc: GrpcReceiver | undefined
const clients: Client[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await http?.close()
  await grpc?.stop()
})

const tlsOf = ({ certFile, keyFile }: Certificate, clientCa?: Authority): ReceiverTls => {
  const tls = readReceiverTls({
    SPANMETER_OTLP_TLS_CERT: certFile,
    SPANMETER_OTLP_TLS_KEY: keyFile,
    SPANMETER_OTLP_TLS_CLIENT_CA: clientCa?.caFile,
  })
  if (tls === undefined) throw new Error('the files were not read')
  return tls
}

/** Both receivers, and their ports. */
async function start(tls: ReceiverTls, requestTimeoutMs = 10_000) {
  const options = {
    accept: () => Promise.resolve(ACCEPTED),
    acceptEvaluations: () => Promise.reject(new Error('no test here sends evaluations')),
    tls,
    limits: {
      maxRequestBytes: MIB,
      maxInflightBytes: 4 * MIB,
      maxConnections: 100,
      requestTimeoutMs,
    },
    logger: createLogger('test', 'silent'),
  }
  http = createHttpReceiver(options)
  grpc = await startGrpcReceiver({ ...options, host: '127.0.0.1', port: 0 })
  const url = await http.listen({ host: '127.0.0.1', port: 0 })
  return { httpPort: Number(new URL(url).port), grpcPort: grpc.port }
}

/** The status of a request, or the code of what ended the connection. */
function postOver(port: number, ca: string, own?: Certificate): Promise<number | string> {
  const { promise, resolve } = Promise.withResolvers<number | string>()
  const sent = request(
    {
      host: '127.0.0.1',
      port,
      path: '/v1/traces',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      agent: false,
      ca,
      ...(own !== undefined && { cert: own.cert, key: own.key }),
    },
    (response) => resolve(response.resume().statusCode ?? 0),
  )
  sent.on('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message))
  sent.end('{}')
  return promise
}

/** The code of a call. */
function exportOver(port: number, ca: string, own?: Certificate): Promise<GrpcCode> {
  const channel = credentials.createSsl(
    Buffer.from(ca),
    own === undefined ? null : Buffer.from(own.key),
    own === undefined ? null : Buffer.from(own.cert),
  )
  const client = new Client(`127.0.0.1:${port}`, channel)
  clients.push(client)
  const { promise, resolve } = Promise.withResolvers<GrpcCode>()
  client.makeUnaryRequest(EXPORT, same, same, Buffer.from('x'), new Metadata(), (error) =>
    resolve(error?.code ?? GrpcCode.OK),
  )
  return promise
}

/** Tries a handshake in one version of TLS; gives the version, or the code of the error. */
async function shakeHands(port: number, version: SecureVersion): Promise<string | null> {
  const socket = connectTls({
    host: '127.0.0.1',
    port,
    ca: ours.ca,
    minVersion: version,
    maxVersion: version,
    // OpenSSL itself refuses old versions below this level.
    ciphers: 'DEFAULT@SECLEVEL=0',
    ALPNProtocols: ['h2', 'http/1.1'],
  })
  try {
    await once(socket, 'secureConnect')
    return socket.getProtocol()
  } catch {
    return 'refused'
  } finally {
    socket.destroy()
  }
}

describe('Receivers with a certificate', () => {
  test('take requests over TLS from clients that trust it', async () => {
    const { httpPort, grpcPort } = await start(tlsOf(server))
    expect(await postOver(httpPort, ours.ca)).toBe(200)
    expect(await exportOver(grpcPort, ours.ca)).toBe(GrpcCode.OK)
    expect(await postOver(httpPort, others.ca)).toMatch(/UNABLE_TO|SELF_SIGNED/)
    expect(await exportOver(grpcPort, others.ca)).toBe(GrpcCode.UNAVAILABLE)
  })

  test('speak TLS 1.2 and 1.3, and nothing older', async () => {
    const ports = await start(tlsOf(server))
    for (const port of [ports.httpPort, ports.grpcPort]) {
      expect(await shakeHands(port, 'TLSv1.3')).toBe('TLSv1.3')
      expect(await shakeHands(port, 'TLSv1.2')).toBe('TLSv1.2')
      expect(await shakeHands(port, 'TLSv1.1')).toBe('refused')
      expect(await shakeHands(port, 'TLSv1')).toBe('refused')
    }
  })

  test('answer nothing to a client that speaks without TLS, and go on', async () => {
    const { httpPort, grpcPort } = await start(tlsOf(server))
    for (const port of [httpPort, grpcPort]) {
      const socket = connectTcp(port, '127.0.0.1')
      const answer: Buffer[] = []
      socket.on('error', () => {})
      socket.on('data', (chunk: Buffer) => answer.push(chunk))
      socket.write('POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}')
      await once(socket, 'close')
      expect(Buffer.concat(answer).toString()).not.toContain('HTTP/1.1')
    }
    expect(await postOver(httpPort, ours.ca)).toBe(200)
    expect(await exportOver(grpcPort, ours.ca)).toBe(GrpcCode.OK)
  })

  test('take new certificates over without a restart', async () => {
    const { httpPort, grpcPort } = await start(tlsOf(server))
    const next = tlsOf(others.issue('server'))
    grpc?.replaceTls(next)
    if (http !== undefined) replaceTls(http.server, next)
    expect(await postOver(httpPort, others.ca)).toBe(200)
    expect(await exportOver(grpcPort, others.ca)).toBe(GrpcCode.OK)
    expect(await postOver(httpPort, ours.ca)).not.toBe(200)
    expect(await exportOver(grpcPort, ours.ca)).toBe(GrpcCode.UNAVAILABLE)
    for (const port of [httpPort, grpcPort])
      expect(await shakeHands(port, 'TLSv1.1')).toBe('refused')
  })
})

test('Receivers that know who signs for clients take nobody else', async () => {
  const { httpPort, grpcPort } = await start(tlsOf(server, ours))
  const [friend, stranger] = [ours.issue('friend'), others.issue('stranger')]
  expect(await postOver(httpPort, ours.ca, friend)).toBe(200)
  expect(await exportOver(grpcPort, ours.ca, friend)).toBe(GrpcCode.OK)
  for (const own of [undefined, stranger]) {
    expect(await postOver(httpPort, ours.ca, own)).toMatch(/^E/)
    expect(await exportOver(grpcPort, ours.ca, own)).toBe(GrpcCode.UNAVAILABLE)
  }
})

test('A client that begins TLS and says no more is cut off', async () => {
  const { httpPort, grpcPort } = await start(tlsOf(server), 500)
  const cutOff = [httpPort, grpcPort].map(async (port) => {
    const socket = connectTcp(port, '127.0.0.1')
    socket.on('error', () => {})
    // The head of a ClientHello of 512 bytes, which never come.
    socket.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]))
    await once(socket, 'close')
    return socket.destroyed
  })
  expect(await Promise.all(cutOff)).toEqual([true, true])
})

describe('Files for TLS', () => {
  test('are none where none is named', () => expect(readReceiverTls({})).toBeUndefined())

  test('are read together', () => {
    const { cert, key } = server
    const read = { cert: Buffer.from(cert), key: Buffer.from(key), clientCa: undefined }
    expect(tlsOf(server)).toEqual(read)
    expect(tlsOf(server, ours)).toEqual({ ...read, clientCa: Buffer.from(ours.ca) })
  })

  test('are refused with the name of the variable', () => {
    const broken = join(folder, 'broken.pem')
    writeFileSync(broken, 'no certificate')
    const [cert, key] = [server.certFile, server.keyFile]
    const otherKey = others.issue('other').keyFile
    const cases = [
      [{ SPANMETER_OTLP_TLS_CERT: cert }, 'SPANMETER_OTLP_TLS_KEY'],
      [{ SPANMETER_OTLP_TLS_KEY: key }, 'SPANMETER_OTLP_TLS_CERT'],
      [{ SPANMETER_OTLP_TLS_CLIENT_CA: ours.caFile }, 'SPANMETER_OTLP_TLS_CERT'],
      [
        { SPANMETER_OTLP_TLS_CERT: '/nowhere', SPANMETER_OTLP_TLS_KEY: key },
        'SPANMETER_OTLP_TLS_CERT names /nowhere',
      ],
      [{ SPANMETER_OTLP_TLS_CERT: broken, SPANMETER_OTLP_TLS_KEY: key }, broken],
      [{ SPANMETER_OTLP_TLS_CERT: cert, SPANMETER_OTLP_TLS_KEY: otherKey }, 'key values mismatch'],
    ] as const
    for (const [files, complaint] of cases) {
      expect(() => readReceiverTls(files)).toThrow(ConfigError)
      expect(() => readReceiverTls(files)).toThrow(complaint)
    }
  })
})
