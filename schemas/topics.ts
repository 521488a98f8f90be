import { readFileSync } from 'node:fs'
import { createCodec, type Codec, type SchemaJson } from './codec.ts'

/** A topic: its name, what its records are keyed by, and how it is made. */
export interface Topic {
  readonly name: string
  readonly key: string
  readonly eventTime: string
  /** Broker's clock on append, so that times never run backwards within a partition. */
  readonly logAppendTime: boolean
}

/** A topic of batches, whose items are of one schema. */
export interface BatchTopic<T> extends Topic {
  readonly codec: Codec<T>
}

/** A decoded dead letter, see dead-letter.avsc. */
export interface DeadLetter {
  readonly time_unix_nano: bigint
  readonly worker: string
  readonly source: string
  readonly partition: number
  readonly offset: bigint
  readonly index: number
  readonly reason: string
  readonly detail: string
  readonly format: string
  readonly payload: Buffer
}

/** A decoded correction of a span's price, see price-correction.avsc. */
export interface PriceCorrection {
  readonly trace_id: string
  readonly span_id: string
  readonly tenant: string
  readonly start_time_unix_nano: bigint
  readonly kind: string
  readonly service: string
  readonly provider: string
  readonly request_model: string
  readonly response_model: string
  readonly operation: string
  readonly endpoint: string
  readonly feature: string
  readonly environment: string
  readonly team: string
  readonly cost_centre: string
  readonly user_tier: string
  readonly user: string
  readonly prompt_id: string
  readonly prompt_version: string
  readonly error_type: string
  readonly input_tokens: bigint | null
  readonly output_tokens: bigint | null
  readonly cache_read_tokens: bigint | null
  readonly cache_write_5m_tokens: bigint | null
  readonly cache_write_1h_tokens: bigint | null
  readonly reasoning_tokens: bigint | null
  readonly input_audio_tokens: bigint | null
  readonly output_audio_tokens: bigint | null
  readonly reported_cost_pico_usd: bigint | null
  readonly old_cost_pico_usd: bigint | null
  readonly old_price_status: string
  readonly old_price_version: string
  readonly old_price_model: string
  readonly cost_pico_usd: bigint | null
  readonly price_status: string
  readonly price_version: string
  readonly price_model: string
  readonly price_flags: readonly string[]
  readonly cost_parts: string
  readonly job: string
  readonly corrected_time_unix_nano: bigint
}

/** Kinds of step that call a model, and so are paid for. */
export const MODEL_CALL_KINDS: readonly string[] = ['llm', 'embedding', 'rerank']

/** A decoded span, see span.avsc: hot paths read its bytes instead (wire.ts). */
export type Span = Readonly<Record<string, unknown>>

const schema = (file: string): SchemaJson => {
  const parsed: SchemaJson = JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'))
  return parsed
}

/** The newest schemas, as JSON. */
export const schemas = {
  span: schema('span.avsc'),
  enrichedSpan: schema('enriched-span.avsc'),
  deadLetter: schema('dead-letter.avsc'),
  priceCorrection: schema('price-correction.avsc'),
} as const

/** Public input: OTLP trace export requests, protobuf or JSON, one to a record. */
export const otlpSpans: Topic = {
  name: 'otlp_spans',
  key: 'whatever the producer chose',
  eventTime: 'start of each span',
  logAppendTime: false,
}

/** Batches of spans as ingest understood them. */
export const spans: BatchTopic<Span> = {
  name: 'spans',
  codec: createCodec<Span>(schemas.span),
  key: 'hash of the request, or none for what came from otlp_spans',
  eventTime: 'start_time_unix_nano of each span',
  logAppendTime: true,
}

/** Batches of spans with price and tags; content only where it is kept. */
export const enrichedSpans: BatchTopic<Span> = {
  name: 'spans.enriched',
  codec: createCodec<Span>(schemas.enrichedSpan),
  key: 'none: the partition is that of the record in spans',
  eventTime: 'start_time_unix_nano of each span',
  logAppendTime: true,
}

/** What workers could not read, with the reason and the original bytes. */
export const deadLetters: BatchTopic<DeadLetter> = {
  name: 'dead-letters',
  codec: createCodec<DeadLetter>(schemas.deadLetter),
  key: 'hash of the request, or none for what came from a topic',
  eventTime: 'time_unix_nano',
  logAppendTime: true,
}

/** Batches of prices that a run of re-pricing changed, each sent once for a change. */
export const priceCorrections: BatchTopic<PriceCorrection> = {
  name: 'price-corrections',
  codec: createCodec<PriceCorrection>(schemas.priceCorrection),
  key: 'none: a change is added to what was counted, so that order does not matter',
  eventTime: 'start_time_unix_nano of each span',
  logAppendTime: true,
}

/** Every topic of the pipeline. */
export const topics = [otlpSpans, spans, enrichedSpans, deadLetters, priceCorrections] as const
