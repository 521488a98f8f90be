import type { Rejected } from '#runtime/dead-letters.ts'
import { toNanos } from '#runtime/time.ts'
import { batchHeader } from '#schemas/codec.ts'
import { spans as spansTopic } from '#schemas/topics.ts'
import { BatchWriter } from '#schemas/batch.ts'
import { AvroWriter, halves } from '#schemas/wire.ts'
import { DepthError } from './any-value.ts'
import type { Conventions } from './conventions.ts'
import { ContextBudget, oneSpanProto } from './one-span-request.ts'
import { ProtoError, ProtoReader, WIRE_BYTES } from './otlp-reader.ts'
import { SpanDraft, type SpanLimits } from './span-draft.ts'
import type { Redactor } from './redact/redactor.ts'
import { findTooLarge, OtlpSpan, range, type Range, type SpanProblem } from './otlp-span.ts'
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
  /** A span with a longer attribute, event or any other part is refused. */
  readonly maxValueBytes: number
  /** A batch is closed once it is larger. */
  readonly maxBatchBytes: number
  /** A request with more spans is refused as a whole. */
  readonly maxSpans: number
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
type ObserveSpan = (draft: SpanDraft, reader: ProtoReader) => void

/** What else happens to each span. */
export interface TranscodeHooks {
  readonly observe?: ObserveSpan
  /** Changes spans once they are written; a transcoder without one keeps all as it came. */
  readonly redactor?: Pick<Redactor, 'redactItem'>
}

/**
 * Turns the protobuf of an OTLP ExportTraceServiceRequest into batches of spans. A tenant that is given
 * is that of every span, whatever attributes say.
 */
export type Transcode = (request: Buffer, receivedTimeMs: number, tenant?: string) => Transcoded

/**
 * Makes a transcoder. It moves bytes: no JavaScript object is made of a span. It throws ProtoError
 * where the bytes are not protobuf,
 * DepthError where a resource nests too deep, and TooLargeError; a span that is wrong in itself is rejected alone.
 */
export function createTranscoder(
  conventions: Conventions,
  limits: TranscodeLimits,
  { observe, redactor }: TranscodeHooks = {},
): Transcode {
  const batch = new BatchWriter(batchHeader(spansTopic.codec.fingerprint))
  const draft = new SpanDraft(conventions.dialects, limits)
  const write = createSpanWriter(draft, conventions, batch.items)
  const span = new OtlpSpan()
  return (request, receivedTimeMs, tenant) => {
    batch.reset()
    draft.tenant = tenant
    const walk = new Walk(request, {
      batch,
      draft,
      span,
      write: observe === undefined ? write : writeAndShow(write, observe, draft),
      redact: redactor?.redactItem,
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
  readonly redact: Redactor['redactItem'] | undefined
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
  readonly #budget = new ContextBudget()
  /** Ranges of the resource and the scope at hand. */
  #resources: readonly number[] = []
  #scopes: number[] = []
  #index = 0
  #spans = 0
  #outputBytes = 0
  #batchBytes = 0

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
    const resources: number[] = []
    this.#eachMessage(start, end, (field, from, to) => {
      if (field === 1) {
        resources.push(from, to)
        this.#collect(1, from, to, attributes)
      } else if (field === 2) scopes.push(from, to)
    })
    draft.readResource(this.#reader, attributes)
    this.#resources = resources
    this.#resourceMap.length = 0
    writeAttributeMap(this.#resourceMap, this.#reader, attributes)
    for (let i = 0; i < scopes.length; i += 2) this.#scopeSpans(scopes[i] ?? 0, scopes[i + 1] ?? 0)
  }

  #scopeSpans(start: number, end: number): void {
    const spans: number[] = []
    Object.assign(this.#scopeName, range())
    Object.assign(this.#scopeVersion, range())
    this.#scopes = []
    this.#eachMessage(start, end, (field, from, to) => {
      if (field === 1) {
        this.#scopes.push(from, to)
        this.#scope(from, to)
      } else if (field === 2) spans.push(from, to)
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
    const { batch, draft, limits, redact } = this.#parts
    const index = this.#index++
    const before = batch.items.length
    if (index >= limits.maxSpans) {
      throw new TooLargeError(`the request holds more than ${limits.maxSpans} spans`)
    }
    const problem = this.#findTooLarge(start, end) ?? this.#readAndWrite(start, end)
    if (problem !== undefined) {
      if (this.#rejected.length === MAX_REJECTED_SPANS)
        throw new ProtoError('too many invalid spans')
      this.#rejected.push({ index, ...problem, ...this.#letter(start, end) })
      return
    }
    this.#spans++
    batch.count++
    const bytes = batch.items.length - before
    redact?.(batch.items, before, draft.tenant)
    this.#limitSize(bytes)
  }

  #letter(start: number, end: number): Pick<Rejected, 'payload' | 'format' | 'tenant'> {
    const place = { resources: this.#resources, scopes: this.#scopes, start, end }
    return {
      payload: oneSpanProto(this.#reader.buffer, place, this.#budget),
      format: 'otlp_proto',
      tenant: this.#parts.draft.tenant ?? '',
    }
  }

  #findTooLarge(start: number, end: number): SpanProblem | undefined {
    const { maxValueBytes } = this.#parts.limits
    if (this.#reader.buffer.length <= maxValueBytes) return undefined
    const ranges = [...this.#resources, ...this.#scopes, start, end]
    for (let i = 0; i < ranges.length; i += 2) {
      const part = { start: ranges[i] ?? 0, end: ranges[i + 1] ?? 0 }
      const problem = findTooLarge(this.#reader, part, maxValueBytes)
      if (problem !== undefined) return problem
    }
    return undefined
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

  /**
   * Cuts by what spans take before they are redacted, so that a request that is sent again is cut alike, even
   * when the policy has changed.
   */
  #limitSize(bytes: number): void {
    const { batch, limits } = this.#parts
    this.#outputBytes += bytes
    this.#batchBytes += bytes
    if (this.#outputBytes > limits.maxOutputBytes) {
      throw new TooLargeError(`the request's spans take more than ${limits.maxOutputBytes} bytes`)
    }
    if (this.#batchBytes < limits.maxBatchBytes) return
    this.#batches.push(batch.finish())
    this.#batchBytes = 0
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
