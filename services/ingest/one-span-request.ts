import { ProtoWriter } from './proto-writer.ts'

/**
 * A span that is refused is kept as a request of its own, with its resource and scope: so it can be
 * sent again, once it is mended, and belongs to the service and tenant that it did.
 */

/** Resources repeat in the letters of one request, up to this much together; later ones go without. */
const MAX_CONTEXT_BYTES = 8 * 1024 * 1024
/** Levels that a span's JSON keeps where it nests too deep to be written. */
const MAX_DEPTH = 64

/** Counts what the resources and scopes of one request's letters take. */
export class ContextBudget {
  #left = MAX_CONTEXT_BYTES

  /** Whether there is room for as many bytes more; takes it. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }
}

/** Where a span lies in a protobuf request, and what stands around it: pairs of start and end. */
export interface SpanPlace {
  readonly resources: readonly number[]
  readonly scopes: readonly number[]
  readonly start: number
  readonly end: number
}

/** The ExportTraceServiceRequest (protobuf) of one span. */
export function oneSpanProto(request: Buffer, place: SpanPlace, budget: ContextBudget): Buffer {
  const { resources, scopes, start, end } = place
  const contextBytes = lengthOf(resources) + lengthOf(scopes)
  const hasContext = budget.take(contextBytes)
  const out = new ProtoWriter(end - start + (hasContext ? contextBytes : 0) + 64)
  const resourceSpans = out.begin(1)
  if (hasContext) copyAll(out, request, resources)
  const scopeSpans = out.begin(2)
  if (hasContext) copyAll(out, request, scopes)
  out.bytes(2, request.subarray(start, end))
  out.end(scopeSpans)
  out.end(resourceSpans)
  return out.finish()
}

/** Resource and scope are field 1 of what they stand in. */
function copyAll(out: ProtoWriter, request: Buffer, ranges: readonly number[]): void {
  for (let i = 0; i < ranges.length; i += 2)
    out.bytes(1, request.subarray(ranges[i], ranges[i + 1]))
}

function lengthOf(ranges: readonly number[]): number {
  let bytes = 0
  for (let i = 0; i < ranges.length; i += 2) bytes += (ranges[i + 1] ?? 0) - (ranges[i] ?? 0)
  return bytes
}

/** A value whose JSON is written once, however many letters need it; none has the empty text. */
export class JsonText {
  readonly #value: unknown
  #text: string | undefined

  constructor(value?: unknown) {
    this.#value = value
  }

  /** The member of that name, with the comma behind it. */
  member(name: string): string {
    if (this.#value === undefined) return ''
    this.#text ??= jsonText(this.#value)
    return `"${name}":${this.#text},`
  }
}

/** What stands around a span of a JSON request. */
export interface JsonContext {
  readonly resource: JsonText
  readonly scope: JsonText
}

/** The ExportTraceServiceRequest (JSON) of one span. */
export function oneSpanJson(span: unknown, context: JsonContext, budget: ContextBudget): Buffer {
  const resource = context.resource.member('resource')
  const scope = context.scope.member('scope')
  const hasContext = budget.take(resource.length + scope.length)
  const scopeSpans = `{${hasContext ? scope : ''}"spans":[${jsonText(span)}]}`
  const resourceText = hasContext ? resource : ''
  return Buffer.from(`{"resourceSpans":[{${resourceText}"scopeSpans":[${scopeSpans}]}]}`)
}

function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    // JSON.parse takes any depth, but JSON.stringify overflows the stack at some thousand levels.
    if (!(error instanceof RangeError)) throw error
    return JSON.stringify(prune(value, MAX_DEPTH))
  }
}

function prune(value: unknown, levels: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0) return 'cut off: nested too deep'
  if (Array.isArray(value)) return value.map((item: unknown) => prune(item, levels - 1))
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, prune(item, levels - 1)]),
  )
}
