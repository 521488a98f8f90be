import { type ProtoReader, WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from './otlp-reader.ts'
import type { SpanDraft } from './span-draft.ts'

/** Why a span cannot be taken in. */
export interface SpanProblem {
  readonly reason: string
  readonly detail: string
}

/** Bytes of the request from start up to end. */
export interface Range {
  start: number
  end: number
}

const TRACE_ID_BYTES = 16
const SPAN_ID_BYTES = 8
const TOO_MANY: SpanProblem = {
  reason: 'too_many_attributes',
  detail: 'the span has more attributes than SPANMETER_OTLP_MAX_ATTRIBUTES',
}

const TOO_LARGE: SpanProblem = {
  reason: 'value_too_large',
  detail: 'a value of the span, or of its resource, is longer than SPANMETER_OTLP_MAX_VALUE_BYTES',
}

/**
 * Finds a part of a message, such as an attribute of a span, that is longer than allowed. Only messages
 * that are longer themselves need a look.
 */
export function findTooLarge(
  reader: ProtoReader,
  { start, end }: Range,
  maxBytes: number,
): SpanProblem | undefined {
  if (end - start <= maxBytes) return undefined
  reader.position = start
  while (reader.tag(end)) {
    if (reader.wire !== WIRE_BYTES) {
      reader.skip(end)
      continue
    }
    reader.bytes(end)
    if (reader.end - reader.start > maxBytes) return TOO_LARGE
    reader.position = reader.end
  }
  return undefined
}

/**
 * The fields of one opentelemetry.proto.trace.v1.Span but its attributes, as ranges of the request.
 * Written over for each span. Attributes go to the draft.
 */
export class OtlpSpan {
  readonly traceId = range()
  readonly spanId = range()
  readonly parentSpanId = range()
  readonly traceState = range()
  readonly name = range()
  readonly statusMessage = range()
  /** Pairs of start and end, one for each event and link. */
  readonly events: number[] = []
  readonly contentEvents: number[] = []
  readonly links: number[] = []
  spanKind = 0
  status = 0
  startLow = 0
  startHigh = 0
  durationNano = 0
  #endLow = 0
  #endHigh = 0

  /** Reads the span at start…end; gives the reason where it cannot be taken in. Throws ProtoError. */
  read(reader: ProtoReader, start: number, end: number, draft: SpanDraft): SpanProblem | undefined {
    this.#clear()
    draft.startSpan()
    let tooMany = false
    reader.position = start
    while (reader.tag(end)) {
      if (reader.field !== 9) {
        this.#readField(reader, end, draft)
        continue
      }
      reader.bytes(end)
      const next = reader.position
      if (!tooMany) tooMany = !draft.readAttribute(reader, reader.start, reader.end)
      reader.position = next
    }
    return tooMany ? TOO_MANY : (this.#checkIds(reader.buffer) ?? this.#checkTimes())
  }

  #clear(): void {
    for (const part of [this.traceId, this.spanId, this.parentSpanId, this.traceState]) clear(part)
    clear(this.name)
    clear(this.statusMessage)
    this.spanKind = this.status = 0
    this.startLow = this.startHigh = this.#endLow = this.#endHigh = 0
    this.events.length = this.contentEvents.length = this.links.length = 0
  }

  #readField(reader: ProtoReader, end: number, draft: SpanDraft): void {
    const { field } = reader
    if (field === 7 || field === 8) {
      reader.expect(WIRE_FIXED64)
      reader.fixed64()
      if (field === 7) {
        this.startLow = reader.low
        this.startHigh = reader.high
      } else {
        this.#endLow = reader.low
        this.#endHigh = reader.high
      }
    } else if (field === 6) {
      reader.expect(WIRE_VARINT)
      this.spanKind = reader.uint32()
    } else if (field <= 5 || field === 11 || field === 13 || field === 15) {
      reader.bytes(end)
      const next = reader.position
      this.#readRange(reader, draft)
      reader.position = next
    } else reader.skip(end)
  }

  #readRange(reader: ProtoReader, draft: SpanDraft): void {
    const { field, start, end } = reader
    if (field === 1) set(this.traceId, start, end)
    else if (field === 2) set(this.spanId, start, end)
    else if (field === 3) set(this.traceState, start, end)
    else if (field === 4) set(this.parentSpanId, start, end)
    else if (field === 5) set(this.name, start, end)
    else if (field === 13) this.links.push(start, end)
    else if (field === 15) this.#readStatus(reader, start, end)
    else {
      const holdsContent = readEvent(reader, start, end, draft)
      ;(holdsContent ? this.contentEvents : this.events).push(start, end)
    }
  }

  /** Status: message 2, code 3. */
  #readStatus(reader: ProtoReader, start: number, end: number): void {
    reader.position = start
    while (reader.tag(end)) {
      if (reader.field === 2) {
        reader.bytes(end)
        set(this.statusMessage, reader.start, reader.end)
      } else if (reader.field === 3) {
        reader.expect(WIRE_VARINT)
        this.status = reader.uint32()
      } else reader.skip(end)
    }
  }

  #checkIds(buffer: Buffer): SpanProblem | undefined {
    if (!isId(buffer, this.traceId, TRACE_ID_BYTES)) {
      return {
        reason: 'invalid_trace_id',
        detail: 'trace_id must be 16 bytes, not all of them zero',
      }
    }
    if (!isId(buffer, this.spanId, SPAN_ID_BYTES)) {
      return { reason: 'invalid_span_id', detail: 'span_id must be 8 bytes, not all of them zero' }
    }
    const parentBytes = this.parentSpanId.end - this.parentSpanId.start
    if (parentBytes !== 0 && parentBytes !== SPAN_ID_BYTES) {
      return { reason: 'invalid_parent_span_id', detail: 'parent_span_id must be 8 bytes, or none' }
    }
    // Some exporters write a root's missing parent as zeros.
    if (!isId(buffer, this.parentSpanId, SPAN_ID_BYTES)) clear(this.parentSpanId)
    return undefined
  }

  #checkTimes(): SpanProblem | undefined {
    if (this.startLow === 0 && this.startHigh === 0) {
      return { reason: 'invalid_time', detail: 'start_time_unix_nano is missing' }
    }
    if (this.startHigh >= 2 ** 31 || this.#endHigh >= 2 ** 31) {
      return { reason: 'invalid_time', detail: 'a time lies beyond the year 2262' }
    }
    this.durationNano = (this.#endHigh - this.startHigh) * 2 ** 32 + (this.#endLow - this.startLow)
    if (this.durationNano < 0) {
      return { reason: 'invalid_time', detail: 'end_time_unix_nano is missing or before the start' }
    }
    if (!Number.isSafeInteger(this.durationNano)) {
      return { reason: 'invalid_time', detail: 'the span takes longer than 104 days' }
    }
    return undefined
  }
}

/** An empty range. */
export function range(): Range {
  return { start: 0, end: 0 }
}

function set(into: Range, start: number, end: number): void {
  into.start = start
  into.end = end
}

function clear(part: Range): void {
  part.start = part.end = 0
}

function isId(buffer: Buffer, id: Range, bytes: number): boolean {
  if (id.end - id.start !== bytes) return false
  for (let at = id.start; at < id.end; at++) if (buffer[at] !== 0) return true
  return false
}

/** Event: time 1, name 2. True where it holds content. */
function readEvent(reader: ProtoReader, start: number, end: number, draft: SpanDraft): boolean {
  let nameStart = 0
  let nameEnd = 0
  const time = { low: 0, high: 0 }
  reader.position = start
  while (reader.tag(end)) {
    if (reader.field === 1 && reader.wire === WIRE_FIXED64) {
      reader.fixed64()
      time.low = reader.low
      time.high = reader.high
    } else if (reader.field === 2) {
      reader.bytes(end)
      nameStart = reader.start
      nameEnd = reader.end
    } else reader.skip(end)
  }
  return draft.readEvent(reader.buffer, nameStart, nameEnd, time)
}
