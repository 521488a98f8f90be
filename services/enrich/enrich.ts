import type { Outcome, Transform } from '#runtime/transform-stage.ts'
import { batchBody, BatchError, batchFingerprint, batchHeader } from '#schemas/codec.ts'
import { enrichedSpans, spans } from '#schemas/topics.ts'
import { BatchWriter, readBlock } from '#schemas/batch.ts'
import { type AvroWriter, WireError, halves } from '#schemas/wire.ts'
import { keepsContent } from './content.ts'
import { type Price, priceCall, type PriceBook, type PricedModel } from './price-book.ts'
import type { ListedModel } from './prices.ts'
import { fieldIndex, SpanView } from './span-view.ts'
import type { TagSpan } from './tags.ts'

export interface EnrichOptions {
  readonly prices: PriceBook
  readonly priceVersion: string
  readonly tagSpan: TagSpan
  /** Share of traces, from 0 to 1, whose content is kept; errors keep theirs always. */
  readonly contentRate: number
  /** Told once for each record: spans by outcome of pricing. */
  readonly onPriced: (outcomes: ReadonlyMap<string, number>) => void
}

const KIND = fieldIndex('kind')
const START_TIME = fieldIndex('start_time_unix_nano')
const PROVIDER = fieldIndex('provider')
const REQUEST_MODEL = fieldIndex('request_model')
const RESPONSE_MODEL = fieldIndex('response_model')
const OPERATION = fieldIndex('operation')
const STATUS = fieldIndex('status')
const ERROR_TYPE = fieldIndex('error_type')
const INPUT = fieldIndex('input_tokens')
const OUTPUT = fieldIndex('output_tokens')
const CACHE_READ = fieldIndex('cache_read_tokens')
const CACHE_WRITE_5M = fieldIndex('cache_write_5m_tokens')
const CACHE_WRITE_1H = fieldIndex('cache_write_1h_tokens')
const REASONING = fieldIndex('reasoning_tokens')
const INPUT_AUDIO = fieldIndex('input_audio_tokens')
const OUTPUT_AUDIO = fieldIndex('output_audio_tokens')
const TRACE_ID = fieldIndex('trace_id')
const SPAN_ID = fieldIndex('span_id')
const PROMPT = fieldIndex('prompt')

const FIRST_OF_ERROR = 'e'.charCodeAt(0)
const EMPTY_CONTENT = Buffer.from([0, 0, 0])
const NANOS_PER_MS = 1_000_000
const MAX_KNOWN_MODELS = 10_000
const MODEL_CALLS = new Set(['llm', 'embedding', 'rerank'])

/**
 * Turns a record of `spans` into one of `spans.enriched`: the span's bytes with its tags settled and
 * its content kept or cut off, followed by its price. A span is not decoded but for what that takes.
 */
export function createEnricher(options: EnrichOptions): Transform {
  const view = new SpanView()
  const batch = new BatchWriter(batchHeader(enrichedSpans.codec.fingerprint))
  const models = createModelCache(options.prices)
  return ({ value }): Outcome => {
    try {
      const body = batchBody(newest(value))
      const { count, start, end } = readBlock(body)
      view.reader.buffer = body
      view.reader.position = start
      batch.reset()
      const outcomes = new Map<string, number>()
      for (let i = 0; i < count; i++) {
        view.next()
        const status = enrichSpan(options, models, view, batch.items)
        outcomes.set(status, (outcomes.get(status) ?? 0) + 1)
        batch.count++
      }
      if (view.reader.position !== end) throw new WireError('the batch is not as long as its spans')
      options.onPriced(outcomes)
      return { values: count === 0 ? [] : [batch.finish()], rejected: [] }
    } catch (error) {
      if (!(error instanceof BatchError) && !(error instanceof WireError)) throw error
      const rejected = {
        reason: 'invalid_batch',
        detail: error.message,
        format: 'avro',
        payload: value,
      }
      return { values: [], rejected: [{ index: -1, ...rejected }] }
    }
  }
}

/** A batch of an older schema as one of the newest. */
function newest(batch: Buffer): Buffer {
  if (batchFingerprint(batch) === spans.codec.fingerprint) return batch
  return spans.codec.encode(spans.codec.decode(batch))
}

/** Writes the span with its enrichment; gives the outcome of pricing. */
function enrichSpan(
  options: EnrichOptions,
  models: ModelCache,
  view: SpanView,
  out: AvroWriter,
): string {
  const { buffer } = view.reader
  const tags = options.tagSpan(view)
  const tagsEnd = view.starts[KIND] ?? 0
  if (tags === undefined) out.raw(buffer, view.start, tagsEnd)
  else for (const tag of tags) out.string(tag)
  const contentStart = view.starts[PROMPT] ?? 0
  const kept = view.end - contentStart > EMPTY_CONTENT.length && isContentKept(options, view)
  out.raw(buffer, tagsEnd, kept ? view.end : contentStart)
  if (!kept) out.raw(EMPTY_CONTENT, 0, EMPTY_CONTENT.length)
  const price = priceOf(models, view)
  writePrice(out, price, options.priceVersion)
  out.boolean(kept)
  return price.status
}

function isContentKept({ contentRate }: EnrichOptions, view: SpanView): boolean {
  const isError = view.firstByte(STATUS) === FIRST_OF_ERROR || !view.isEmpty(ERROR_TYPE)
  const { starts } = view
  return (
    isError ||
    keepsContent(view.reader.buffer, starts[TRACE_ID] ?? 0, starts[SPAN_ID] ?? 0, contentRate)
  )
}

type SpanPrice = Price | { readonly status: 'not_applicable'; readonly model: '' }

function priceOf(models: ModelCache, view: SpanView): SpanPrice {
  if (!MODEL_CALLS.has(view.text(KIND))) return { status: 'not_applicable', model: '' }
  const listed = models.find(view)
  return priceCall(listed, view.long(START_TIME) / NANOS_PER_MS, {
    input: view.nullableLong(INPUT),
    output: view.nullableLong(OUTPUT),
    cacheRead: view.nullableLong(CACHE_READ),
    cacheWrite5m: view.nullableLong(CACHE_WRITE_5M),
    cacheWrite1h: view.nullableLong(CACHE_WRITE_1H),
    reasoning: view.nullableLong(REASONING),
    inputAudio: view.nullableLong(INPUT_AUDIO),
    outputAudio: view.nullableLong(OUTPUT_AUDIO),
  })
}

/** The enrichment's fields of enriched-span.avsc, but for content_kept. */
function writePrice(out: AvroWriter, price: SpanPrice, version: string): void {
  if (price.status === 'priced') {
    out.long(1)
    const { low, high } = halves(price.costPicoUsd)
    out.long64(low, high)
  } else out.long(0)
  out.string(price.status)
  out.string(price.status === 'not_applicable' ? '' : version)
  out.string(price.model)
  out.long(0)
  out.long(0)
}

interface ModelCache {
  find(view: SpanView): ListedModel | undefined
}

/** Remembers what the price book said, by the bytes of provider and models, which stand together. */
function createModelCache(prices: PriceBook): ModelCache {
  const known = new Map<string, ListedModel | undefined>()
  return {
    find(view) {
      const { starts } = view
      const key = view.reader.buffer.toString('latin1', starts[PROVIDER], starts[OPERATION])
      if (known.has(key)) return known.get(key)
      if (known.size >= MAX_KNOWN_MODELS) known.clear()
      const found = prices.find(modelOf(view))
      known.set(key, found)
      return found
    },
  }
}

function modelOf(view: SpanView): PricedModel {
  return {
    provider: view.text(PROVIDER),
    requestModel: view.text(REQUEST_MODEL),
    responseModel: view.text(RESPONSE_MODEL),
  }
}
