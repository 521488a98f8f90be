import * as fc from 'fast-check'
import {
  CALL,
  CALL_WITH_USAGE,
  type CallState,
  type LinkedSpan,
  NO_CALL,
} from '../../services/enrich/nested-calls.ts'

/** Spans of one trace, written as id:parent, with ! after the id of a call with usage, ? after that of one without. */
export function tree(text: string): readonly LinkedSpan[] {
  return text.split(' ').map((span) => {
    const [id = '', parentSpanId = ''] = span.split(':')
    const call = id.endsWith('!') ? CALL_WITH_USAGE : id.endsWith('?') ? CALL : NO_CALL
    return { traceId: 't', spanId: id.replace(/[!?]$/, ''), parentSpanId, call }
  })
}

/** Spans of a few traces, each below an earlier one, below one that is not here, or a root. */
export const forests: fc.Arbitrary<readonly LinkedSpan[]> = fc
  .array(
    fc.record({
      parent: fc.nat(14),
      root: fc.nat(9),
      trace: fc.nat(1),
      call: fc.constantFrom<CallState>(NO_CALL, CALL, CALL_WITH_USAGE),
    }),
    { maxLength: 14 },
  )
  .map((items) =>
    items.map(({ parent, root, trace, call }, i) => ({
      traceId: hex(trace + 1, 32),
      spanId: hex(i + 1, 16),
      parentSpanId:
        i === 0 || root === 0 ? '' : hex((parent % (i + 1)) + (root === 1 ? 100 : 1), 16),
      call,
    })),
  )
  .map((spans) => spans.filter(({ spanId, parentSpanId }) => spanId !== parentSpanId))

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

const isChild = (child: LinkedSpan, span: LinkedSpan): boolean =>
  child.parentSpanId === span.spanId && child.traceId === span.traceId

/** Nested calls, found by walking every path from a root to a leaf. */
export function nestedByPaths(spans: readonly LinkedSpan[]): readonly number[] {
  const nested = new Set<LinkedSpan>()
  const walk = (path: readonly LinkedSpan[]): void => {
    const last = path.at(-1)
    const children = spans.filter((span) => last !== undefined && isChild(span, last))
    for (const child of children) walk([...path, child])
    if (children.length > 0) return
    const deepest = path.findLastIndex(({ call }) => call === CALL_WITH_USAGE)
    for (const span of path.slice(0, Math.max(0, deepest))) {
      if (span.call !== NO_CALL) nested.add(span)
    }
  }
  for (const span of spans) {
    if (!spans.some((parent) => isChild(span, parent))) walk([span])
  }
  return spans.map((span) => (nested.has(span) ? 1 : 0))
}
