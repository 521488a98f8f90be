import type { FastifyReply, FastifyRequest } from 'fastify'
import { encodeStatus, type OtlpEncoding, RPC_CODE, retryAfterSeconds } from './otlp-status.ts'

export const TRACES_PATH = '/v1/traces'
export const EVALUATIONS_PATH = '/v1/evaluations'
export const MEDIA_TYPES = { proto: 'application/x-protobuf', json: 'application/json' } as const

/** HTTP status of a request that was not taken in. */
export const REFUSAL_STATUS = {
  malformed: 400,
  too_large: 413,
  overloaded: 429,
  rate_limited: 429,
  unavailable: 503,
} as const

/** Why a request gets no other answer. */
export interface Failure {
  readonly http: number
  readonly message: string
  readonly retryAfterMs?: number
  /** More headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>
  /** What an answer in plain JSON says beside the message. */
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * Answers with a failure: as {"error": …} where evaluations go, else as a google.rpc.Status in the
 * request's encoding, as OTLP has it.
 */
export function fail(request: FastifyRequest, reply: FastifyReply, failure: Failure): FastifyReply {
  const { http, message, retryAfterMs, headers = {}, details = {} } = failure
  reply.code(http).headers(headers)
  if (retryAfterMs !== undefined) reply.header('retry-after', retryAfterSeconds(retryAfterMs))
  if (pathOf(request) === EVALUATIONS_PATH) {
    const answer = { error: message, ...details }
    return reply.header('content-type', MEDIA_TYPES.json).send(Buffer.from(JSON.stringify(answer)))
  }
  const encoding = encodingOf(request) ?? 'json'
  const status = {
    code: rpcCodeOf(http),
    message,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
  return reply.header('content-type', MEDIA_TYPES[encoding]).send(encodeStatus(status, encoding))
}

/** The path of a request, without a slash at its end. */
export function pathOf(request: FastifyRequest): string {
  const [path = ''] = request.url.split('?')
  return path.endsWith('/') ? path.slice(0, -1) : path
}

/** The encoding that a request says that it has; undefined for any but protobuf and JSON. */
export function encodingOf(request: FastifyRequest): OtlpEncoding | undefined {
  const [mediaType = ''] = (request.headers['content-type'] ?? '').split(';')
  const normal = mediaType.trim().toLowerCase()
  if (normal === MEDIA_TYPES.proto) return 'proto'
  return normal === MEDIA_TYPES.json ? 'json' : undefined
}

/** The number of google.rpc.Code that goes with an HTTP status. */
export function rpcCodeOf(http: number): number {
  switch (http) {
    case 401:
      return RPC_CODE.unauthenticated
    case 403:
      return RPC_CODE.permissionDenied
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
