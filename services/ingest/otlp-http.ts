import type { Socket } from 'node:net'
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Acceptance } from './accept.ts'
import { drainBody, readBody, type Compression } from './http-body.ts'
import {
  encodeExportResponse,
  encodeStatus,
  RPC_CODE,
  retryAfterSeconds,
  type OtlpEncoding,
} from './otlp-status.ts'
import {
  createByteBudget,
  OVERLOAD_RETRY_MS,
  type ByteBudget,
  type ReceiverOptions,
} from './receiver-limits.ts'

const TRACES_PATH = '/v1/traces'
const MEDIA_TYPES = { proto: 'application/x-protobuf', json: 'application/json' } as const
const REFUSAL_STATUS = {
  malformed: 400,
  too_large: 413,
  overloaded: 429,
  unavailable: 503,
} as const
// Longer than the idle timeouts of usual clients and proxies, so that they close first and never
// send a request into a connection that is being closed.
const KEEP_ALIVE_MS = 120_000
const MAX_TIMEOUT_CHECK_MS = 5_000

/**
 * The OTLP/HTTP receiver, not yet listening: POST /v1/traces in protobuf or JSON, plain, gzip or
 * deflate. Answers as the OTLP specification's "OTLP/HTTP Response" section says: every error is a
 * google.rpc.Status in the request's encoding, and only 429 and 503 ask the client to come again.
 * `close` lets requests in progress end.
 */
export function createHttpReceiver(options: ReceiverOptions): FastifyInstance {
  const { limits, logger } = options
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    // While closing, requests on open connections are still answered by the route, as a Status.
    return503OnClosing: false,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: {
      // Node applies the longer of the two timeouts to slow bodies.
      headersTimeout: limits.requestTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(MAX_TIMEOUT_CHECK_MS, limits.requestTimeoutMs),
    },
    routerOptions: { ignoreTrailingSlash: true },
    clientErrorHandler: refuseConnection,
    frameworkErrors: (error, request, reply) => {
      void fail(request, reply, { http: error.statusCode ?? 400, message: error.message })
    },
  })
  app.server.maxConnections = limits.maxConnections
  // Bodies are read by the route itself, which bounds them before and after decompression.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.addHook('onSend', async (request, reply) => {
    if (request.raw.complete) return
    const isDrained = await drainBody(request.raw, limits.maxRequestBytes)
    if (!isDrained) reply.header('connection', 'close')
  })
  app.setErrorHandler((error, request, reply) => {
    const http = httpStatusOf(error)
    if (http < 500) return fail(request, reply, { http, message: messageOf(error) })
    logger.error({ err: error }, 'OTLP/HTTP request failed by a bug')
    return fail(request, reply, { http: 500, message: 'Internal error; the log has the details' })
  })
  app.setNotFoundHandler(refuseRoute)
  const budget = createByteBudget(limits.maxInflightBytes)
  app.post(TRACES_PATH, (request, reply) => takeTraces(request, reply, { ...options, budget }))
  return app
}

interface TracesOptions extends ReceiverOptions {
  readonly budget: ByteBudget
}

async function takeTraces(
  request: FastifyRequest,
  reply: FastifyReply,
  { accept, limits, budget }: TracesOptions,
): Promise<FastifyReply> {
  const encoding = encodingOf(request)
  if (encoding === undefined) {
    const message = `Content-Type must be ${MEDIA_TYPES.proto} or ${MEDIA_TYPES.json}`
    return fail(request, reply, { http: 415, message })
  }
  const compression = compressionOf(request)
  if (compression === undefined) {
    reply.header('accept-encoding', 'gzip, deflate, identity')
    const message = 'Content-Encoding must be gzip, deflate or identity'
    return fail(request, reply, { http: 415, message })
  }
  const { maxRequestBytes: maxBytes } = limits
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
    return fail(request, reply, bodyFailure('too_large', maxBytes))
  }
  const result = await readBody(request.raw, { compression, maxBytes, budget })
  if (result.type === 'aborted') return reply.hijack()
  if (result.type !== 'read') return fail(request, reply, bodyFailure(result.type, maxBytes))
  const { body } = result
  try {
    if (encoding === 'json' && body.length === 0) {
      const message = 'The body is empty; an empty request in JSON is {}'
      return await fail(request, reply, { http: 400, message })
    }
    const acceptance = await accept({ via: 'otlp_http', encoding, body })
    return await respond(request, reply, { acceptance, encoding })
  } finally {
    budget.release(body.length)
  }
}

function respond(
  request: FastifyRequest,
  reply: FastifyReply,
  { acceptance, encoding }: { readonly acceptance: Acceptance; readonly encoding: OtlpEncoding },
): FastifyReply {
  if (acceptance.type !== 'accepted') {
    return fail(request, reply, { ...acceptance, http: REFUSAL_STATUS[acceptance.type] })
  }
  const result = { rejectedSpans: acceptance.rejected, errorMessage: acceptance.message }
  return reply
    .code(200)
    .header('content-type', MEDIA_TYPES[encoding])
    .send(encodeExportResponse(result, encoding))
}

function bodyFailure(type: 'too_large' | 'overloaded' | 'undecodable', maxBytes: number): Failure {
  if (type === 'too_large') {
    const message = `The body is over ${maxBytes} bytes, plain or decompressed; send smaller batches`
    return { http: 413, message }
  }
  if (type === 'overloaded') {
    const message = 'Too many bytes are in progress; send the request again later'
    return { http: 429, message, retryAfterMs: OVERLOAD_RETRY_MS }
  }
  return { http: 400, message: 'The body cannot be decompressed as its Content-Encoding says' }
}

interface Failure {
  readonly http: number
  readonly message: string
  readonly retryAfterMs?: number
}

function fail(request: FastifyRequest, reply: FastifyReply, failure: Failure): FastifyReply {
  const { http, message, retryAfterMs } = failure
  const encoding = encodingOf(request) ?? 'json'
  if (retryAfterMs !== undefined) reply.header('retry-after', retryAfterSeconds(retryAfterMs))
  const status = {
    code: rpcCodeOf(http),
    message,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
  return reply
    .code(http)
    .header('content-type', MEDIA_TYPES[encoding])
    .send(encodeStatus(status, encoding))
}

/** Answers what is not POST /v1/traces. */
function refuseRoute(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [path = ''] = request.url.split('?')
  if (path === TRACES_PATH || path === `${TRACES_PATH}/`) {
    reply.header('allow', 'POST')
    return fail(request, reply, { http: 405, message: `${TRACES_PATH} takes only POST` })
  }
  const message = `Nothing is here; OTLP traces go to POST ${TRACES_PATH}, and no other signal is taken`
  return fail(request, reply, { http: 404, message })
}

/** Answers a connection on which no valid request arrived, or none in time. */
function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [http, message] = connectionFailure(error.code)
  const body = encodeStatus({ code: rpcCodeOf(http.code), message }, 'json')
  socket.end(
    `HTTP/1.1 ${http.code} ${http.phrase}\r\nContent-Type: ${MEDIA_TYPES.json}\r\n` +
      `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body.toString()}`,
    () => socket.destroy(),
  )
}

function connectionFailure(code: string | undefined): [{ code: number; phrase: string }, string] {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return [{ code: 408, phrase: 'Request Timeout' }, 'The request did not arrive in time']
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return [{ code: 431, phrase: 'Request Header Fields Too Large' }, 'The headers are too large']
  }
  return [{ code: 400, phrase: 'Bad Request' }, 'This is not a valid HTTP/1.1 request']
}

function encodingOf(request: FastifyRequest): OtlpEncoding | undefined {
  const [mediaType = ''] = (request.headers['content-type'] ?? '').split(';')
  const normal = mediaType.trim().toLowerCase()
  if (normal === MEDIA_TYPES.proto) return 'proto'
  return normal === MEDIA_TYPES.json ? 'json' : undefined
}

function compressionOf(request: FastifyRequest): Compression | undefined {
  const header = (request.headers['content-encoding'] ?? '').trim().toLowerCase()
  if (header === '' || header === 'identity') return 'identity'
  if (header === 'gzip' || header === 'x-gzip') return 'gzip'
  return header === 'deflate' ? 'deflate' : undefined
}

function rpcCodeOf(http: number): number {
  switch (http) {
    case 404:
      return RPC_CODE.notFound
    case 405:
      return RPC_CODE.unimplemented
    case 408:
      return RPC_CODE.deadlineExceeded
    case 413:
    case 429:
    case 431:
      return RPC_CODE.resourceExhausted
    case 503:
      return RPC_CODE.unavailable
    default:
      return http >= 500 ? RPC_CODE.internal : RPC_CODE.invalidArgument
  }
}

function httpStatusOf(error: unknown): number {
  const hasStatus = typeof error === 'object' && error !== null && 'statusCode' in error
  return hasStatus && typeof error.statusCode === 'number' ? error.statusCode : 500
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'The request is not valid'
}
