import { SpanStatusCode, TraceFlags, type HrTime } from '@opentelemetry/api'
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes, type Resource } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { WorkloadRequest } from './csv.ts'
import { planTrace } from './plan.ts'
import type { SpanSpec } from './span.ts'
import { makeTrace, type TraceOptions } from './trace.ts'

/** What turns a workload into requests, besides its rows. */
export type WorkloadOptions = Omit<TraceOptions, 'firstRequestNs'>

/** One OTLP export request, ready to send. */
export interface OtlpRequest {
  /** When a real exporter would send it, in milliseconds since the epoch, by the spans' clock. */
  readonly sendTimeMs: number
  /** ExportTraceServiceRequest in protobuf. */
  readonly body: Uint8Array
  readonly spans: number
  /** The spans in the body, for the report. */
  readonly specs: readonly SpanSpec[]
}

/** What the whole workload will be, known before anything of it is made. */
export interface WorkloadOutline {
  readonly traces: number
  readonly spans: number
  readonly firstRequestNs: bigint
  readonly lastEndNs: bigint
}

/** The defaults of the SDK's BatchSpanProcessor. */
const exportIntervalNs = 5_000_000_000n
const maxSpansPerRequest = 512

const scope = {
  name: 'spanmeter-replay',
  version: '1.0.0',
  schemaUrl: 'https://opentelemetry.io/schemas/1.41.0',
}

/** Counts traces and spans and finds the workload's ends, unshifted. `requests` must not be empty. */
export function outlineWorkload(
  requests: readonly WorkloadRequest[],
  seed: number,
): WorkloadOutline {
  const [first] = requests
  if (first === undefined) throw new RangeError('A workload needs at least one request')
  let spans = 0
  let lastEndNs = first.timeNs
  for (const [index, request] of requests.entries()) {
    const { times, tools } = planTrace(request, index, { seed, firstRequestNs: first.timeNs })
    spans += 3 + tools.length + (times.retrieval ? 2 : 0)
    const endNs = request.timeNs + BigInt(times.root.endNs)
    if (endNs > lastEndNs) lastEndNs = endNs
  }
  return { traces: requests.length, spans, firstRequestNs: first.timeNs, lastEndNs }
}

/**
 * Makes the export requests of a workload in order of their send time. As with the SDK's batch
 * processor, each service exports every 5 s, or as soon as 512 spans have ended; so a request holds
 * spans of many traces. Only the traces of the open intervals are in memory.
 */
export function* makeRequests(
  requests: readonly WorkloadRequest[],
  options: WorkloadOptions,
): Generator<OtlpRequest> {
  const [first] = requests
  if (first === undefined) return
  const traceOptions = { ...options, firstRequestNs: first.timeNs }
  const originNs = first.timeNs + options.shiftNs
  const intervalOf = (timeNs: bigint) => Number((timeNs - originNs) / exportIntervalNs)
  const endOf = (interval: number) => originNs + BigInt(interval + 1) * exportIntervalNs
  const resources = createResources()
  const open = new Map<number, SpanSpec[]>()
  const close = function* (before: number): Generator<OtlpRequest> {
    for (const interval of [...open.keys()].filter((key) => key < before).sort((a, b) => a - b)) {
      yield* exportInterval(open.get(interval) ?? [], endOf(interval), resources)
      open.delete(interval)
    }
  }
  for (const [index, request] of requests.entries()) {
    // No span ends before its trace begins, so earlier intervals are complete.
    yield* close(intervalOf(request.timeNs + options.shiftNs))
    for (const span of makeTrace(request, index, traceOptions)) {
      const interval = intervalOf(span.endNs)
      const spans = open.get(interval)
      if (spans === undefined) open.set(interval, [span])
      else spans.push(span)
    }
  }
  yield* close(Infinity)
}

type Resources = (span: SpanSpec) => Resource

/** The spans that ended in one interval, as the requests of their services. */
function exportInterval(
  spans: readonly SpanSpec[],
  intervalEndNs: bigint,
  resources: Resources,
): readonly OtlpRequest[] {
  const byService = Map.groupBy(spans, resources)
  const requests: OtlpRequest[] = []
  for (const group of byService.values()) {
    group.sort((a, b) => (a.endNs < b.endNs ? -1 : a.endNs > b.endNs ? 1 : 0))
    for (let from = 0; from < group.length; from += maxSpansPerRequest) {
      const specs = group.slice(from, from + maxSpansPerRequest)
      const isFull = specs.length === maxSpansPerRequest
      const sendNs = isFull ? (specs.at(-1)?.endNs ?? intervalEndNs) : intervalEndNs
      requests.push({
        sendTimeMs: Number(sendNs / 1_000_000n),
        body: encodeSpans(specs, resources),
        spans: specs.length,
        specs,
      })
    }
  }
  return requests.sort((a, b) => a.sendTimeMs - b.sendTimeMs)
}

/** One resource object for each service and environment, as the serializer groups by identity. */
function createResources(): Resources {
  const known = new Map<string, Resource>()
  return ({ service, environment }) => {
    const key = `${environment} ${service}`
    const resource =
      known.get(key) ??
      resourceFromAttributes({
        'service.name': service,
        'service.version': '1.4.2',
        'deployment.environment.name': environment,
        'telemetry.sdk.language': 'nodejs',
        'telemetry.sdk.name': 'opentelemetry',
        'telemetry.sdk.version': '3.1.1',
        'telemetry.distro.name': 'spanmeter-replay',
      })
    known.set(key, resource)
    return resource
  }
}

function encodeSpans(specs: readonly SpanSpec[], resources: Resources): Uint8Array {
  const spans = specs.map((spec) => toReadableSpan(spec, resources(spec)))
  const body = ProtobufTraceSerializer.serializeRequest(spans)
  if (body === undefined) throw new Error('The OTLP serializer returned nothing')
  return body
}

/** The shape in which the SDK hands spans to its exporters. */
function toReadableSpan(spec: SpanSpec, resource: Resource): ReadableSpan {
  const { traceId, spanId, error } = spec
  const startTime = toHrTime(spec.startNs)
  const endTime = toHrTime(spec.endNs)
  const traceFlags = TraceFlags.SAMPLED
  const shared = {
    name: spec.name,
    kind: spec.kind,
    spanContext: () => ({ traceId, spanId, traceFlags }),
    startTime,
    endTime,
    duration: toHrTime(spec.endNs - spec.startNs),
    status: error
      ? { code: SpanStatusCode.ERROR, message: error.message }
      : { code: SpanStatusCode.UNSET },
    attributes: spec.attributes,
    links: [],
    events: spanEvents(spec, endTime),
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
  if (spec.parentSpanId === undefined) return shared
  const isRemote = spec.isParentRemote
  return {
    ...shared,
    parentSpanContext: { traceId, spanId: spec.parentSpanId, traceFlags, isRemote },
  }
}

function spanEvents({ error, events }: SpanSpec, time: HrTime) {
  const exceptions = error
    ? [
        {
          name: 'exception',
          attributes: { 'exception.type': error.type, 'exception.message': error.message },
        },
      ]
    : []
  return [...exceptions, ...events].map((event) => ({ ...event, time, droppedAttributesCount: 0 }))
}

function toHrTime(ns: bigint): HrTime {
  return [Number(ns / 1_000_000_000n), Number(ns % 1_000_000_000n)]
}
