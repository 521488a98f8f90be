import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AcceptEvaluations, EvaluationsAcceptance } from './evaluations-acceptor.ts'
import type { Admit } from './api-keys.ts'
import { admissionFailure, admitHttp } from './http-admission.ts'
import { encodingOf, type Failure, fail, MEDIA_TYPES, REFUSAL_STATUS } from './http-failure.ts'
import { takeBody } from './http-request.ts'
import type { ByteBudget, ReceiverLimits } from './receiver-limits.ts'

export interface EvaluationsRouteOptions {
  readonly acceptEvaluations: AcceptEvaluations
  readonly limits: ReceiverLimits
  readonly budget: ByteBudget
  readonly admit?: Admit
  readonly onRefused?: (via: string, reason: string) => void
}

const VIA = 'evaluations_http'
/** An answer of 400 names no more mistakes than this. */
const MAX_MISTAKES = 1_000

/**
 * Answers POST /v1/evaluations. 200 says how many were accepted, and why others were not; a failure is
 * {"error": …}, of 400 with the mistakes, and only 429 and 503 ask the client to come again.
 */
export async function takeEvaluations(
  request: FastifyRequest,
  reply: FastifyReply,
  { acceptEvaluations, limits, budget, admit, onRefused }: EvaluationsRouteOptions,
): Promise<FastifyReply> {
  const refuse = (reason: string, failure: Failure) => {
    onRefused?.(VIA, reason)
    return fail(request, reply, failure)
  }
  const admission = admitHttp(request, admit, 'evaluations')
  if (admission.type === 'refused') return refuse(admission.reason, admissionFailure(admission))
  if (encodingOf(request) !== 'json') {
    const message = `Content-Type must be ${MEDIA_TYPES.json}`
    return refuse('unreadable', { http: 415, message })
  }
  const { maxRequestBytes, sender } = admission
  const taken = await takeBody(request, { limits, budget, maxRequestBytes })
  if (taken.type === 'aborted') return reply.hijack()
  if (taken.type === 'failed') return refuse(taken.reason, taken.failure)
  try {
    const acceptance = await acceptEvaluations(taken.body, sender)
    if (acceptance.type !== 'accepted') onRefused?.(VIA, acceptance.type)
    return respond(request, reply, acceptance)
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
