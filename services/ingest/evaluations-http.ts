import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AcceptEvaluations, EvaluationsAcceptance } from './evaluations-acceptor.ts'
import { encodingOf, fail, MEDIA_TYPES, REFUSAL_STATUS } from './http-failure.ts'
import { takeBody } from './http-request.ts'
import type { ByteBudget, ReceiverLimits } from './receiver-limits.ts'

export interface EvaluationsRouteOptions {
  readonly acceptEvaluations: AcceptEvaluations
  readonly limits: ReceiverLimits
  readonly budget: ByteBudget
}

/** An answer of 400 names no more mistakes than this. */
const MAX_MISTAKES = 1_000

/**
 * Answers POST /v1/evaluations. 200 says how many were accepted, and why others were not; a failure is
 * {"error": …}, of 400 with the mistakes, and only 429 and 503 ask the client to come again.
 */
export async function takeEvaluations(
  request: FastifyRequest,
  reply: FastifyReply,
  { acceptEvaluations, limits, budget }: EvaluationsRouteOptions,
): Promise<FastifyReply> {
  if (encodingOf(request) !== 'json') {
    return fail(request, reply, { http: 415, message: `Content-Type must be ${MEDIA_TYPES.json}` })
  }
  const taken = await takeBody(request, { limits, budget })
  if (taken.type === 'aborted') return reply.hijack()
  if (taken.type === 'failed') return fail(request, reply, taken.failure)
  try {
    return respond(request, reply, await acceptEvaluations(taken.body))
  } finally {
    budget.release(taken.body.length)
  }
}

function respond(
  request: FastifyRequest,
  reply: FastifyReply,
  acceptance: EvaluationsAcceptance,
): FastifyReply {
  if (acceptance.type === 'accepted') {
    const { accepted, rejected } = acceptance
    reply.code(200).header('content-type', MEDIA_TYPES.json)
    return reply.send(Buffer.from(JSON.stringify({ accepted, rejected })))
  }
  const http = REFUSAL_STATUS[acceptance.type]
  if (acceptance.type !== 'malformed') return fail(request, reply, { ...acceptance, http })
  const { message, mistakes } = acceptance
  const more = Math.max(0, mistakes.length - MAX_MISTAKES)
  const details = {
    ...(mistakes.length > 0 && { mistakes: mistakes.slice(0, MAX_MISTAKES) }),
    ...(more > 0 && { more }),
  }
  return fail(request, reply, { http, message, details })
}
