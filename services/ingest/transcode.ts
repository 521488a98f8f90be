import type { Rejected } from '#runtime/dead-letters.ts'
import { toNanos } from '#runtime/time.ts'
import { batchHeader } from '#schemas/codec.ts'
import { spans as spansTopic } from '#schemas/topics.ts'
import { BatchWriter } from '#schemas/batch.ts'
import { AvroWriter, halves } from '#schemas/wire.ts'
import { DepthError } from './any-value.ts'
import type { Conventions } from './conventions.ts'
import { ProtoError, ProtoReader, WIRE_BYTES } from './otlp-reader.ts'
import { SpanDraft, type SpanLimits } from './span-draft.ts'
import { OtlpSpan, range, type Range, type SpanProblem } from './otlp-span.ts'
import { writeAttributeMap } from './span-parts.ts'
import { createSpanWriter, type WriteSpan } from './span-writer.ts'

/** What a request holds: batches for the topic `spans`, in order, and what was refused. */
export interface Transcoded {
  readonly batches: readonly Buffer[]
  readonly spans: number
  readonly rejected: readonly Rejected[]
}

/** Limits of one request. */
export interface TranscodeLimits extends SpanLimits {
  /** A batch is closed once it is larger. */
  readonly maxBatchBytes: number
  /** All batches together; a resource repeats in each of its spans, so a small request can grow. */
  readonly maxOutputBytes: number
}

/** A request with more bad spans than this is refused as a whole. */
const MAX_REJECTED_SPANS = 10_000

/** The request grows beyond maxOutputBytes. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError'
}

/** Is shown each span's draft once the span is written, before the draft is used again. */
export type ObserveSpan = (draft: SpanDraft, reader: ProtoReader) => void

/** Turns the protobuf of an OTLP ExportTraceServiceRequest into batches of spans. */
export type Transcode = (request: Buffer, receivedTimeMs: number) => Transcoded

/**
 * Makes a transcoder. It moves bytes: no JavaScript object is made of a span. It throws ProtoError
 * where the bytes are not protobuf,
 * DepthError where a resource nests too deep, and TooLargeError; a span that is wrong in itself is rejected alone.
 */
export function createTranscoder(
  conventions: Conventions,
  limits: TranscodeLimits,
  observe?: ObserveSpan,
): Transcode {
  const batch = new BatchWriter(batchHeader(spansTopic.codec.fingerprint))
  const draft = new SpanDraft(conventions.dialects, limits)
  const write = createSpanWriter(draft, conventions, batch.items)
  const span = new OtlpSpan()
  return (request, receivedTimeMs) => {
    batch.reset()
    const walk = new Walk(request, {
      batch,
      draft,
      span,
      write: observe === undefined ? write : writeAndShow(write, observe, draft),
      limits,
      received: halves(toNanos(receivedTimeMs)),
    })
    walk.request()
    return walk.result()
  }
}

function writeAndShow(write: WriteSpan, observe: ObserveSpan, draft: SpanDraft): WriteSpan {
  return (reader, span, context) => {
    write(reader, span, context)
    observe(draft, reader)
  }
}

interface WalkParts {
  readonly batch: BatchWriter
  readonly draft: SpanDraft
  readonly span: OtlpSpan
  readonly write: WriteSpan
  readonly limits: TranscodeLimits
  readonly received: { readonly low: number; readonly high: number }
}

/** One pass over one request. Field numbers are those of opentelemetry/proto/trace/v1/trace.proto. */
class Walk {
  readonly #reader: ProtoReader
  readonly #parts: WalkParts
  readonly #batches: Buffer[] = []
  readonly #rejected: Rejected[] = []
  readonly #resourceMap = new AvroWriter(1024)
  readonly #scopeName = range()
  readonly #scopeVersion = range()
  #index = 0
  #spans = 0
  #outputBytes = 0

  constructor(request: Buffer, parts: WalkParts) {
    this.#reader = new ProtoReader(request)
    this.#parts = parts
  }

  result(): Transcoded {
    if (this.#parts.batch.count > 0) this.#batches.push(this.#parts.batch.finish())
    return { batches: this.#batches, spans: this.#spans, rejected: this.#rejected }
  }

  request(): void {
    const end = this.#reader.buffer.length
    this.#eachMessage(0, end, (field, start, stop) => {
      if (field === 1) this.#resourceSpans(start, stop)
    })
  }

  #resourceSpans(start: number, end: number): void {
    const { draft } = this.#parts
    const scopes: number[] = []
    const attributes: number[] = []
    this.#eachMessage(start, end, (field, from, to) => {
      if (field === 1) this.#collect(1, from, to, attributes)
      else if (field === 2) scopes.push(from, to)
    })
    draft.readResource(this.#reader, attributes)
    this.#resourceMap.length = 0
    writeAttributeMap(this.#resourceMap, this.#reader, attributes)
    for (let i = 0; i < scopes.length; i += 2) this.#scopeSpans(scopes[i] ?? 0, scopes[i + 1] ?? 0)
  }

  #scopeSpans(start: number, end: number): void {
    const spans: number[] = []
    Object.assign(this.#scopeName, range())
    Object.assign(this.#scopeVersion, range())
    this.#eachMessage(start, end, (field, from, to) => {
      if (field === 1) this.#scope(from, to)
      else if (field === 2) spans.push(from, to)
    })
    this.#parts.draft.startScope(this.#text(this.#scopeName), this.#text(this.#scopeVersion))
    for (let i = 0; i < spans.length; i += 2) this.#span(spans[i] ?? 0, spans[i + 1] ?? 0)
  }

  #text({ start, end }: Range): string {
    return this.#reader.buffer.toString('utf8', start, end)
  }

  #scope(start: number, end: number): void {
    this.#eachMessage(start, end, (field, from, to) => {
      if (field === 1) Object.assign(this.#scopeName, { start: from, end: to })
      else if (field === 2) Object.assign(this.#scopeVersion, { start: from, end: to })
    })
  }

  #span(start: number, end: number): void {
    const { batch } = this.#parts
    const index = this.#index++
    const before = batch.items.length
    const problem = this.#readAndWrite(start, end)
    if (problem !== undefined) {
      if (this.#rejected.length === MAX_REJECTED_SPANS)
        throw new ProtoError('too many invalid spans')
      const payload = Buffer.from(this.#reader.buffer.subarray(start, end))
      this.#rejected.push({ index, ...problem, payload, format: 'otlp_span_proto' })
      return
    }
    this.#spans++
    batch.count++
    this.#limitSize(batch.items.length - before)
  }

  #readAndWrite(start: number, end: number): SpanProblem | undefined {
    const { batch, draft, span, write, received } = this.#parts
    const before = batch.items.length
    try {
      const problem = span.read(this.#reader, start, end, draft)
      if (problem !== undefined) return problem
      write(this.#reader, span, {
        scopeName: this.#scopeName,
        scopeVersion: this.#scopeVersion,
        resourceMap: this.#resourceMap,
        received,
      })
      return undefined
    } catch (error) {
      if (!(error instanceof DepthError)) throw error
      batch.items.length = before
      return { reason: 'value_too_deep', detail: error.message }
    }
  }

  #limitSize(bytes: number): void {
    const { batch, limits } = this.#parts
    this.#outputBytes += bytes
    if (this.#outputBytes > limits.maxOutputBytes) {
      throw new TooLargeError(`the request's spans take more than ${limits.maxOutputBytes} bytes`)
    }
    if (batch.bytes >= limits.maxBatchBytes) this.#batches.push(batch.finish())
  }

  #collect(wanted: number, start: number, end: number, into: number[]): void {
    this.#eachMessage(start, end, (field, from, to) => {
      if (field === wanted) into.push(from, to)
    })
  }

  /** Calls `visit` with each field of length-delimited type, as field 1 always is; steps over the others. */
  #eachMessage(
    start: number,
    end: number,
    visit: (field: number, start: number, end: number) => void,
  ): void {
    const reader = this.#reader
    reader.position = start
    while (reader.tag(end)) {
      const { field } = reader
      if (field > 1 && reader.wire !== WIRE_BYTES) {
        reader.skip(end)
        continue
      }
      reader.bytes(end)
      const next = reader.position
      visit(field, reader.start, reader.end)
      reader.position = next
    }
    if (reader.position !== end) throw new ProtoError('a message runs past its end')
  }
}
