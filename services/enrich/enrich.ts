import type { Rejected } from '#runtime/dead-letters.ts'
import type { Outcome, Transform } from '#runtime/transform-stage.ts'
import { batchBody, BatchError, batchHeader, newestBatch } from '#schemas/codec.ts'
import { enrichedSpans, spans } from '#schemas/topics.ts'
import { BatchWriter, readBlock } from '#schemas/batch.ts'
import { type AvroWriter, WireError } from '#schemas/wire.ts'
import { BatchCalls } from './batch-calls.ts'
import { keepsContent } from './content.ts'
import type { PriceBook } from './price-book.ts'
import { PricingTally } from './pricing-tally.ts'
import { hasEvents, SpanEvaluations } from './span-evaluations.ts'
import { SpanPricer } from './span-pricer.ts'
import { fieldIndex, LocatedSpans, SpanView } from './span-view.ts'
import { TAGS, type TagSpan } from './tags.ts'

export interface EnrichOptions {
  readonly prices: PriceBook
  readonly tagSpan: TagSpan
  /** Share of traces, from 0 to 1, whose content is kept; errors keep theirs always. */
  readonly contentRate: number
  /** Told once for each record what became of its spans; the tally is then cleared. */
  readonly onPriced: (tally: PricingTally) => void
  /** Told how many evaluations the spans of a record carried. */
  readonly onEvaluations?: (evaluations: number) => void
}

const KIND = fieldIndex('kind')
const STATUS = fieldIndex('status')
const ERROR_TYPE = fieldIndex('error_type')
const TRACE_ID = fieldIndex('trace_id')
const SPAN_ID = fieldIndex('span_id')
const PROMPT = fieldIndex('prompt')

const FIRST_OF_ERROR = 'e'.charCodeAt(0)
const EMPTY_CONTENT = Buffer.from([0, 0, 0])

/** What makes a batch of a single span's bytes. */
const SPAN_HEADER = batchHeader(spans.codec.fingerprint)
const ONE_ITEM = Buffer.from([2])
const NO_ITEMS = Buffer.from([0])

const TENANT_TAG = TAGS.indexOf('tenant')

/**
 * Turns a record of `spans` into one of `spans.enriched`: the span's bytes with its tags settled and
 * its content kept or cut off, followed by its price. A span is not decoded but for what that takes.
 * The evaluations that its spans carry as events are the second output.
 */
export function createEnricher(options: EnrichOptions): Transform {
  const batch = new BatchWriter(batchHeader(enrichedSpans.codec.fingerprint))
  const tally = new PricingTally()
  const evaluations = new SpanEvaluations()
  const enrichBatch = createBatchEnricher(options, tally, evaluations)
  return ({ value }): Outcome => {
    try {
      const body = batchBody(newestBatch(spans.codec, value))
      batch.reset()
      tally.clear()
      evaluations.clear()
      const { count, rejected } = enrichBatch(body, batch.items)
      batch.count = count
      options.onPriced(tally)
      if (evaluations.count > 0) options.onEvaluations?.(evaluations.count)
      const values = count === 0 ? [] : [batch.finish()]
      return { values, secondValues: evaluations.take(), rejected }
    } catch (error) {
      if (!(error instanceof BatchError) && !(error instanceof WireError)) throw error
      const rejected = {
        reason: 'invalid_batch',
        detail: error.message,
        format: 'avro',
        payload: value,
        tenant: '',
      }
      return { values: [], rejected: [{ index: -1, ...rejected }] }
    }
  }
}

/**
 * Makes a function that writes the spans of a batch with their enrichment. It gives their number, and
 * what of them is left out.
 */
function createBatchEnricher(
  options: EnrichOptions,
  tally: PricingTally,
  evaluations: SpanEvaluations,
) {
  const view = new SpanView()
  const spansOfBatch = new LocatedSpans()
  const calls = new BatchCalls(spansOfBatch)
  const pricer = new SpanPricer(options.prices, tally)
  return (body: Buffer, out: AvroWriter) => {
    const { count, start, end } = readBlock(body)
    const rejected: Rejected[] = []
    view.reader.buffer = body
    view.reader.position = start
    spansOfBatch.locate(view, count)
    if (view.reader.position !== end) throw new WireError('the batch is not as long as its spans')
    calls.read(view, count)
    for (let i = 0; i < count; i++) {
      spansOfBatch.select(view, i)
      const tags = options.tagSpan(view)
      const isKept = writeSpan(options, view, tags, out)
      if (!calls.isCall(i)) pricer.skip(out)
      else if (calls.isNested(i)) pricer.skipNested(out)
      else pricer.price(view, tags?.[TENANT_TAG], out)
      out.boolean(isKept)
      if (hasEvents(view) && !evaluations.collect(view, tags)) rejected.push(tooMany(view, i))
    }
    return { count, rejected }
  }
}

/** Evaluations that are left out, as a dead letter of their span; the span itself goes on. */
function tooMany({ reader, start, end }: SpanView, index: number): Rejected {
  const span = reader.buffer.subarray(start, end)
  const payload = Buffer.concat([SPAN_HEADER, ONE_ITEM, span, NO_ITEMS])
  const detail = 'the span has more evaluations than are taken of one; the last ones are left out'
  return { index, reason: 'too_many_evaluations', detail, format: 'avro', payload, tenant: '' }
}

/** Writes the span with its tags settled; says whether its content was kept. */
function writeSpan(
  options: EnrichOptions,
  view: SpanView,
  tags: readonly string[] | undefined,
  out: AvroWriter,
): boolean {
  const { buffer } = view.reader
  const tagsEnd = view.starts[KIND] ?? 0
  if (tags === undefined) out.raw(buffer, view.start, tagsEnd)
  else for (const tag of tags) out.string(tag)
  const contentStart = view.starts[PROMPT] ?? 0
  const kept = view.end - contentStart > EMPTY_CONTENT.length && isContentKept(options, view)
  out.raw(buffer, tagsEnd, kept ? view.end : contentStart)
  if (!kept) out.raw(EMPTY_CONTENT, 0, EMPTY_CONTENT.length)
  return kept
}

function isContentKept({ contentRate }: EnrichOptions, view: SpanView): boolean {
  const isError = view.firstByte(STATUS) === FIRST_OF_ERROR || !view.isEmpty(ERROR_TYPE)
  const { starts } = view
  return (
    isError ||
    keepsContent(view.reader.buffer, starts[TRACE_ID] ?? 0, starts[SPAN_ID] ?? 0, contentRate)
  )
}
