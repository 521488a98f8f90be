import type { Attributes } from '@opentelemetry/api'
import type { WorkloadRequest } from './csv.ts'
import type { TracePlan } from './plan.ts'
import { overlongMaxTokens } from './workload.ts'

/** The ids that a call's attributes name. */
export interface CallIds {
  readonly responseId: string
  readonly toolCallIds: readonly string[]
}

/**
 * The attributes of an LLM call by the OpenTelemetry GenAI conventions 1.41, with the prompt's
 * version of their successor repository. A failed call has neither response nor usage.
 */
export function callAttributes(
  request: WorkloadRequest,
  plan: TracePlan,
  ids: CallIds,
): Attributes {
  const { model, error } = plan
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': model.provider,
    'gen_ai.request.model': model.model,
    'server.address': model.serverAddress,
    'server.port': 443,
    ...requestAttributes(request, plan),
    ...(plan.isStreamed && plan.times.firstChunkNs !== undefined
      ? { 'gen_ai.response.time_to_first_chunk': seconds(plan.times.firstChunkNs) }
      : {}),
    ...(error === undefined
      ? responseAttributes(request, plan, ids)
      : {
          'error.type': error.type,
          ...(error.status === undefined ? {} : { 'http.response.status_code': error.status }),
        }),
  }
}

function requestAttributes(request: WorkloadRequest, plan: TracePlan): Attributes {
  const { feature } = plan
  return {
    'gen_ai.request.temperature': feature.temperature,
    'gen_ai.request.top_p': feature.topP,
    'gen_ai.request.max_tokens': maxTokens(request, plan),
    ...(plan.isStreamed ? { 'gen_ai.request.stream': true } : {}),
    'gen_ai.conversation.id': plan.conversation,
    'gen_ai.prompt.name': feature.promptName,
    'gen_ai.prompt.version': plan.promptVersion,
    'gen_ai.input.messages': JSON.stringify([
      { role: 'user', parts: [{ type: 'text', content: plan.question }] },
    ]),
  }
}

function responseAttributes(request: WorkloadRequest, plan: TracePlan, ids: CallIds): Attributes {
  const reason = finishReason(plan)
  return {
    'gen_ai.response.id': ids.responseId,
    'gen_ai.response.model': plan.model.responseModel,
    'gen_ai.response.finish_reasons': [reason],
    'gen_ai.usage.input_tokens': request.inputTokens,
    'gen_ai.usage.output_tokens': request.outputTokens,
    ...(plan.cacheReadTokens > 0
      ? { 'gen_ai.usage.cache_read.input_tokens': plan.cacheReadTokens }
      : {}),
    ...(plan.reasoningTokens > 0
      ? { 'gen_ai.usage.reasoning.output_tokens': plan.reasoningTokens }
      : {}),
    'gen_ai.output.messages': outputMessages(plan, ids.toolCallIds, reason),
  }
}

/** An answer that was cut off by its limit had just that limit. */
function maxTokens(request: WorkloadRequest, plan: TracePlan): number {
  if (plan.error?.type === 'context_length_exceeded') return overlongMaxTokens
  const isCutOff = plan.isStoppedByLength && plan.tools.length === 0
  return isCutOff ? request.outputTokens : Math.max(plan.feature.maxTokens, request.outputTokens)
}

function finishReason(plan: TracePlan): string {
  const { finish } = plan.model
  if (plan.tools.length > 0) return finish.tools
  return plan.isStoppedByLength ? finish.length : finish.stop
}

function outputMessages(plan: TracePlan, toolCallIds: readonly string[], reason: string): string {
  const parts =
    plan.tools.length === 0
      ? [{ type: 'text', content: plan.answer }]
      : plan.tools.map(({ tool }, index) => ({
          type: 'tool_call',
          id: toolCallIds[index],
          name: tool.name,
          arguments: { tenant: plan.tenant },
        }))
  return JSON.stringify([{ role: 'assistant', parts, finish_reason: reason }])
}

/** Nanoseconds as seconds, to the microsecond. */
function seconds(ns: number): number {
  return Math.round(ns / 1000) / 1_000_000
}
