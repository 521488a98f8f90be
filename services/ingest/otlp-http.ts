import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Acceptance } from './accept.ts'
import type { AcceptEvaluations } from './evaluations-acceptor.ts'
import { takeEvaluations } from './evaluations-http.ts'
import { admissionFailure, admitHttp } from './http-admission.ts'
import { drainBody } from './http-body.ts'
import {
  encodingOf,
  EVALUATIONS_PATH,
  type Failure,
  fail,
  MEDIA_TYPES,
  pathOf,
  REFUSAL_STATUS,
  rpcCodeOf,
  TRACES_PATH,
} from './http-failure.ts'
import { takeBody } from './http-request.ts'
import { encodeExportResponse, encodeStatus, type OtlpEncoding } from './otlp-status.ts'
import { createByteBudget, type ByteBudget, type ReceiverOptions } from './receiver-limits.ts'
import { serverTls } from './tls.ts'

/** What the HTTP receiver needs beside what any receiver needs: where evaluations go. */
export interface HttpReceiverOptions extends ReceiverOptions {
  readonly acceptEvaluations: AcceptEvaluations
}

// Longer than the idle timeouts of usual clients and proxies, so that they close first and never
// send a request into a connection that is being closed.
const KEEP_ALIVE_MS = 120_000
const MAX_TIMEOUT_CHECK_MS = 5_000
/** Of a body that is refused to those without a key no more is read, so that they can see the answer. */
const MAX_DRAINED_BYTES_OF_STRANGERS = 64 * 1024

/**
 * The OTLP/HTTP receiver, not yet listening: POST /v1/traces in protobuf or JSON, plain, gzip or
 * deflate. Answers as the OTLP specification's "OTLP/HTTP Response" section says: every error is a
 * google.rpc.Status in the request's encoding, and only 429 and 503 ask the client to come again.
 * Beside it POST /v1/evaluations takes scores (evaluations-http.ts). `close` lets requests in progress
 * end.
 */
export function createHttpReceiver(options: HttpReceiverOptions): FastifyInstance {
  const { limits, logger, tls } = options
  const timeouts = {
    // Node applies the longer of the two timeouts to slow bodies.
    headersTimeout: limits.requestTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: Math.min(MAX_TIMEOUT_CHECK_MS, limits.requestTimeoutMs),
  }
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    // While closing, requests on open connections are still answered by the route, as a Status.
    return503OnClosing: false,
    serverFactory: (handler) =>
      tls === undefined
        ? createServer(timeouts, handler)
        : createTlsServer({ ...timeouts, ...serverTls(tls, limits.requestTimeoutMs) }, handler),
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
    const isKnown = reply.statusCode !== 401 && reply.statusCode !== 403
    const maxBytes = isKnown ? limits.maxRequestBytes : MAX_DRAINED_BYTES_OF_STRANGERS
    const isDrained = await drainBody(request.raw, maxBytes)
    if (!isDrained) reply.header('connection', 'close')
  })
  app.setErrorHandler((error, request, reply) => {
    const http = httpStatusOf(error)
    if (http < 500) return fail(request, reply, { http, message: messageOf(error) })
    logger.error({ err: error }, 'OTLP/HTTP request failed by a bug')
    return fail(request, reply, { http: 500, message: 'Internal error; the log has the details' })
  })
  app.setNotFoundHandler(refuseRoute)
  const { budget = createByteBudget(limits.maxInflightBytes) } = options
  app.post(TRACES_PATH, (request, reply) => takeTraces(request, reply, { ...options, budget }))
  app.post(EVALUATIONS_PATH, (request, reply) =>
    takeEvaluations(request, reply, { ...options, budget }),
  )
  return app
}

const VIA = 'otlp_http'

interface TracesOptions extends ReceiverOptions {
  readonly budget: ByteBudget
}

async function takeTraces(
  request: FastifyRequest,
  reply: FastifyReply,
  { accept, limits, budget, admit, onRefused }: TracesOptions,
): Promise<FastifyReply> {
  const refuse = (reason: string, failure: Failure) => {
    onRefused?.(VIA, reason)
    return fail(request, reply, failure)
  }
  const admission = admitHttp(request, admit, 'traces')
  if (admission.type === 'refused') return refuse(admission.reason, admissionFailure(admission))
  const encoding = encodingOf(request)
  if (encoding === undefined) {
    const message = `Content-Type must be ${MEDIA_TYPES.proto} or ${MEDIA_TYPES.json}`
    return refuse('unreadable', { http: 415, message })
  }
  const { maxRequestBytes, sender } = admission
  const taken = await takeBody(request, { limits, budget, maxRequestBytes })
  if (taken.type === 'aborted') return reply.hijack()
  if (taken.type === 'failed') return refuse(taken.reason, taken.failure)
  const { body } = taken
  try {
    if (encoding === 'json' && body.length === 0) {
      const message = 'The body is empty; an empty request in JSON is {}'
      return await refuse('malformed', { http: 400, message })
    }
    const acceptance = await accept({ via: VIA, encoding, body, ...sender })
    if (acceptance.type !== 'accepted') onRefused?.(VIA, acceptance.type)
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

/** Answers what is neither POST /v1/traces nor POST /v1/evaluations. */
function refuseRoute(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = pathOf(request)
  if (path === TRACES_PATH || path === EVALUATIONS_PATH) {
    const headers = { allow: 'POST' }
    return fail(request, reply, { http: 405, message: `${path} takes only POST`, headers })
  }
  const message =
    `Nothing is here; OTLP traces go to POST ${TRACES_PATH}, scores to POST ${EVALUATIONS_PATH}, ` +
    'and no other signal is taken'
  return fail(request, reply, { http: 404, message })
}

/** Answers a connection on which no valid request arrived, or none in time. */
function refuseConnection(error: Error & { code?: string }, socket: Socket): void {
  // Where it is not HTTP that failed but TLS, the client could not read an answer.
  if (!socket.writable || !/^(?:HPE|ERR_HTTP)_/.test(error.code ?? '')) {
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

function httpStatusOf(error: unknown): number {
  const hasStatus = typeof error === 'object' && error !== null && 'statusCode' in error
  return hasStatus && typeof error.statusCode === 'number' ? error.statusCode : 500
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'The request is not valid'
}
