import { createLayout } from '#schemas/layout.ts'
import { schemas } from '#schemas/topics.ts'
import type { AvroWriter } from '#schemas/wire.ts'
import { attributesJson } from './any-value.ts'
import type { ProtoReader } from './otlp-reader.ts'
import { NO_CANONICAL } from './canonical-names.ts'
import { type Completion, createSpanCompleter } from './complete-span.ts'
import type { Conventions } from './conventions.ts'
import { fieldIndex } from './dialects.ts'
import { ABSENT, type FieldSlots, IN_BYTES } from './field-slots.ts'
import type { OtlpSpan, Range } from './otlp-span.ts'
import { IS_CONTENT, REMAINS, type SpanDraft } from './span-draft.ts'
import {
  emptyValue,
  readParts,
  writeAnyValue,
  writeEvents,
  writeHex,
  writeLinks,
} from './span-parts.ts'

/** What stands around a span: its scope, its resource's attributes as an Avro map, its arrival. */
export interface SpanContext {
  readonly scopeName: Range
  readonly scopeVersion: Range
  readonly resourceMap: AvroWriter
  /** Nanoseconds since the epoch, in halves. */
  readonly received: { readonly low: number; readonly high: number }
}

/** Writes one span as an item of span.avsc. Throws DepthError where a value nests too deep. */
export type WriteSpan = (reader: ProtoReader, span: OtlpSpan, context: SpanContext) => void

type Step = (
  reader: ProtoReader,
  span: OtlpSpan,
  context: SpanContext,
  completion: Completion,
) => void

const STATUS = ['unset', 'ok', 'error'] as const
const SPAN_KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const

/** Makes the writer: it completes the draft, then takes one step for each field of span.avsc, in its order. */
export function createSpanWriter(
  draft: SpanDraft,
  conventions: Conventions,
  out: AvroWriter,
): WriteSpan {
  const complete = createSpanCompleter(draft, conventions)
  const { names } = createLayout(schemas.span)
  const own: Readonly<Record<string, Step>> = { ...otlpSteps(draft, out), ...completionSteps(out) }
  const steps = names.map((name) => own[name])
  const fields = Int16Array.from(names, (name) =>
    own[name] === undefined ? fieldIndex(draft.dialects, name) : -1,
  )
  const { slots } = draft
  return (reader, span, context) => {
    const completion = complete(reader, span)
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i] ?? -1
      if (field < 0) steps[i]?.(reader, span, context, completion)
      // An empty string and a null are the same byte, and most fields are one of them.
      else if (slots.place[field] === ABSENT) out.boolean(false)
      else if (slots.types[field] === 'string') writeText(slots, out, reader, field)
      else writeNumber(slots, out, field)
    }
  }
}

/** The fields that several attributes fill together, by name. */
function completionSteps(out: AvroWriter): Readonly<Record<string, Step>> {
  return {
    kind: (_reader, _span, _context, { kind }) => out.string(kind),
    error_type: (_reader, _span, _context, { errorType }) => out.string(errorType),
    usage_rule: (_reader, _span, _context, { usageRule }) => out.string(usageRule),
    flags(_reader, _span, _context, { flags }) {
      if (flags.length > 0) out.long(flags.length)
      for (const flag of flags) out.string(flag)
      out.long(0)
    },
  }
}

/** The fields that OTLP itself fills, by name. */
function otlpSteps(draft: SpanDraft, out: AvroWriter): Readonly<Record<string, Step>> {
  const part = (reader: ProtoReader, { start, end }: Range) =>
    out.stringFrom(reader.buffer, start, end)
  return {
    start_time_unix_nano: (_reader, span) => out.long64(span.startLow, span.startHigh),
    duration_nano: (_reader, span) => out.long(span.durationNano),
    status: (_reader, span) => out.string(STATUS[span.status] ?? 'unset'),
    trace_id: (reader, span) => writeHex(out, reader.buffer, span.traceId),
    span_id: (reader, span) => writeHex(out, reader.buffer, span.spanId),
    parent_span_id: (reader, span) => writeHex(out, reader.buffer, span.parentSpanId),
    name: (reader, span) => part(reader, span.name),
    span_kind: (_reader, span) => out.string(SPAN_KINDS[span.spanKind] ?? 'unspecified'),
    status_message: (reader, span) => part(reader, span.statusMessage),
    scope_name: (reader, _span, context) => part(reader, context.scopeName),
    scope_version: (reader, _span, context) => part(reader, context.scopeVersion),
    trace_state: (reader, span) => part(reader, span.traceState),
    received_time_unix_nano: (_reader, _span, { received }) =>
      out.long64(received.low, received.high),
    events: (reader, span) => writeEvents(out, reader, span.events),
    links: (reader, span) => writeLinks(out, reader, span.links),
    attributes: (reader) => writeAttributes(draft, out, reader),
    resource_attributes: (_reader, _span, { resourceMap }) =>
      out.raw(resourceMap.buffer, 0, resourceMap.length),
    content: (reader, span) => writeContent(draft, out, reader, span),
  }
}

function writeText(slots: FieldSlots, out: AvroWriter, reader: ProtoReader, field: number): void {
  if (slots.place[field] === IN_BYTES) {
    out.stringFrom(reader.buffer, slots.start[field] ?? 0, slots.end[field] ?? 0)
  } else out.string(slots.text[field] ?? '')
}

/** A union of null and a number, which is there. */
function writeNumber(slots: FieldSlots, out: AvroWriter, field: number): void {
  out.long(1)
  const value = slots.number[field] ?? 0
  const type = slots.types[field]
  if (type === 'long') out.long(value)
  else if (type === 'double') out.double(value)
  else out.boolean(value === 1)
}

function countFate(draft: SpanDraft, fate: number): number {
  let count = 0
  for (let i = 0; i < draft.attributes; i++) if (draft.fate[i] === fate) count++
  return count
}

function writeFate(draft: SpanDraft, out: AvroWriter, reader: ProtoReader, fate: number): void {
  const value = emptyValue()
  const { keyStart, keyEnd, valueStart, valueEnd } = draft
  const { taken } = draft.names
  for (let i = 0; i < draft.attributes; i++) {
    if (draft.fate[i] !== fate) continue
    const name = taken[i] ?? NO_CANONICAL
    if (name === NO_CANONICAL) out.stringFrom(reader.buffer, keyStart[i] ?? 0, keyEnd[i] ?? 0)
    else writeName(out, draft.dialects.canonicalNames[name])
    writeAnyValue(out, reader, valueStart[i] ?? 0, valueEnd[i] ?? 0, value)
  }
}

function writeName(out: AvroWriter, name: Buffer | undefined): void {
  if (name === undefined) throw new Error('a canonical name is missing')
  out.stringFrom(name, 0, name.length)
}

/** The attributes that filled no field and hold no content. */
function writeAttributes(draft: SpanDraft, out: AvroWriter, reader: ProtoReader): void {
  const count = countFate(draft, REMAINS)
  if (count > 0) out.long(count)
  writeFate(draft, out, reader, REMAINS)
  out.long(0)
}

/** Attributes and events that hold content. An event's key is event.<number>.<name>. */
function writeContent(
  draft: SpanDraft,
  out: AvroWriter,
  reader: ProtoReader,
  span: OtlpSpan,
): void {
  const { contentEvents } = span
  const count = countFate(draft, IS_CONTENT) + contentEvents.length / 2
  if (count > 0) out.long(count)
  writeFate(draft, out, reader, IS_CONTENT)
  for (let i = 0; i < contentEvents.length; i += 2) {
    const event = readParts(reader, contentEvents[i] ?? 0, contentEvents[i + 1] ?? 0, 3)
    out.string(
      `event.${i / 2}.${reader.buffer.toString('utf8', event.second.start, event.second.end)}`,
    )
    out.string(attributesJson(reader, event.attributes))
  }
  out.long(0)
}
