import { findNestedCalls } from '../nested-calls.ts'
import type { CallPage } from './calls.ts'
import type { StoredCall } from './stored-call.ts'

/** Finds the calls of a page that are counted in a span below them, looking at their traces as a whole. */
export function findNested({ traceSpans }: CallPage): (call: StoredCall) => boolean {
  const marks = findNestedCalls(
    traceSpans.map((span) => ({
      traceId: span.trace_id,
      spanId: span.span_id,
      parentSpanId: span.parent_span_id,
      call: span.call,
    })),
  )
  const nested = new Set(traceSpans.filter((_, i) => marks[i] === 1).map(keyOf))
  return (call) => nested.has(keyOf(call))
}

function keyOf(span: { readonly trace_id: string; readonly span_id: string }): string {
  return `${span.trace_id}/${span.span_id}`
}
