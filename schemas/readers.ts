import {
  alertDeliveries,
  alerts,
  deadLetters,
  deadLetterSends,
  enrichedSpans,
  evaluations,
  observations,
  otlpSpans,
  priceCorrections,
  spanAggregates,
  spans,
} from './topics.ts'

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
  sinkObservations: { group: 'sink-observations', topic: observations.name },
  aggregateSpans: { group: 'alert-aggregate-spans', topic: enrichedSpans.name },
  aggregateEvaluations: { group: 'alert-aggregate-evaluations', topic: evaluations.name },
  aggregateCorrections: {
    group: 'alert-aggregate-price-corrections',
    topic: priceCorrections.name,
  },
  aggregateDeadLetters: { group: 'alert-aggregate-dead-letters', topic: deadLetters.name },
  evaluate: { group: 'alert-evaluate', topic: spanAggregates.name },
} as const satisfies Readonly<Record<string, Reader>>

/** In which commands take dead letters to where they go: one of them has each partition. */
export const deadLetterSender: Reader = { group: 'dead-letters-send', topic: deadLetterSends.name }

/** How the group of a channel begins, which its name follows: it reads the topic alerts. */
export const NOTIFY_GROUPS = 'alert-notify-'

/** How groups begin in which a topic is read whole, once, such as the state of alerts at a start. */
export function readerGroups(topic: string): string {
  return `${topic}-reader-`
}
