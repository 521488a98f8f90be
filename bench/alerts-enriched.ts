import type { Env } from '#runtime/config.ts'
import type { KafkaRecord } from '#runtime/records.ts'
import type { Transform } from '#runtime/transform-stage.ts'
import { parseConfig as parseEnrichConfig } from '../services/enrich/config.ts'
import { createEnricher } from '../services/enrich/enrich.ts'
import { parseConfig as parseIngestConfig } from '../services/ingest/config.ts'
import { createTopicTransform } from '../services/ingest/topic-receiver.ts'
import { createTranscoder } from '../services/ingest/transcode.ts'
import { BenchError } from './bench-error.ts'

/** Turns an OTLP request into the values of the records of spans.enriched that it would become. */
export type ToEnriched = (body: Uint8Array, receivedTimeMs: number) => readonly Buffer[]

/** Makes spans just as ingest and enrich do, with their own stages, in this process. */
export function createToEnriched(env: Env): ToEnriched {
  const ingest = parseIngestConfig(env)
  const { prices, tagSpan, contentRate } = parseEnrichConfig(env)
  const toSpans = createTopicTransform(
    createTranscoder(ingest.conventions, ingest.transcode),
    () => undefined,
  )
  const enrich = createEnricher({ prices, tagSpan, contentRate, onPriced: () => undefined })
  return (body, timeMs) => {
    const request = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    return valuesOf(toSpans, request, timeMs).flatMap((batch) => valuesOf(enrich, batch, timeMs))
  }
}

function valuesOf(transform: Transform, value: Buffer, timeMs: number): readonly Buffer[] {
  const record: KafkaRecord = { offset: 0n, timeMs, value, headers: {} }
  const { values, rejected } = transform(record)
  if (rejected.length === 0) return values
  throw new BenchError(`The benchmark made a record that is rejected: ${rejected[0]?.reason}`)
}
