import * as fc from 'fast-check'
import type { LinkedSpan } from '../../services/enrich/nested-calls.ts'

/** Spans of one trace, written as id:parent, with ! after the id of a call with usage. */
export function tree(text: string): readonly LinkedSpan[] {
  return text.split(' ').map((span) => {
    const [id = '', parentSpanId = ''] = span.split(':')
    const isCall = id.endsWith('!')
    return { traceId: 't', spanId: isCall ? id.slice(0, -1) : id, parentSpanId, isCall }
  })
}

/** Spans of a few traces, each below an earlier one, below one that is not here, or a root. */
export const forests: fc.Arbitrary<readonly LinkedSpan[]> = fc
  .array(
    fc.record({
      parent: fc.nat(14),
      root: fc.nat(9),
      trace: fc.nat(1),
      isCall: fc.boolean(),
    }),
    { maxLength: 14 },
  )
  .map((items) =>
    items.map(({ parent, root, trace, isCall }, i) => ({
      traceId: hex(trace + 1, 32),
      spanId: hex(i + 1, 16),
      parentSpanId:
        i === 0 || root === 0 ? '' : hex((parent % (i + 1)) + (root === 1 ? 100 : 1), 16),
      isCall,
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
    const calls = path.filter(({ isCall }) => isCall)
    for (const call of calls.slice(0, -1)) nested.add(call)
  }
  for (const span of spans) {
    if (!spans.some((parent) => isChild(span, parent))) walk([span])
  }
  return spans.map((span) => (nested.has(span) ? 1 : 0))
}
