import { parseConfig as parseEnrichConfig } from '../../services/enrich/config.ts'
import { createEnricher } from '../../services/enrich/enrich.ts'
import { parseConfig as parseIngestConfig } from '../../services/ingest/config.ts'
import { createTranscoder } from '../../services/ingest/transcode.ts'
import { createCodec } from '#schemas/codec.ts'
import { schemas } from '#schemas/topics.ts'
import type { EnrichedSpan } from '../integration/enriched-spans.ts'

const codec = createCodec<EnrichedSpan>(schemas.enrichedSpan)

/** What the workers' pure stages make of OTLP requests: the rows that must land, no more and no less. */
export function expectedSpans(bodies: readonly Buffer[]): readonly EnrichedSpan[] {
  const ingest = parseIngestConfig({})
  const transcode = createTranscoder(ingest.conventions, ingest.transcode)
  const { prices, tagSpan, contentRate } = parseEnrichConfig({})
  const enrich = createEnricher({ prices, tagSpan, contentRate, onPriced: () => undefined })
  return bodies.flatMap((body) =>
    transcode(body, 0).batches.flatMap((value) =>
      enrich({ offset: 0n, timeMs: 0, headers: {}, value }).values.flatMap((batch) =>
        codec.decode(batch),
      ),
    ),
  )
}
