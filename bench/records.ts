import { type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api'
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { createRandom, hexDigits, type Random } from '../services/cli/replay/random.ts'
import { type Call, makeCall, makeCaller } from './workload.ts'

/** What records to make. The same options make the same bytes. */
export interface RecordOptions {
  readonly spans: number
  readonly spansPerRecord: number
  readonly seed: number
  /** Start of the first span, in milliseconds since the epoch. */
  readonly firstStartMs: number
}

const SPANS_PER_TRACE = 5
/** Spans of live traffic that all records together stand for, each second. */
const SPANS_PER_SECOND = 1_000
const SCOPE = { name: 'bench', version: '1.0.0' }
const SERVICES = ['assistant-api', 'docs-api', 'search-api', 'triage']
const DAY_MS = 86_400_000
const NOON_MS = DAY_MS / 2

/** Noon (UTC) of the day before: recent, and no run of it crosses midnight, where tables are cut. */
export function recentNoonMs(nowMs: number): number {
  return Math.floor(nowMs / DAY_MS) * DAY_MS - NOON_MS
}

/** OTLP export requests in protobuf, all different, each of one service; the last may be smaller. */
export function* makeRecords(options: RecordOptions): Generator<Uint8Array> {
  const resources = SERVICES.map(makeResource)
  for (let from = 0, index = 0; from < options.spans; from += options.spansPerRecord, index++) {
    const resource = resources[index % resources.length]
    if (resource === undefined) throw new Error('there are services')
    const random = createRandom([options.seed, index, 0])
    const count = Math.min(options.spansPerRecord, options.spans - from)
    const spans = makeSpans({ random, resource, from, count, firstStartMs: options.firstStartMs })
    const body = ProtobufTraceSerializer.serializeRequest(spans)
    if (body === undefined) throw new Error('The OTLP serializer returned nothing')
    yield body
  }
}

function makeResource(service: string): Resource {
  return resourceFromAttributes({
    'service.name': service,
    'service.version': '1.4.2',
    'deployment.environment.name': 'production',
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.name': 'opentelemetry',
  })
}

interface SpansOptions {
  readonly random: Random
  readonly resource: Resource
  /** Number of the first span, of all records. */
  readonly from: number
  readonly count: number
  readonly firstStartMs: number
}

/** The spans of one record: traces of five calls, the later ones under the first. */
function makeSpans({ random, resource, from, count, firstStartMs }: SpansOptions): ReadableSpan[] {
  const spans: ReadableSpan[] = []
  while (spans.length < count) {
    const caller = makeCaller(random)
    const traceId = hexDigits(random, 32)
    let rootId: string | undefined
    for (let i = 0; i < SPANS_PER_TRACE && spans.length < count; i++) {
      const spanId = hexDigits(random, 16)
      const startMs = firstStartMs + Math.floor(((from + spans.length) * 1_000) / SPANS_PER_SECOND)
      const ids = { traceId, spanId, parentSpanId: rootId }
      spans.push(toReadableSpan(makeCall(random, caller), ids, startMs, resource))
      rootId ??= spanId
    }
  }
  return spans
}

interface SpanIds {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
}

/** The shape in which the SDK hands spans to its exporters. */
function toReadableSpan(
  { model, durationMs, errorType, attributes }: Call,
  { traceId, spanId, parentSpanId }: SpanIds,
  startMs: number,
  resource: Resource,
): ReadableSpan {
  const traceFlags = TraceFlags.SAMPLED
  const span = {
    name: `chat ${model.request}`,
    kind: SpanKind.CLIENT,
    spanContext: () => ({ traceId, spanId, traceFlags }),
    startTime: toHrTime(startMs),
    endTime: toHrTime(startMs + durationMs),
    duration: toHrTime(durationMs),
    status:
      errorType === undefined
        ? { code: SpanStatusCode.UNSET }
        : { code: SpanStatusCode.ERROR, message: `the call failed: ${errorType}` },
    attributes,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
  if (parentSpanId === undefined) return span
  return { ...span, parentSpanContext: { traceId, spanId: parentSpanId, traceFlags } }
}

function toHrTime(ms: number): HrTime {
  return [Math.floor(ms / 1_000), (ms % 1_000) * 1_000_000]
}
