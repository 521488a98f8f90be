import { SpanKind } from '@opentelemetry/api'
import type { OtlpRequest } from './otlp.ts'
import type { CallFacts, SpanSpec } from './span.ts'

/** What a group of LLM calls used, as their spans say it. */
export interface Usage {
  /** Calls, failed ones too. */
  readonly requests: number
  /** Failed calls by error.type. */
  readonly errors: Readonly<Record<string, number>>
  readonly inputTokens: number
  readonly outputTokens: number
  /** Part of inputTokens. */
  readonly cacheReadTokens: number
  /** Part of outputTokens. */
  readonly reasoningTokens: number
  /** Tokens of the workload's rows whose calls failed: no span carries them. */
  readonly unreportedInputTokens: number
  readonly unreportedOutputTokens: number
}

/** Usage of one model, named as requested and as answered. */
interface ModelUsage extends Usage {
  readonly provider: string
  readonly model: string
  readonly responseModel: string
}

/** What a replay has sent; every span counts once its request was accepted. */
export interface ReplayReport {
  /** Export requests and their size before any compression. */
  readonly requests: number
  readonly bytes: number
  readonly traces: number
  readonly spans: number
  readonly errorSpans: number
  /** Spans that the receiver refused although it took their request; they are counted above too. */
  readonly rejectedSpans: number
  /** Start of the earliest and end of the latest span, ISO 8601 in UTC to the nanosecond. */
  readonly firstSpanTime: string | null
  readonly lastSpanTime: string | null
  /** Spans by gen_ai.operation.name; without one, `server` for HTTP requests and else the name. */
  readonly operations: Readonly<Record<string, number>>
  readonly services: Readonly<Record<string, number>>
  readonly environments: Readonly<Record<string, number>>
  /** Scores of answers by evaluator. */
  readonly evaluations: Readonly<Record<string, number>>
  readonly total: Usage
  readonly models: readonly ModelUsage[]
  readonly tenants: readonly (Usage & { readonly tenant: string })[]
  readonly features: readonly (Usage & { readonly feature: string })[]
}

/** Adds up what was sent. */
export interface ReportBuilder {
  add(request: OtlpRequest): void
  addRejected(spans: number): void
  build(): ReplayReport
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }
type Tally = Mutable<Omit<Usage, 'errors'>> & { readonly errors: Record<string, number> }
interface ModelTally {
  readonly facts: CallFacts
  readonly tally: Tally
}

/** An empty report. */
export function createReportBuilder(): ReportBuilder {
  const counts = { requests: 0, bytes: 0, traces: 0, spans: 0, errorSpans: 0, rejectedSpans: 0 }
  const ends = createTimeRange()
  const operations = new Map<string, number>()
  const services = new Map<string, number>()
  const environments = new Map<string, number>()
  const evaluations = new Map<string, number>()
  const total = emptyTally()
  const models = new Map<string, ModelTally>()
  const tenants = new Map<string, Tally>()
  const features = new Map<string, Tally>()
  const addSpan = (span: SpanSpec): void => {
    counts.spans += 1
    if (span.parentSpanId === undefined) counts.traces += 1
    if (span.error) counts.errorSpans += 1
    ends.add(span)
    increment(operations, operationOf(span))
    increment(services, span.service)
    increment(environments, span.environment)
    if (!span.call) return
    for (const evaluator of span.call.evaluators) increment(evaluations, evaluator)
    addCall(total, span.call)
    addCall(tallyOfModel(models, span.call), span.call)
    addCall(tallyOf(tenants, span.call.tenant), span.call)
    addCall(tallyOf(features, span.call.feature), span.call)
  }
  return {
    add(request) {
      counts.requests += 1
      counts.bytes += request.body.length
      for (const span of request.specs) addSpan(span)
    },
    addRejected(spans) {
      counts.rejectedSpans += spans
    },
    build: () => ({
      ...counts,
      ...ends.build(),
      operations: sorted(operations),
      services: sorted(services),
      environments: sorted(environments),
      evaluations: sorted(evaluations),
      total: structuredClone(total),
      models: byRequests([...models.values()].map(modelUsage)),
      tenants: byRequests([...tenants].map(([tenant, tally]) => ({ tenant, ...copy(tally) }))),
      features: byRequests([...features].map(([feature, tally]) => ({ feature, ...copy(tally) }))),
    }),
  }
}

function createTimeRange() {
  let firstNs: bigint | undefined
  let lastNs: bigint | undefined
  return {
    add({ startNs, endNs }: SpanSpec): void {
      if (firstNs === undefined || startNs < firstNs) firstNs = startNs
      if (lastNs === undefined || endNs > lastNs) lastNs = endNs
    },
    build: () => ({
      firstSpanTime: firstNs === undefined ? null : isoTime(firstNs),
      lastSpanTime: lastNs === undefined ? null : isoTime(lastNs),
    }),
  }
}

function emptyTally(): Tally {
  return {
    requests: 0,
    errors: {},
    inputTokens: 0,
    outputTokens: 0,
    cacheReadTokens: 0,
    reasoningTokens: 0,
    unreportedInputTokens: 0,
    unreportedOutputTokens: 0,
  }
}

function addCall(tally: Tally, call: CallFacts): void {
  tally.requests += 1
  if (call.errorType !== undefined) {
    tally.errors[call.errorType] = (tally.errors[call.errorType] ?? 0) + 1
    tally.unreportedInputTokens += call.inputTokens
    tally.unreportedOutputTokens += call.outputTokens
    return
  }
  tally.inputTokens += call.inputTokens
  tally.outputTokens += call.outputTokens
  tally.cacheReadTokens += call.cacheReadTokens
  tally.reasoningTokens += call.reasoningTokens
}

function tallyOf(tallies: Map<string, Tally>, key: string): Tally {
  const tally = tallies.get(key) ?? emptyTally()
  tallies.set(key, tally)
  return tally
}

function tallyOfModel(models: Map<string, ModelTally>, facts: CallFacts): Tally {
  const key = `${facts.provider} ${facts.model}`
  const known = models.get(key) ?? { facts, tally: emptyTally() }
  models.set(key, known)
  return known.tally
}

function modelUsage({ facts, tally }: ModelTally): ModelUsage {
  const { provider, model, responseModel } = facts
  return { provider, model, responseModel, ...copy(tally) }
}

function copy(tally: Tally): Usage {
  return { ...tally, errors: { ...tally.errors } }
}

function operationOf({ attributes, kind, name }: SpanSpec): string {
  const operation = attributes['gen_ai.operation.name']
  if (typeof operation === 'string') return operation
  return kind === SpanKind.SERVER ? 'server' : name
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function sorted(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a))
}

function byRequests<T extends { readonly requests: number }>(rows: readonly T[]): readonly T[] {
  return rows.toSorted((a, b) => b.requests - a.requests)
}

function isoTime(ns: bigint): string {
  const fraction = String(ns % 1_000_000_000n).padStart(9, '0')
  return `${new Date(Number(ns / 1_000_000n)).toISOString().slice(0, 19)}.${fraction}Z`
}
