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
  | { readonly type: 'failed'; readonly failure: Failure }

/** Reads and decompresses a request's body within the receiver's limits. */
export async function takeBody(
  request: FastifyRequest,
  { limits, budget }: { readonly limits: ReceiverLimits; readonly budget: ByteBudget },
): Promise<Taken> {
  const compression = compressionOf(request)
  if (compression === undefined) {
    const message = 'Content-Encoding must be gzip, deflate or identity'
    const headers = { 'accept-encoding': 'gzip, deflate, identity' }
    return { type: 'failed', failure: { http: 415, message, headers } }
  }
  const { maxRequestBytes: maxBytes } = limits
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
    return { type: 'failed', failure: bodyFailure('too_large', maxBytes) }
  }
  const result = await readBody(request.raw, { compression, maxBytes, budget })
  if (result.type === 'read') return result
  if (result.type === 'aborted') return { type: 'aborted' }
  return { type: 'failed', failure: bodyFailure(result.type, maxBytes) }
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

function compressionOf(request: FastifyRequest): Compression | undefined {
  const header = (request.headers['content-encoding'] ?? '').trim().toLowerCase()
  if (header === '' || header === 'identity') return 'identity'
  if (header === 'gzip' || header === 'x-gzip') return 'gzip'
  return header === 'deflate' ? 'deflate' : undefined
}
