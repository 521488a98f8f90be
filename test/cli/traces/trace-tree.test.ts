import { array, assert, nat, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatTrace,
  treeLines,
  type TraceTotal,
  type TreeSpan,
} from '../../../services/cli/traces/trace-tree.ts'

const span = (spanId: string, parentSpanId: string, fields: Partial<TreeSpan> = {}): TreeSpan => ({
  spanId,
  parentSpanId,
  depth: 1,
  name: spanId,
  service: 'api',
  kind: 'tool',
  model: '',
  errorType: '',
  costUsd: null,
  offsetMs: 0,
  durationMs: 10,
  selfMs: 10,
  isCritical: false,
  pathMs: 0,
  ...fields,
})

const total: TraceTotal = {
  traceId: 'b'.repeat(32),
  tenant: 'acme',
  startedAt: '2026-11-21T10:00:00.123Z',
  durationMs: 1_000,
  spans: 3,
  errors: 1,
  llmCalls: 1,
  costUsd: '0.0015',
  unpriced: 0,
  rootName: 'POST /v1/chat',
  rootService: 'api',
  user: 'user-1',
  session: '',
}

const texts = (spans: readonly TreeSpan[]) => treeLines(spans).map(({ text }) => text)

describe('The tree', () => {
  test('has each span below its parent, with branches that lead to it', () => {
    const spans = [span('a', ''), span('b', 'a'), span('c', 'a'), span('d', 'b'), span('e', 'b')]
    expect(texts([...spans, span('f', 'c')])).toEqual([
      'a',
      '├─ b',
      '│  ├─ d',
      '│  └─ e',
      '└─ c',
      '   └─ f',
    ])
  })

  test('has roots one below the other', () => {
    expect(texts([span('a', ''), span('b', ''), span('c', 'a')])).toEqual(['a', '└─ c', 'b'])
  })

  test('tells models and errors that names do not', () => {
    const spans = [
      span('chat gpt-4o', '', { model: 'gpt-4o' }),
      span('answer', '', { model: 'gpt-4o', errorType: 'timeout' }),
    ]
    expect(texts(spans)).toEqual(['chat gpt-4o', 'answer gpt-4o ✗ timeout'])
  })

  test('has every span once, after its parent, with its family together', () => {
    const parents = array(nat(), { minLength: 1, maxLength: 40 })
    assert(
      property(parents, (numbers) => {
        const spans = numbers.map((number, index) =>
          span(`${index}`, index === 0 || number % 7 === 0 ? '' : `${number % index}`),
        )
        const order = treeLines(spans).map(({ span: { spanId } }) => spanId)
        expect(order.toSorted()).toEqual(spans.map(({ spanId }) => spanId).toSorted())
        for (const { spanId, parentSpanId } of spans) {
          if (parentSpanId === '') continue
          const [at, parentAt] = [order.indexOf(spanId), order.indexOf(parentSpanId)]
          expect(at).toBeGreaterThan(parentAt)
          // Between a span and its parent stand descendants of that parent alone.
          for (const other of order.slice(parentAt + 1, at)) {
            expect(ancestorsOf(other, spans)).toContain(parentSpanId)
          }
        }
      }),
      { seed: 1 },
    )
  })

  test('of a chain of 20,000 spans does not end the stack', () => {
    const chain = Array.from({ length: 20_000 }, (_, i) => span(`${i}`, i === 0 ? '' : `${i - 1}`))
    expect(treeLines(chain)).toHaveLength(20_000)
  })
})

function ancestorsOf(spanId: string, spans: readonly TreeSpan[]): readonly string[] {
  const parent = spans.find((candidate) => candidate.spanId === spanId)?.parentSpanId ?? ''
  return parent === '' ? [] : [parent, ...ancestorsOf(parent, spans)]
}

describe('The page', () => {
  const spans = [
    span('root', '', {
      kind: 'http',
      durationMs: 1_000,
      selfMs: 100,
      isCritical: true,
      pathMs: 100,
    }),
    span('chat', 'root', {
      kind: 'llm',
      model: 'gpt-4o',
      offsetMs: 50,
      durationMs: 800.4,
      selfMs: 800.4,
      isCritical: true,
      pathMs: 800.4,
      costUsd: '0.0015',
    }),
    span('aside', 'root', { offsetMs: 50, durationMs: 4.25, selfMs: 4.25, errorType: 'timeout' }),
  ]

  test('has totals, the tree and where the time went', () => {
    expect(formatTrace(total, spans, 500)).toEqual([
      `Trace ${'b'.repeat(32)}: POST /v1/chat (api)`,
      'Started 2026-11-21T10:00:00.123Z, tenant acme, user user-1',
      'Took 1,000 ms, 3 spans, 1 LLM call, 1 error, USD 0.0015',
      '',
      'span (● on the critical path)  kind  from ms     ms  self  path     USD',
      '● root                         http        0  1,000   100   100',
      '● ├─ chat gpt-4o               llm        50    800   800   800  0.0015',
      '· └─ aside ✗ timeout           tool       50    4.3   4.3',
      '',
      'Critical path: llm 80.0 %, http 10.0 %, waiting (nothing ran) 10.0 %',
    ])
  })

  test('ends at the limit, and tells of spans without a place', () => {
    const lines = formatTrace({ ...total, spans: 5, rootName: '' }, spans, 1)
    expect(lines[0]).toBe(`Trace ${'b'.repeat(32)}: without a root`)
    expect(lines.slice(5, 8)).toEqual([
      expect.stringContaining('● root'),
      '… and 2 more (--limit)',
      '2 spans without a place in the tree: a circle of parents, or too many levels',
    ])
  })

  test('of no time has no path', () => {
    const none = { ...total, durationMs: 0 }
    expect(formatTrace(none, [span('a', '', { durationMs: 0 })], 5).at(-1)).toBe(
      'Critical path: none, the trace took no time',
    )
  })
})
