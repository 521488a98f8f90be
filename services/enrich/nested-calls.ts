/** A span with its place in its trace. */
export interface LinkedSpan {
  readonly traceId: string
  readonly spanId: string
  /** Empty on a root span. */
  readonly parentSpanId: string
  readonly call: CallState
}

export const NO_CALL = 0
/** A model call that does not tell what it used. */
export const CALL = 1
export const CALL_WITH_USAGE = 2
export type CallState = typeof NO_CALL | typeof CALL | typeof CALL_WITH_USAGE

/**
 * Which spans are model calls that have another one below them, at whatever depth, that tells what it
 * used. One call may be told twice, by a gateway and an SDK or by two instrumentations, each inside the
 * other; only the deepest counts. Calls beside one another, as under an agent, are none of each other's business.
 *
 * Gives a 1 for each nested call, by position. Spans that share their ids are copies of one span, and
 * spans that are their own ancestors have no parent.
 */
export function findNestedCalls(spans: readonly LinkedSpan[]): Uint8Array {
  const nodes = new Int32Array(spans.length)
  const known = new Map<string, number>()
  spans.forEach((span, i) => {
    const key = `${span.traceId}/${span.spanId}`
    const first = span.spanId === '' ? i : (known.get(key) ?? i)
    nodes[i] = first
    if (first === i) known.set(key, i)
  })
  const parents = Int32Array.from(spans, ({ traceId, parentSpanId }) =>
    parentSpanId === '' ? -1 : (known.get(`${traceId}/${parentSpanId}`) ?? -1),
  )
  const calls = Uint8Array.from(spans, ({ call }) => call)
  return markNested({ nodes, parents, calls }, spans.length)
}

/** Spans by number. */
export interface SpanForest {
  /** The first span of the same ids; its own number where there is none before it. */
  readonly nodes: Int32Array
  /** The parent's number, or -1. */
  readonly parents: Int32Array
  /** NO_CALL, CALL or CALL_WITH_USAGE. */
  readonly calls: Uint8Array
}

const UNSEEN = 0
const ON_WALK = 1
const ON_CYCLE = 2
const DONE = 3

/** Marks the calls of the first `count` spans that have a call with usage below them. */
export function markNested({ nodes, parents, calls }: SpanForest, count: number): Uint8Array {
  const above = withoutCycles({ nodes, parents, calls }, count)
  const isAbove = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    if (calls[i] !== CALL_WITH_USAGE) continue
    // Whoever was marked before has marked all of its ancestors.
    let at = above[nodes[i] ?? 0] ?? -1
    while (at >= 0 && isAbove[at] === 0) {
      isAbove[at] = 1
      at = above[at] ?? -1
    }
  }
  const nested = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    if (calls[i] !== NO_CALL && isAbove[nodes[i] ?? 0] === 1) nested[i] = 1
  }
  return nested
}

/** The parents of each node, without those of nodes that are their own ancestors. */
function withoutCycles({ nodes, parents }: SpanForest, count: number): Int32Array {
  const above = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    const parent = parents[i] ?? -1
    above[i] = parent < 0 ? -1 : (nodes[parent] ?? -1)
  }
  const state = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    let at = i
    while (at >= 0 && state[at] === UNSEEN) {
      state[at] = ON_WALK
      at = above[at] ?? -1
    }
    for (let on = at; on >= 0 && state[on] === ON_WALK; on = above[on] ?? -1) state[on] = ON_CYCLE
    for (let on = i; on >= 0 && state[on] !== DONE;) {
      const next = above[on] ?? -1
      if (state[on] === ON_CYCLE) above[on] = -1
      state[on] = DONE
      on = next
    }
  }
  return above
}
