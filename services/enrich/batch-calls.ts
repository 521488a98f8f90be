import { MODEL_CALL_KINDS } from '#schemas/topics.ts'
import {
  CALL,
  CALL_WITH_USAGE,
  type CallState,
  markNested,
  NO_CALL,
  type SpanForest,
} from './nested-calls.ts'
import { avroString } from './rates.ts'
import { fieldIndex, type LocatedSpans, type SpanView } from './span-view.ts'

const KIND = fieldIndex('kind')
const INPUT = fieldIndex('input_tokens')
const OUTPUT = fieldIndex('output_tokens')
const TRACE_ID = fieldIndex('trace_id')
const SPAN_ID = fieldIndex('span_id')
const PARENT_SPAN_ID = fieldIndex('parent_span_id')
const USER = fieldIndex('user')

/** Bytes of an id that are hashed, its last: the rest of an id that counts up never changes. */
const HASHED_BYTES = 12
const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193
const FREE = -1

const KIND_BYTES = MODEL_CALL_KINDS.map(avroString)

/**
 * Which spans of a batch call a model, and which of these calls are nested in one another: the same as
 * findNestedCalls, by the bytes of the ids, for the hot path.
 */
export class BatchCalls {
  readonly #spans: LocatedSpans
  #kinds = new Uint8Array(16)
  #nested: Uint8Array | undefined
  #slots = new Int32Array(64)
  #forest: SpanForest = forestOf(16)
  #buffer: Buffer = Buffer.alloc(0)

  constructor(spans: LocatedSpans) {
    this.#spans = spans
  }

  /** Looks at the first `count` spans, which were located in the view's buffer. */
  read({ reader }: SpanView, count: number): void {
    this.#buffer = reader.buffer
    if (this.#kinds.length < count) this.#kinds = new Uint8Array(count * 2)
    let calls = 0
    let withUsage = 0
    for (let i = 0; i < count; i++) {
      const kind = this.#kindOf(i)
      this.#kinds[i] = kind
      if (kind !== NO_CALL) calls++
      if (kind === CALL_WITH_USAGE) withUsage++
    }
    this.#nested = calls < 2 || withUsage === 0 ? undefined : this.#findNested(count)
  }

  isCall(index: number): boolean {
    return this.#kinds[index] !== NO_CALL
  }

  isNested(index: number): boolean {
    return this.#nested !== undefined && this.#nested[index] === 1
  }

  #kindOf(i: number): CallState {
    const buffer = this.#buffer
    const starts = this.#spans.starts[i]
    const start = starts?.[KIND] ?? 0
    if (!KIND_BYTES.some((bytes) => isAt(bytes, buffer, start))) return NO_CALL
    const tells = buffer[starts?.[INPUT] ?? 0] !== 0 || buffer[starts?.[OUTPUT] ?? 0] !== 0
    return tells ? CALL_WITH_USAGE : CALL
  }

  #findNested(count: number): Uint8Array | undefined {
    this.#clear(count)
    if (!this.#shareTrace(count)) return undefined
    this.#slots.fill(FREE)
    if (!this.#link(count)) return undefined
    const { calls } = this.#forest
    for (let i = 0; i < count; i++) calls[i] = this.#kinds[i] ?? NO_CALL
    return markNested(this.#forest, count)
  }

  #clear(count: number): void {
    let size = this.#slots.length
    while (size < count * 2) size *= 2
    if (size !== this.#slots.length) this.#slots = new Int32Array(size)
    if (this.#forest.nodes.length < count) this.#forest = forestOf(size)
    this.#slots.fill(FREE)
  }

  /** Whether two calls are of one trace; as traces' hashes may be the same, it may err on that side. */
  #shareTrace(count: number): boolean {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let i = 0; i < count; i++) {
      if (this.#kinds[i] === NO_CALL) continue
      const hash = this.#hash(i, TRACE_ID, FNV_OFFSET)
      let at = hash & mask
      for (; slots[at] !== FREE; at = (at + 1) & mask) {
        if (slots[at] === hash) return true
      }
      slots[at] = hash
    }
    return false
  }

  /** Numbers the spans by their ids and finds their parents; false where no parent is here. */
  #link(count: number): boolean {
    const { nodes, parents } = this.#forest
    for (let i = 0; i < count; i++) {
      nodes[i] = this.#isEmpty(i, SPAN_ID) ? i : this.#find(i, SPAN_ID, true)
    }
    let hasParents = false
    for (let i = 0; i < count; i++) {
      parents[i] = this.#isEmpty(i, PARENT_SPAN_ID) ? FREE : this.#find(i, PARENT_SPAN_ID, false)
      hasParents ||= parents[i] !== FREE
    }
    return hasParents
  }

  /** The first span whose id is that in a field of span `i`; takes in span `i` itself where it is new. */
  #find(i: number, field: number, isNew: boolean): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let at = this.#hash(i, field, this.#hash(i, TRACE_ID, FNV_OFFSET)) & mask
    for (; slots[at] !== FREE; at = (at + 1) & mask) {
      const other = slots[at] ?? 0
      if (this.#isSame(i, TRACE_ID, other, TRACE_ID) && this.#isSame(i, field, other, SPAN_ID)) {
        return other
      }
    }
    if (!isNew) return FREE
    slots[at] = i
    return i
  }

  #isEmpty(i: number, field: number): boolean {
    return this.#buffer[this.#spans.starts[i]?.[field] ?? 0] === 0
  }

  #hash(i: number, field: number, seed: number): number {
    const buffer = this.#buffer
    const starts = this.#spans.starts[i]
    const end = starts?.[field + 1] ?? 0
    let hash = seed
    for (let at = Math.max(starts?.[field] ?? 0, end - HASHED_BYTES); at < end; at++) {
      hash = Math.imul(hash ^ (buffer[at] ?? 0), FNV_PRIME)
    }
    // Not negative, so that no hash is FREE.
    return (hash ^ (hash >>> 15)) >>> 1
  }

  #isSame(i: number, field: number, j: number, otherField: number): boolean {
    const buffer = this.#buffer
    const start = this.#spans.starts[i]?.[field] ?? 0
    const other = this.#spans.starts[j]?.[otherField] ?? 0
    const length = (this.#spans.starts[i]?.[field + 1] ?? 0) - start
    if (length !== (this.#spans.starts[j]?.[otherField + 1] ?? 0) - other) return false
    for (let at = 0; at < length; at++) if (buffer[start + at] !== buffer[other + at]) return false
    return true
  }
}

function isAt(bytes: Buffer, buffer: Buffer, start: number): boolean {
  for (let i = 0; i < bytes.length; i++) if (buffer[start + i] !== bytes[i]) return false
  return true
}

function forestOf(size: number): SpanForest {
  return { nodes: new Int32Array(size), parents: new Int32Array(size), calls: new Uint8Array(size) }
}

// Each field's bytes end where the next one's start.
if (SPAN_ID !== TRACE_ID + 1 || PARENT_SPAN_ID !== SPAN_ID + 1 || USER !== PARENT_SPAN_ID + 1) {
  throw new Error('the ids of a span stand side by side in span.avsc')
}
