import type { Attributes, SpanKind } from '@opentelemetry/api'

/** A finished span before it is OTLP: plain values, nothing of an SDK. */
export interface SpanSpec {
  readonly traceId: string
  readonly spanId: string
  /** Undefined for the root. */
  readonly parentSpanId: string | undefined
  /** The parent lives in another service. */
  readonly isParentRemote: boolean
  readonly name: string
  readonly kind: SpanKind
  readonly service: string
  readonly environment: string
  readonly startNs: bigint
  readonly endNs: bigint
  readonly attributes: Attributes
  /** What went wrong; undefined leaves the status unset. */
  readonly error: SpanError | undefined
  /** What else was told, all at the span's end. */
  readonly events: readonly SpanEvent[]
  /** The figures of an LLM call, as the workload has them; undefined on every other span. */
  readonly call: CallFacts | undefined
}

/** Something that happened at the end of a span. */
export interface SpanEvent {
  readonly name: string
  readonly attributes: Attributes
}

/** Becomes the status, and an `exception` event at the span's end. */
export interface SpanError {
  readonly type: string
  readonly message: string
}

/** What an LLM call used. A failed call used its tokens too, but reports none of them. */
export interface CallFacts {
  readonly provider: string
  readonly model: string
  readonly responseModel: string
  readonly tenant: string
  readonly feature: string
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadTokens: number
  readonly reasoningTokens: number
  readonly errorType: string | undefined
  /** Who scored the answer. */
  readonly evaluators: readonly string[]
}
