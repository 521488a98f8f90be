import { hasTooManyContainers } from './json-containers.ts'
import {
  countField,
  eachObject,
  enumField,
  flagsField,
  hexField,
  isObject,
  objectAt,
  Refusal,
  stringField,
  timeField,
  arrayAt,
  refuse,
  type JsonObject,
  type RefusalReason,
  type Walk,
} from './otlp-json-fields.ts'
import { attributesField } from './otlp-json-values.ts'
import { ContextBudget, type JsonContext, JsonText, oneSpanJson } from './one-span-request.ts'
import { ProtoWriter } from './proto-writer.ts'

/** A span that has no place in protobuf. */
export interface RejectedSpan {
  /** Position of the span within the request, counted over all scopeSpans in order. */
  readonly index: number
  readonly reason: RefusalReason
  /** The path in the JSON and what was expected there, without the value that was found. */
  readonly detail: string
  /** A request in JSON that holds the span alone. */
  readonly payload: Buffer
}

/** What became of a JSON request. */
export type Conversion =
  | {
      readonly type: 'converted'
      readonly proto: Buffer
      readonly rejected: readonly RejectedSpan[]
    }
  | { readonly type: 'malformed'; readonly message: string }

/** With more bad spans than this a request is refused as a whole: its sender is broken. */
export const MAX_REJECTED_SPANS = 10_000

/** Most objects and arrays in one request; a full request of real spans stays below. */
export const MAX_CONTAINERS = 2_000_000

const SPAN_KINDS: ReadonlyMap<string, number> = new Map([
  ['SPAN_KIND_UNSPECIFIED', 0],
  ['SPAN_KIND_INTERNAL', 1],
  ['SPAN_KIND_SERVER', 2],
  ['SPAN_KIND_CLIENT', 3],
  ['SPAN_KIND_PRODUCER', 4],
  ['SPAN_KIND_CONSUMER', 5],
])

const STATUS_CODES: ReadonlyMap<string, number> = new Map([
  ['STATUS_CODE_UNSET', 0],
  ['STATUS_CODE_OK', 1],
  ['STATUS_CODE_ERROR', 2],
])

/**
 * Turns an ExportTraceServiceRequest in OTLP/JSON into the same message in protobuf, so that all that
 * follows knows one encoding. Takes any bytes and never throws for them. A span that cannot be
 * expressed is left out and listed; anything wrong above the spans makes the request malformed.
 * Lengths of ids and times in a sensible order are not looked at here.
 * The rules are those of the OTLP specification's "JSON Protobuf Encoding".
 */
export function otlpJsonToProto(body: Buffer): Conversion {
  const parsed = parse(body)
  if (parsed.type === 'malformed') return parsed
  const walk: RequestWalk = {
    // Protobuf takes about half of the room of JSON.
    out: new ProtoWriter(body.length >>> 1),
    trail: [],
    rejected: [],
    budget: new ContextBudget(),
    context: { resource: new JsonText(), scope: new JsonText() },
    seen: 0,
  }
  try {
    eachObject(walk, parsed.request, 'resourceSpans', resourceSpans)
  } catch (error) {
    if (error instanceof Refusal) return { type: 'malformed', message: error.message }
    throw error
  }
  return { type: 'converted', proto: walk.out.finish(), rejected: walk.rejected }
}

interface RequestWalk extends Walk {
  readonly rejected: RejectedSpan[]
  readonly budget: ContextBudget
  /** What stands around the spans at hand. */
  context: JsonContext
  /** Spans met so far, good and bad. */
  seen: number
}

type Parsed =
  | { readonly type: 'parsed'; readonly request: JsonObject }
  | { readonly type: 'malformed'; readonly message: string }

function parse(body: Buffer): Parsed {
  if (hasTooManyContainers(body, MAX_CONTAINERS)) {
    const message = `The body has more than ${MAX_CONTAINERS} objects and arrays; send smaller batches`
    return { type: 'malformed', message }
  }
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (error) {
    // The engine's own message quotes the body, which may hold secrets; only the position is kept.
    const position = error instanceof Error ? /at position \d+/.exec(error.message)?.[0] : undefined
    const where = position === undefined ? '' : ` (${position})`
    return { type: 'malformed', message: `The body is not valid JSON${where}` }
  }
  if (!isObject(value)) {
    return { type: 'malformed', message: 'The body must be a JSON object with "resourceSpans"' }
  }
  const names = Object.keys(value)
  if (names.length === 0 || value['resourceSpans'] !== undefined) {
    return { type: 'parsed', request: value }
  }
  return { type: 'malformed', message: `The body has no "resourceSpans"${hint(value)}` }
}

function hint(request: JsonObject): string {
  if (request['resourceLogs'] !== undefined) {
    return '; it has "resourceLogs": these are logs, and only traces are taken here'
  }
  if (request['resourceMetrics'] !== undefined) {
    return '; it has "resourceMetrics": these are metrics, and only traces are taken here'
  }
  if (request['resource_spans'] !== undefined) {
    return '; it has "resource_spans": OTLP/JSON writes field names in lowerCamelCase'
  }
  return '; an ExportTraceServiceRequest is expected, see https://opentelemetry.io/docs/specs/otlp/'
}

function resourceSpans(walk: RequestWalk, item: JsonObject): void {
  const { out, trail } = walk
  const start = out.begin(1)
  const resource = objectAt(walk, item, 'resource')
  walk.context = { resource: new JsonText(resource), scope: new JsonText() }
  if (resource !== undefined) {
    trail.push('resource')
    const resourceStart = out.begin(1)
    attributesField(walk, 1, resource)
    out.end(resourceStart)
    trail.pop()
  }
  eachObject(walk, item, 'scopeSpans', scopeSpans)
  stringField(walk, 3, item, 'schemaUrl')
  out.end(start)
}

function scopeSpans(walk: RequestWalk, item: JsonObject): void {
  const { out, trail } = walk
  const start = out.begin(2)
  const scope = objectAt(walk, item, 'scope')
  walk.context = { ...walk.context, scope: new JsonText(scope) }
  if (scope !== undefined) {
    trail.push('scope')
    const scopeStart = out.begin(1)
    stringField(walk, 1, scope, 'name')
    stringField(walk, 2, scope, 'version')
    attributesField(walk, 3, scope)
    out.end(scopeStart)
    trail.pop()
  }
  const spans = arrayAt(walk, item, 'spans')
  trail.push('spans', 0)
  for (const [index, entry] of spans.entries()) {
    trail[trail.length - 1] = index
    if (entry === null) continue
    spanOrRejection(walk, entry)
    walk.seen += 1
  }
  trail.length -= 2
  stringField(walk, 3, item, 'schemaUrl')
  out.end(start)
}

/** Writes one span, or takes back what was written of it and lists it as rejected. */
function spanOrRejection(walk: RequestWalk, item: unknown): void {
  const { out, trail, rejected } = walk
  const before = out.position
  const depth = trail.length
  try {
    if (!isObject(item)) refuse(walk, { expected: 'an object', got: item })
    span(walk, item)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    if (rejected.length >= MAX_REJECTED_SPANS) {
      const message = `More than ${MAX_REJECTED_SPANS} spans are not valid; the last: ${error.message}`
      throw new Refusal(error.reason, message)
    }
    out.truncate(before)
    trail.length = depth
    rejected.push({
      index: walk.seen,
      reason: error.reason,
      detail: error.message,
      payload: oneSpanJson(item, walk.context, walk.budget),
    })
  }
}

function span(walk: Walk, item: JsonObject): void {
  const { out, trail } = walk
  const start = out.begin(2)
  hexField(walk, 1, item, { name: 'traceId', reason: 'invalid_trace_id' })
  hexField(walk, 2, item, { name: 'spanId', reason: 'invalid_span_id' })
  stringField(walk, 3, item, 'traceState')
  hexField(walk, 4, item, { name: 'parentSpanId', reason: 'invalid_parent_span_id' })
  stringField(walk, 5, item, 'name')
  enumField(walk, 6, item, { name: 'kind', numbers: SPAN_KINDS })
  timeField(walk, 7, item, 'startTimeUnixNano')
  timeField(walk, 8, item, 'endTimeUnixNano')
  attributesField(walk, 9, item)
  countField(walk, 10, item, 'droppedAttributesCount')
  eachObject(walk, item, 'events', event)
  countField(walk, 12, item, 'droppedEventsCount')
  eachObject(walk, item, 'links', link)
  countField(walk, 14, item, 'droppedLinksCount')
  const status = objectAt(walk, item, 'status')
  if (status !== undefined) {
    trail.push('status')
    const statusStart = out.begin(15)
    stringField(walk, 2, status, 'message')
    enumField(walk, 3, status, { name: 'code', numbers: STATUS_CODES })
    out.end(statusStart)
    trail.pop()
  }
  flagsField(walk, 16, item, 'flags')
  out.end(start)
}

function event(walk: Walk, item: JsonObject): void {
  const start = walk.out.begin(11)
  timeField(walk, 1, item, 'timeUnixNano')
  stringField(walk, 2, item, 'name')
  attributesField(walk, 3, item)
  countField(walk, 4, item, 'droppedAttributesCount')
  walk.out.end(start)
}

function link(walk: Walk, item: JsonObject): void {
  const start = walk.out.begin(13)
  // The ids of a span have reasons of their own; a link with bad ids makes its span invalid.
  hexField(walk, 1, item, { name: 'traceId', reason: 'invalid_span' })
  hexField(walk, 2, item, { name: 'spanId', reason: 'invalid_span' })
  stringField(walk, 3, item, 'traceState')
  attributesField(walk, 4, item)
  countField(walk, 5, item, 'droppedAttributesCount')
  flagsField(walk, 6, item, 'flags')
  walk.out.end(start)
}
