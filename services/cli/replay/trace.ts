import { SpanKind, type Attributes } from '@opentelemetry/api'
import { callAttributes } from './call-attributes.ts'
import type { WorkloadRequest } from './csv.ts'
import { planTrace, type PlanOptions, type TracePlan } from './plan.ts'
import { createRandom, hashText, hexDigits, type Random } from './random.ts'
import { scoreEvents } from './scores.ts'
import type { CallFacts, SpanError, SpanEvent, SpanSpec } from './span.ts'
import type { Step } from './timeline.ts'
import { experiment, retrieverService } from './workload.ts'

/** What turns a workload into traces, besides its rows. */
export interface TraceOptions extends PlanOptions {
  /** Added to every time of the workload. */
  readonly shiftNs: bigint
}

/** Everything that the spans of one trace share. */
interface TraceContext {
  readonly plan: TracePlan
  readonly request: WorkloadRequest
  readonly startNs: bigint
  readonly traceId: string
  readonly rootId: string
  readonly ids: Random
  /** Who asked for what: on every span, as baggage carries it through the services. */
  readonly baggage: Attributes
}

/** The parts of a span in which spans of one trace differ. */
interface Part {
  readonly name: string
  readonly step: Step
  readonly kind?: SpanKind
  readonly service?: string
  /** Its own id, where a child must know it; drawn otherwise. */
  readonly spanId?: string
  /** Undefined stands for the root. */
  readonly parentId?: string
  readonly attributes: Attributes
  readonly error?: SpanError | undefined
  readonly events?: readonly SpanEvent[]
  readonly call?: CallFacts
}

/**
 * The spans of row `index`: a root, a routing decision, perhaps a retrieval with its reranking, one
 * LLM call, and perhaps tools. The same row, index and options give the same spans; ids hang on the
 * start time too, so that a workload replayed at another time makes new traces.
 */
export function makeTrace(
  request: WorkloadRequest,
  index: number,
  options: TraceOptions,
): readonly SpanSpec[] {
  const plan = planTrace(request, index, options)
  const startNs = request.timeNs + options.shiftNs
  const ids = createRandom([options.seed, index, hashText(`ids ${startNs}`)])
  const traceId = hexDigits(ids, 32)
  const rootId = hexDigits(ids, 16)
  const baggage = baggageAttributes(plan, `req-${hexDigits(ids, 16)}`)
  const context = { plan, request, startNs, traceId, rootId, ids, baggage }
  const toolCallIds = plan.tools.map(() => `call_${hexDigits(ids, 16)}`)
  return [
    rootSpan(context),
    routeSpan(context),
    ...retrievalSpans(context),
    callSpan(context, toolCallIds),
    ...toolSpans(context, toolCallIds),
  ]
}

function rootSpan(context: TraceContext): SpanSpec {
  const { plan, rootId } = context
  const { feature, error } = plan
  // By the HTTP conventions a SERVER span is an error from 500 on: a 4xx is the caller's own.
  const isFailed = error !== undefined && (feature.isWorkflow || error.serverStatus >= 500)
  const shared = {
    'http.route': feature.route,
    'gen_ai.conversation.id': plan.conversation,
    ...(isFailed ? { 'error.type': error.type } : {}),
  }
  const span = finishSpan(context, {
    name: feature.isWorkflow ? `invoke_workflow ${feature.name}` : `POST ${feature.route}`,
    step: plan.times.root,
    kind: feature.isWorkflow ? SpanKind.INTERNAL : SpanKind.SERVER,
    spanId: rootId,
    attributes: feature.isWorkflow
      ? {
          ...shared,
          'gen_ai.operation.name': 'invoke_workflow',
          'gen_ai.workflow.name': feature.name,
        }
      : {
          ...shared,
          'http.request.method': 'POST',
          'http.response.status_code': error?.serverStatus ?? 200,
          'url.path': feature.route,
          'url.scheme': 'https',
        },
    error: isFailed ? { type: error.type, message: error.message } : undefined,
  })
  return { ...span, parentSpanId: undefined }
}

function routeSpan(context: TraceContext): SpanSpec {
  const { plan } = context
  return finishSpan(context, {
    name: 'route_request',
    step: plan.times.route,
    attributes: {
      'routing.candidates': [...plan.candidates],
      'routing.choice': plan.model.model,
      'routing.reason': plan.routingReason,
    },
  })
}

function retrievalSpans(context: TraceContext): readonly SpanSpec[] {
  const { plan, ids } = context
  const { retrieval, rerank } = plan.times
  if (plan.documents === undefined || !retrieval || !rerank) return []
  const retrievalId = hexDigits(ids, 16)
  const search = finishSpan(context, {
    name: `retrieval ${plan.feature.dataSource}`,
    step: retrieval,
    kind: SpanKind.CLIENT,
    service: retrieverService,
    spanId: retrievalId,
    attributes: {
      'gen_ai.operation.name': 'retrieval',
      'gen_ai.data_source.id': plan.feature.dataSource,
      'gen_ai.retrieval.query.text': plan.question,
      'retrieval.documents.count': plan.documents,
    },
  })
  const order = finishSpan(context, {
    name: 'rerank',
    step: rerank,
    service: retrieverService,
    parentId: retrievalId,
    attributes: {
      'gen_ai.operation.name': 'rerank',
      'rerank.documents.in': plan.documents,
      'rerank.documents.out': Math.ceil(plan.documents / 4),
    },
  })
  return [search, order]
}

function callSpan(context: TraceContext, toolCallIds: readonly string[]): SpanSpec {
  const { plan, request, ids } = context
  const { model, feature, error } = plan
  const callIds = { responseId: `resp_${hexDigits(ids, 24)}`, toolCallIds }
  return finishSpan(context, {
    name: `chat ${model.model}`,
    step: plan.times.call,
    kind: SpanKind.CLIENT,
    attributes: { 'http.route': feature.route, ...callAttributes(request, plan, callIds) },
    error: error && { type: error.type, message: error.message },
    events: scoreEvents(plan.scores),
    call: {
      provider: model.provider,
      model: model.model,
      responseModel: model.responseModel,
      tenant: plan.tenant,
      feature: feature.name,
      inputTokens: request.inputTokens,
      outputTokens: request.outputTokens,
      cacheReadTokens: plan.cacheReadTokens,
      reasoningTokens: plan.reasoningTokens,
      errorType: error?.type,
      evaluators: plan.scores.map(({ evaluator }) => evaluator),
    },
  })
}

function toolSpans(context: TraceContext, toolCallIds: readonly string[]): readonly SpanSpec[] {
  const { tools, times } = context.plan
  return tools.flatMap(({ tool, isFailed }, index) => {
    const step = times.tools[index]
    const callId = toolCallIds[index]
    if (step === undefined || callId === undefined) return []
    return finishSpan(context, {
      name: `execute_tool ${tool.name}`,
      step,
      attributes: {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': tool.name,
        'gen_ai.tool.type': 'function',
        'gen_ai.tool.call.id': callId,
        ...(isFailed ? { 'error.type': 'tool_error' } : {}),
      },
      error: isFailed ? { type: 'tool_error', message: `${tool.name} failed` } : undefined,
    })
  })
}

/** Adds what all spans of the trace share; the parent is the root unless the part names another. */
function finishSpan(context: TraceContext, part: Part): SpanSpec {
  const { plan, startNs, baggage } = context
  const service = part.service ?? plan.feature.service
  return {
    traceId: context.traceId,
    spanId: part.spanId ?? hexDigits(context.ids, 16),
    parentSpanId: part.parentId ?? context.rootId,
    isParentRemote: part.parentId === undefined && service !== plan.feature.service,
    name: part.name,
    kind: part.kind ?? SpanKind.INTERNAL,
    service,
    environment: plan.environment,
    startNs: startNs + BigInt(part.step.startNs),
    endNs: startNs + BigInt(part.step.endNs),
    attributes: { ...baggage, ...part.attributes },
    error: part.error,
    events: part.events ?? [],
    call: part.call,
  }
}

function baggageAttributes(plan: TracePlan, requestId: string): Attributes {
  return {
    'request.id': requestId,
    'session.id': plan.session,
    'tenant.id': plan.tenant,
    'user.id': plan.user,
    'user.tier': plan.tier,
    team: plan.feature.team,
    feature: plan.feature.name,
    domain: plan.domain,
    ...(plan.variant === undefined ? {} : { experiment: experiment.name, variant: plan.variant }),
  }
}
