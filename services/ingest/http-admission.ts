import type { FastifyRequest } from 'fastify'
import type { Scope } from '#runtime/api-keys-file.ts'
import { admitAll, type Admission, type Admit, type RefusalReason } from './api-keys.ts'
import type { Failure } from './http-failure.ts'

const HTTP_STATUS: Readonly<Record<RefusalReason, number>> = {
  no_key: 401,
  unknown_key: 401,
  expired_key: 401,
  wrong_scope: 403,
  rate_limited: 429,
  overloaded: 429,
}

/** Whether a request may come in, as its headers say. */
export function admitHttp(
  { headers }: FastifyRequest,
  admit: Admit = admitAll,
  scope: Scope,
): Admission {
  const { authorization, 'x-api-key': own } = headers
  return admit(keyIn(typeof own === 'string' ? own : undefined, authorization), scope)
}

/**
 * The key among what a client sent: x-api-key, or else a bearer token. So a proxy may have the
 * Authorization header for itself.
 */
export function keyIn(
  xApiKey: string | undefined,
  authorization: string | undefined,
): string | undefined {
  if (xApiKey !== undefined) return xApiKey.trim()
  const [scheme, token] = authorization?.trim().split(/\s+/) ?? []
  return scheme?.toLowerCase() === 'bearer' ? token : undefined
}

/** The answer to a request that may not come in. */
export function admissionFailure(refusal: Extract<Admission, { type: 'refused' }>): Failure {
  const { reason, message, retryAfterMs } = refusal
  const http = HTTP_STATUS[reason]
  return {
    http,
    message,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(http === 401 && { headers: { 'www-authenticate': 'Bearer realm="spanmeter"' } }),
  }
}
