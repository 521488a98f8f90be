import { readFileSync } from 'node:fs'
import { createCodec, type Codec, type SchemaJson } from './codec.ts'
import type {
  Aggregate,
  Alert,
  AlertDelivery,
  AlertState,
  DeadLetter,
  DeadLetterSend,
  Evaluation,
  Observation,
  PriceCorrection,
} from './items.ts'

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
  deadLetterSend: schema('dead-letter-send.avsc'),
  priceCorrection: schema('price-correction.avsc'),
  evaluation: schema('evaluation.avsc'),
  aggregate: schema('aggregate.avsc'),
  alert: schema('alert.avsc'),
  alertDelivery: schema('alert-delivery.avsc'),
  alertState: schema('alert-state.avsc'),
  observation: schema('observation.avsc'),
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
  codec: createCodec<DeadLetter>(schemas.deadLetter, [schema('older/dead-letter-1.avsc')]),
  key: 'hash of the request, or none for what came from a topic',
  eventTime: 'time_unix_nano',
  logAppendTime: true,
}

/** Dead letters that somebody sends again, one to a record; a command takes each to where it goes. */
export const deadLetterSends: BatchTopic<DeadLetterSend> = {
  name: 'dead-letters.sends',
  codec: createCodec<DeadLetterSend>(schemas.deadLetterSend),
  key: 'name of the letter, by which the partition is chosen',
  eventTime: 'time_unix_nano',
  logAppendTime: true,
}

/** Which dead letters have been sent again: the place of the first record of each in dead-letters.sends. */
export const deadLettersSent: Topic = {
  name: 'dead-letters.sent',
  key: 'name of the letter',
  eventTime: 'none',
  logAppendTime: true,
  isCompacted: true,
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

/** What workers find out about the pipeline itself. */
export const observations: BatchTopic<Observation> = {
  name: 'observations',
  codec: createCodec<Observation>(schemas.observation),
  key: 'none',
  eventTime: 'time_unix_nano of each observation',
  logAppendTime: true,
}

/** Every topic of the pipeline. */
export const topics: readonly Topic[] = [
  otlpSpans,
  spans,
  enrichedSpans,
  deadLetters,
  deadLetterSends,
  deadLettersSent,
  priceCorrections,
  evaluations,
  spanAggregates,
  alerts,
  alertDeliveries,
  alertState,
  observations,
]
