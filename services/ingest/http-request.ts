import type { FastifyRequest } from 'fastify'
import { type Compression, readBody } from './http-body.ts'
import type { Failure } from './http-failure.ts'
import { type ByteBudget, OVERLOAD_RETRY_MS, type ReceiverLimits } from './receiver-limits.ts'

/**
 * The body of a request, or why there is none. `read`: the bytes stay reserved in the budget until the
 * caller releases `body.length` of them. `aborted`: the client has gone, nobody waits for an answer.
 */
export type Taken =
  | { readonly type: 'read'; readonly body: Buffer }
  | { readonly type: 'aborted' }
  | {
      readonly type: 'failed'
      /** Of low cardinality. */
      readonly reason: 'unreadable' | 'too_large' | 'overloaded'
      readonly failure: Failure
    }

/** What bounds a body; a sender's own limit goes before that of the receiver where it is lower. */
export interface BodyLimits {
  readonly limits: ReceiverLimits
  readonly budget: ByteBudget
  readonly maxRequestBytes: number | undefined
}

/** Reads and decompresses a request's body within the receiver's limits, and the sender's. */
export async function takeBody(
  request: FastifyRequest,
  { limits, budget, maxRequestBytes = Infinity }: BodyLimits,
): Promise<Taken> {
  const compression = compressionOf(request)
  if (compression === undefined) {
    const message = 'Content-Encoding must be gzip, deflate or identity'
    const headers = { 'accept-encoding': 'gzip, deflate, identity' }
    return { type: 'failed', reason: 'unreadable', failure: { http: 415, message, headers } }
  }
  const maxBytes = Math.min(limits.maxRequestBytes, maxRequestBytes)
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
    return bodyFailure('too_large', maxBytes)
  }
  const result = await readBody(request.raw, { compression, maxBytes, budget })
  if (result.type === 'read') return result
  if (result.type === 'aborted') return { type: 'aborted' }
  return bodyFailure(result.type, maxBytes)
}

function bodyFailure(type: 'too_large' | 'overloaded' | 'undecodable', maxBytes: number): Taken {
  if (type === 'too_large') {
    const message = `The body is over ${maxBytes} bytes, plain or decompressed; send smaller batches`
    return { type: 'failed', reason: type, failure: { http: 413, message } }
  }
  if (type === 'overloaded') {
    const message = 'Too many bytes are in progress; send the request again later'
    const failure = { http: 429, message, retryAfterMs: OVERLOAD_RETRY_MS }
    return { type: 'failed', reason: type, failure }
  }
  const message = 'The body cannot be decompressed as its Content-Encoding says'
  return { type: 'failed', reason: 'unreadable', failure: { http: 400, message } }
}

function compressionOf(request: FastifyRequest): Compression | undefined {
  const header = (request.headers['content-encoding'] ?? '').trim().toLowerCase()
  if (header === '' || header === 'identity') return 'identity'
  if (header === 'gzip' || header === 'x-gzip') return 'gzip'
  return header === 'deflate' ? 'deflate' : undefined
}
