import { Agent, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { Client, credentials, Metadata, status as GrpcCode } from '@grpc/grpc-js'
import { z } from 'zod'
import { createAcceptor } from '../../services/ingest/acceptor.ts'
import { createEvaluationsAcceptor } from '../../services/ingest/evaluations-acceptor.ts'
import { loadConventions } from '../../services/ingest/conventions.ts'
import { startGrpcReceiver } from '../../services/ingest/otlp-grpc.ts'
import { createHttpReceiver } from '../../services/ingest/otlp-http.ts'
import { createTranscoder } from '../../services/ingest/transcode.ts'
import { createLogger } from '../../services/runtime/log.ts'
import { createRandom, type Random } from '../alert/random.ts'
import { LIMITS } from '../support/spans.ts'
import type { Finding } from './fuzz-run.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { mutateJson } from './mutate-json.ts'
import { mutateProto } from './mutate-proto.ts'
import { EVALUATION_REQUESTS, JSON_REQUESTS, PROTO_REQUESTS } from './samples.ts'

/** How often each answer was given on one way in. */
export interface SocketTally {
  readonly via: string
  readonly answers: Map<string, number>
}

interface SocketOptions {
  readonly requests: number
  readonly seed: number
  readonly onFinding: (finding: Finding) => void
}

const MIB = 1024 * 1024
const RECEIVER_LIMITS = {
  maxRequestBytes: 4 * MIB,
  maxInflightBytes: 64 * MIB,
  maxConnections: 1_000,
  requestTimeoutMs: 10_000,
}
const AT_ONCE = 16
const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const MAX_SECONDS = 10
/** What docs/receiving.md promises: all else is a bug. */
const HTTP_ANSWERS = new Set([200, 400, 413, 415, 429, 503])
const GRPC_ANSWERS = new Set([
  GrpcCode.OK,
  GrpcCode.INVALID_ARGUMENT,
  GrpcCode.RESOURCE_EXHAUSTED,
  GrpcCode.UNAVAILABLE,
])

interface Receivers {
  readonly httpPort: number
  readonly grpcPort: number
  stop(): Promise<void>
}

/** Sends what is broken to real receivers; each must answer as it says, and answer a good request after all. */
export async function fuzzSockets({ requests, seed, onFinding }: SocketOptions) {
  const receivers = await start(onFinding)
  const random = createRandom(seed)
  const senders = [httpSender(receivers), grpcSender(receivers), rawSender(receivers)] as const
  const tallies = senders.map(({ via }) => ({ via, answers: new Map<string, number>() }))
  let left = requests
  const sendSome = async () => {
    while (left-- > 0) {
      // Of a hundred requests two are no requests at all.
      const turn = random.whole(1, 100)
      const at = turn <= 2 ? 2 : turn % 2
      const sender = senders[at]
      const input = sender?.make(random)
      if (sender === undefined || input === undefined) continue
      const { answer, problem } = await sender.send(input)
      const answers = tallies[at]?.answers
      answers?.set(answer, (answers.get(answer) ?? 0) + 1)
      if (problem !== undefined) onFinding({ target: sender.via, input: input.body, problem })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, sendSome))
  for (const sender of senders) {
    const problem = await sender.lives()
    if (problem !== undefined) {
      onFinding({ target: sender.via, input: Buffer.alloc(0), problem: `after all: ${problem}` })
    }
    sender.close()
  }
  await receivers.stop()
  return tallies
}

async function start(onFinding: (finding: Finding) => void): Promise<Receivers> {
  const logger = createLogger('fuzz', 'silent')
  // What a receiver logs as an error is a bug that it has lived through.
  const log = { ...logger, error: (line: unknown) => onBug(line) }
  const onBug = (line: unknown) => {
    const problem = line instanceof Object && 'err' in line ? String(line.err) : String(line)
    onFinding({ target: 'receiver', input: Buffer.alloc(0), problem })
  }
  const common = {
    writer: { write: () => Promise.resolve() },
    deadLetterPartitions: 4,
    now: Date.now,
    onRejected: () => undefined,
  }
  const accept = createAcceptor({
    ...common,
    transcode: createTranscoder(loadConventions(), LIMITS),
    spanPartitions: 4,
    onSpans: () => undefined,
  })
  const acceptEvaluations = createEvaluationsAcceptor({
    ...common,
    partitions: 4,
    onAccepted: () => undefined,
  })
  const options = { accept, limits: RECEIVER_LIMITS, logger: Object.assign(logger, log) }
  const app = createHttpReceiver({ ...options, acceptEvaluations })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const grpc = await startGrpcReceiver({ ...options, host: '127.0.0.1', port: 0 })
  return {
    httpPort: Number(new URL(url).port),
    grpcPort: grpc.port,
    async stop() {
      await grpc.stop()
      await app.close()
    },
  }
}

interface Sent {
  readonly body: Buffer
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

interface Answer {
  readonly answer: string
  readonly problem?: string
}

interface Sender {
  readonly via: string
  make(random: Random): Sent
  send(sent: Sent): Promise<Answer>
  /** What is wrong with the answer to a good request. */
  lives(): Promise<string | undefined>
  close(): void
}

const pick = <T>(random: Random, values: readonly T[]): T | undefined =>
  values[random.whole(0, values.length - 1)]

const PROTO_TYPE = { 'content-type': 'application/x-protobuf' }
const JSON_TYPE = { 'content-type': 'application/json' }
const [GOOD = Buffer.alloc(0)] = PROTO_REQUESTS

const proto = (random: Random): Buffer => mutateProto(pick(random, PROTO_REQUESTS) ?? GOOD, random)

function httpRequestOf(random: Random): Sent {
  const kind = random.whole(0, 2)
  const path = kind === 2 ? '/v1/evaluations' : '/v1/traces'
  const samples = kind === 2 ? EVALUATION_REQUESTS : JSON_REQUESTS
  const body = kind === 0 ? proto(random) : mutateJson(pick(random, samples), random)
  const headers = kind === 0 ? PROTO_TYPE : JSON_TYPE
  const zipped = random.whole(0, 9)
  if (zipped > 2) return { body, path, headers }
  const packed = gzipSync(body)
  const sent = zipped === 0 ? mutateBytes(packed, random) : packed
  return { body: sent, path, headers: { ...headers, 'content-encoding': 'gzip' } }
}

const failure = z.object({ message: z.string() })
const evaluationsFailure = z.object({ error: z.string() })
const evaluationsAnswer = z.object({ accepted: z.number(), rejected: z.array(z.unknown()) })

/** An answer in JSON must be what its path and status say. */
function problemOf(path: string, status: number, type: string, body: Buffer): string | undefined {
  if (!HTTP_ANSWERS.has(status)) return `status ${status}: ${body.toString()}`
  if (type !== JSON_TYPE['content-type']) return undefined
  const parsed: unknown = JSON.parse(body.toString())
  const isScores = path === '/v1/evaluations'
  if (status === 200) return isScores ? told(evaluationsAnswer, parsed) : undefined
  return told(isScores ? evaluationsFailure : failure, parsed)
}

const told = (shape: z.ZodType, answer: unknown): string | undefined =>
  shape.safeParse(answer).success ? undefined : `answered ${JSON.stringify(answer)}`

function httpSender({ httpPort: port }: Receivers): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  const send = ({ body, path, headers }: Sent) =>
    new Promise<Answer>((resolve) => {
      const length = { 'content-length': String(body.length) }
      const options = { port, path, method: 'POST', agent, headers: { ...headers, ...length } }
      const request = httpRequest(options, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('end', () => {
          const { statusCode = 0, headers: answered } = response
          const type = answered['content-type'] ?? ''
          const problem = problemOf(path, statusCode, type, Buffer.concat(parts))
          resolve({ answer: String(statusCode), ...(problem !== undefined && { problem }) })
        })
      })
      request.setTimeout(MAX_SECONDS * 1_000, () => request.destroy(new Error('no answer in time')))
      request.on('error', (error) => resolve({ answer: 'failed', problem: String(error) }))
      request.end(body)
    })
  return {
    via: 'http',
    make: httpRequestOf,
    send,
    async lives() {
      const { answer } = await send({ body: GOOD, path: '/v1/traces', headers: PROTO_TYPE })
      return answer === '200' ? undefined : `a good request got ${answer}`
    },
    close: () => agent.destroy(),
  }
}

const same = (bytes: Buffer): Buffer => bytes

function grpcSender({ grpcPort }: Receivers): Sender {
  const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure())
  const send = ({ body }: Sent) =>
    new Promise<Answer>((resolve) => {
      const deadline = Date.now() + MAX_SECONDS * 1_000
      client.makeUnaryRequest(EXPORT, same, same, body, new Metadata(), { deadline }, (error) => {
        const code = error?.code ?? GrpcCode.OK
        const answer = GrpcCode[code] ?? String(code)
        if (GRPC_ANSWERS.has(code)) resolve({ answer })
        else resolve({ answer, problem: String(error) })
      })
    })
  return {
    via: 'grpc',
    make: (random) => ({ body: proto(random), path: EXPORT, headers: {} }),
    send,
    async lives() {
      const { answer } = await send({ body: GOOD, path: EXPORT, headers: {} })
      return answer === 'OK' ? undefined : `a good request got ${answer}`
    },
    close: () => client.close(),
  }
}

/** Bytes that are hardly HTTP, to either port: whatever the answer, the receiver must live on. */
function rawSender({ httpPort, grpcPort }: Receivers): Sender {
  const heads = [
    `POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`,
    `POST /v1/traces HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\u0000\u0004\u0000\u0000\u0000\u0000\u0000',
  ].map((text) => Buffer.from(text, 'latin1'))
  return {
    via: 'raw',
    make: (random) => ({
      body: mutateBytes(pick(random, heads) ?? GOOD, random),
      path: random.whole(0, 1) === 0 ? String(httpPort) : String(grpcPort),
      headers: {},
    }),
    send: ({ body, path }) =>
      new Promise((resolve) => {
        const socket = connect(Number(path), '127.0.0.1')
        socket.on('error', () => undefined)
        socket.on('close', () => resolve({ answer: 'closed' }))
        socket.resume()
        socket.end(body)
        // A receiver may wait for more; this client does not.
        socket.setTimeout(100, () => socket.destroy())
      }),
    lives: () => Promise.resolve(undefined),
    close: () => undefined,
  }
}
