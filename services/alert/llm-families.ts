import type { Amount } from './fold-amount.ts'
import { CallCounts } from './llm-call-counts.ts'
import { CALL_LABELS } from './llm-calls.ts'
import type { HistogramCounts } from './llm-histogram.ts'
import type { LabelSet } from './llm-label-sets.ts'
import { SCORE_LABELS } from './llm-scores.ts'
import { amountText, type Family, type Labels, labelText, type Series } from './llm-text.ts'

/** A call's labels as fields of the span, and those that a person chose beside them. */
interface CallValues {
  readonly provider: string
  readonly requestModel: string
  readonly responseModel: string
  readonly operation: string
  readonly errorType: string
  readonly chosen: Labels
}

interface Group {
  readonly labels: string
  readonly counts: CallCounts
}

const PICO_PLACES = 12
const TOKEN_TYPES: readonly (readonly [string, (counts: CallCounts) => Amount])[] = [
  ['input', ({ input }) => input.sum],
  ['output', ({ output }) => output.sum],
  ['cache_read', ({ cacheRead }) => cacheRead],
  ['cache_write', ({ cacheWrite }) => cacheWrite],
  ['reasoning', ({ reasoning }) => reasoning],
]

/** The metrics of calls; `chosen` are the names of the labels behind CALL_LABELS. */
export function callFamilies(
  sets: Iterable<LabelSet<CallCounts>>,
  chosen: readonly string[],
): readonly Family[] {
  const all = [...sets]
  const by = (labelsOf: (call: CallValues) => Labels | undefined) =>
    groupBy(all, (values) => {
      const call = callValues(values, chosen)
      const labels = labelsOf(call)
      return labels && [...labels, ...call.chosen]
    })
  return [...ownFamilies(by), ...conventionFamilies(by)]
}

type GroupBy = (labelsOf: (call: CallValues) => Labels | undefined) => readonly Group[]

function ownFamilies(by: GroupBy): readonly Family[] {
  const calls = by(modelLabels)
  const byStatus = by((call) => [
    ...modelLabels(call),
    ['status', call.errorType === '' ? 'ok' : 'error'],
  ])
  const byError = by((call) =>
    call.errorType === '' ? undefined : [...modelLabels(call), ['error_type', call.errorType]],
  )
  const priced = calls.filter(({ counts }) => counts.priced > 0)
  return [
    counter('llm_requests_total', 'Model calls.', byStatus, (of) => String(of.requests)),
    counter('llm_errors_total', 'Model calls that failed.', byError, (of) => String(of.requests)),
    {
      name: 'llm_tokens_total',
      help: 'Tokens of model calls; cache_read and cache_write are part of input, reasoning is part of output.',
      type: 'counter',
      series: calls.flatMap(tokenSeries),
    },
    counter('llm_cost_usd_total', 'What priced model calls cost.', priced, (of) =>
      amountText(of.cost, PICO_PLACES),
    ),
    counter('llm_unpriced_requests_total', 'Model calls without a price.', calls, (of) =>
      String(of.unpriced),
    ),
    histogram(
      'llm_request_duration_seconds',
      'Duration of model calls.',
      calls,
      (of) => of.duration,
    ),
    histogram('llm_ttft_seconds', 'Time to first token.', calls, (of) => of.firstToken),
  ]
}

function conventionFamilies(by: GroupBy): readonly Family[] {
  const calls = by(conventionLabels)
  const good = by((call) => (call.errorType === '' ? conventionLabels(call) : undefined))
  const byError = by((call) => [...conventionLabels(call), ['error_type', call.errorType]])
  return [
    histogram(
      'gen_ai_client_operation_duration_seconds',
      'GenAI operation duration.',
      byError,
      (of) => of.duration,
    ),
    {
      name: 'gen_ai_client_token_usage',
      help: 'Number of input and output tokens used.',
      type: 'histogram',
      series: calls.flatMap(({ labels, counts }) =>
        (['input', 'output'] as const).flatMap((type) =>
          filled(`${labels},gen_ai_token_type="${type}"`, counts[type]),
        ),
      ),
    },
    histogram(
      'gen_ai_client_operation_time_to_first_chunk_seconds',
      'Time to receive the first chunk.',
      calls,
      (of) => of.firstChunk,
    ),
    histogram(
      'gen_ai_server_time_to_first_token_seconds',
      'Time to generate first token for successful responses, as callers see it.',
      good,
      (of) => of.firstToken,
    ),
    histogram(
      'gen_ai_server_time_per_output_token_seconds',
      'Time per output token generated after the first token for successful responses, as callers see it.',
      good,
      (of) => of.outputToken,
    ),
  ]
}

/** The metric of scores; `chosen` are the names of the labels behind SCORE_LABELS. */
export function scoreFamily(
  sets: Iterable<LabelSet<HistogramCounts>>,
  chosen: readonly string[],
): Family {
  const names = [...SCORE_LABELS, ...chosen]
  return {
    name: 'llm_quality_score',
    help: 'Scores that evaluators gave, from 0 to 1.',
    type: 'histogram',
    series: [...sets].map(({ values, counts }) => ({
      labels: labelText(names.map((name, index) => [name, values[index] ?? ''])),
      value: counts,
    })),
  }
}

function callValues(values: readonly string[], chosen: readonly string[]): CallValues {
  const [provider = '', requestModel = '', responseModel = '', operation = '', errorType = ''] =
    values
  const others = values.slice(CALL_LABELS.length)
  return {
    provider,
    requestModel,
    responseModel,
    operation,
    errorType,
    chosen: chosen.map((name, index) => [name, others[index] ?? '']),
  }
}

/** The model is the one that was asked for, else the one that answered, as in the rollups. */
function modelLabels({ requestModel, responseModel, provider, operation }: CallValues): Labels {
  return [
    ['model', requestModel === '' ? responseModel : requestModel],
    ['provider', provider],
    ['operation', operation],
  ]
}

function conventionLabels(call: CallValues): Labels {
  return [
    ['gen_ai_operation_name', call.operation],
    ['gen_ai_provider_name', call.provider],
    ['gen_ai_request_model', call.requestModel],
    ['gen_ai_response_model', call.responseModel],
  ]
}

/** Puts together what has the same labels; what has none is left out. */
function groupBy(
  sets: readonly LabelSet<CallCounts>[],
  labelsOf: (values: readonly string[]) => Labels | undefined,
): readonly Group[] {
  const groups = new Map<string, CallCounts>()
  for (const { values, counts } of sets) {
    const labels = labelsOf(values)
    if (labels === undefined) continue
    const text = labelText(labels)
    const sum = groups.get(text) ?? new CallCounts()
    sum.addAll(counts)
    groups.set(text, sum)
  }
  return [...groups].map(([labels, counts]) => ({ labels, counts }))
}

function counter(
  name: string,
  help: string,
  groups: readonly Group[],
  read: (counts: CallCounts) => string,
): Family {
  const series = groups.map(({ labels, counts }) => ({ labels, value: read(counts) }))
  return { name, help, type: 'counter', series }
}

function histogram(
  name: string,
  help: string,
  groups: readonly Group[],
  read: (counts: CallCounts) => HistogramCounts,
): Family {
  const series = groups.flatMap(({ labels, counts }) => filled(labels, read(counts)))
  return { name, help, type: 'histogram', series }
}

/** What no span tells, such as first tokens of calls that do not stream, has no series. */
function filled(labels: string, value: HistogramCounts): readonly Series[] {
  return value.count === 0 ? [] : [{ labels, value }]
}

function tokenSeries({ labels, counts }: Group): readonly Series[] {
  return TOKEN_TYPES.map(([type, read]) => ({
    labels: `${labels},type="${type}"`,
    value: amountText(read(counts), 0),
  }))
}
