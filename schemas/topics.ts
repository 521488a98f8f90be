import { readFileSync } from 'node:fs'
import { createCodec, type Codec, type SchemaJson } from './codec.ts'

/** A topic: its name, what its records are keyed by, and how it is made. */
export interface Topic {
  readonly name: string
  readonly key: string
  readonly eventTime: string
  /** Broker's clock on append, so that times never run backwards within a partition. */
  readonly logAppendTime: boolean
  /** Kafka keeps the last record of each key for good, instead of all records for a while. */
  readonly isCompacted?: boolean
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

/** A decoded evaluation, see evaluation.avsc. */
export interface Evaluation {
  readonly evaluation_id: string
  readonly trace_id: string
  readonly span_id: string
  readonly time_unix_nano: bigint
  readonly evaluator: string
  readonly evaluator_version: string
  readonly dimension: string
  readonly score: number | null
  readonly label: string
  readonly explanation: string
  readonly response_id: string
  readonly tenant: string
  readonly team: string
  readonly feature: string
  readonly environment: string
  readonly cost_centre: string
  readonly user_tier: string
  readonly user: string
  readonly session: string
  readonly request_id: string
  readonly service: string
  readonly provider: string
  readonly model: string
  readonly prompt_id: string
  readonly prompt_version: string
  readonly experiment: string
  readonly variant: string
  readonly domain: string
  readonly use_case: string
  readonly origin: string
  readonly received_time_unix_nano: bigint
}

/** A decoded aggregate, see aggregate.avsc: the alert worker reads its bytes instead. */
export interface Aggregate {
  readonly series: string
  readonly group: string
  readonly bucket: bigint
  readonly count: bigint
  readonly bad: bigint
  readonly high: bigint
  readonly low: bigint
  readonly bins: readonly bigint[]
  readonly trace_id: string
  readonly trace_value: number
}

/** A decoded change of an alert, see alert.avsc. */
export interface Alert {
  readonly alert_id: string
  readonly incident_id: string
  readonly rule: string
  readonly level: string
  readonly group: Readonly<Record<string, string>>
  readonly state: 'inactive' | 'pending' | 'firing' | 'resolved'
  readonly previous_state: string
  readonly reason: string
  readonly severity: 'info' | 'warning' | 'critical'
  readonly notify: boolean
  readonly muted_by: string
  readonly time_unix_nano: bigint
  readonly firing_since_unix_nano: bigint
  readonly window_start_unix_nano: bigint
  readonly window_end_unix_nano: bigint
  readonly value: number | null
  readonly threshold: number | null
  readonly baseline: number | null
  readonly count: bigint
  readonly unit: string
  readonly summary: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly contributors: readonly {
    readonly dimension: string
    readonly name: string
    readonly value: number
  }[]
  readonly trace_ids: readonly string[]
  readonly link: string
}

/** A decoded delivery, see alert-delivery.avsc. */
export interface AlertDelivery {
  readonly alert_id: string
  readonly incident_id: string
  readonly rule: string
  readonly state: string
  readonly channel: string
  readonly channel_type: string
  readonly dedup_key: string
  readonly outcome: 'delivered' | 'failed' | 'refused' | 'muted' | 'expired'
  readonly attempts: number
  readonly status: number
  readonly detail: string
  readonly time_unix_nano: bigint
  readonly latency_ms: bigint
}

/** A decoded piece of an evaluator's state, see alert-state.avsc. */
export interface AlertState {
  readonly key: string
  readonly at: bigint
  readonly payload: string
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
  evaluation: schema('evaluation.avsc'),
  aggregate: schema('aggregate.avsc'),
  alert: schema('alert.avsc'),
  alertDelivery: schema('alert-delivery.avsc'),
  alertState: schema('alert-state.avsc'),
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

/** Batches of scores of spans and traces, from evaluators within and outside. */
export const evaluations: BatchTopic<Evaluation> = {
  name: 'evaluations',
  codec: createCodec<Evaluation>(schemas.evaluation),
  key: 'hash of the request, or none for what came from spans',
  eventTime: 'time_unix_nano of each evaluation',
  logAppendTime: true,
}

/** What alert rules measure: batches of what each run of records adds to the buckets of series. */
export const spanAggregates: BatchTopic<Aggregate> = {
  name: 'span.aggregates',
  codec: createCodec<Aggregate>(schemas.aggregate),
  key: 'none: the partition is chosen by the group, so that one evaluator sees all of it',
  eventTime: 'bucket of each aggregate; how far its source has come stands in a header',
  logAppendTime: true,
}

/** Changes of the states of alerts, each once. */
export const alerts: BatchTopic<Alert> = {
  name: 'alerts',
  codec: createCodec<Alert>(schemas.alert),
  key: 'none: the partition is that of span.aggregates',
  eventTime: 'time_unix_nano',
  logAppendTime: true,
}

/** What became of telling channels of alerts. */
export const alertDeliveries: BatchTopic<AlertDelivery> = {
  name: 'alert-deliveries',
  codec: createCodec<AlertDelivery>(schemas.alertDelivery),
  key: 'none',
  eventTime: 'time_unix_nano',
  logAppendTime: true,
}

/** What evaluators remember, so that a restart forgets nothing. */
export const alertState: BatchTopic<AlertState> = {
  name: 'alert.state',
  codec: createCodec<AlertState>(schemas.alertState),
  key: 'key of the piece; the partition is that of span.aggregates',
  eventTime: 'none',
  logAppendTime: true,
  isCompacted: true,
}

/** Every topic of the pipeline. */
export const topics: readonly Topic[] = [
  otlpSpans,
  spans,
  enrichedSpans,
  deadLetters,
  priceCorrections,
  evaluations,
  spanAggregates,
  alerts,
  alertDeliveries,
  alertState,
]

/** A consumer group of the pipeline and the topic that it reads. */
export interface Reader {
  readonly group: string
  readonly topic: string
}

/** What must be read before alerts may take silence for an end: all upstream of span.aggregates. */
export const readers = {
  ingest: { group: 'ingest', topic: otlpSpans.name },
  enrich: { group: 'enrich', topic: spans.name },
  sink: { group: 'sink', topic: enrichedSpans.name },
  sinkPriceCorrections: { group: 'sink-price-corrections', topic: priceCorrections.name },
  sinkDeadLetters: { group: 'sink-dead-letters', topic: deadLetters.name },
  sinkEvaluations: { group: 'sink-evaluations', topic: evaluations.name },
  sinkAlerts: { group: 'sink-alerts', topic: alerts.name },
  sinkAlertDeliveries: { group: 'sink-alert-deliveries', topic: alertDeliveries.name },
  aggregateSpans: { group: 'alert-aggregate-spans', topic: enrichedSpans.name },
  aggregateEvaluations: { group: 'alert-aggregate-evaluations', topic: evaluations.name },
  aggregateCorrections: {
    group: 'alert-aggregate-price-corrections',
    topic: priceCorrections.name,
  },
  aggregateDeadLetters: { group: 'alert-aggregate-dead-letters', topic: deadLetters.name },
  evaluate: { group: 'alert-evaluate', topic: spanAggregates.name },
} as const satisfies Readonly<Record<string, Reader>>
