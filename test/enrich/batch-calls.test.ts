import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batchBody } from '../../schemas/codec.ts'
import { readBlock } from '../../schemas/batch.ts'
import { BatchCalls } from '../../services/enrich/batch-calls.ts'
import {
  CALL,
  CALL_WITH_USAGE,
  findNestedCalls,
  type LinkedSpan,
  NO_CALL,
} from '../../services/enrich/nested-calls.ts'
import { LocatedSpans, SpanView } from '../../services/enrich/span-view.ts'
import { type Decoded, spanBatch } from '../support/spans.ts'
import { forests, tree } from './span-trees.ts'

function createReader() {
  const view = new SpanView()
  const located = new LocatedSpans()
  const calls = new BatchCalls(located)
  return (items: readonly Decoded[]) => {
    const body = batchBody(spanBatch(...items))
    const { count, start } = readBlock(body)
    view.reader.buffer = body
    view.reader.position = start
    located.locate(view, count)
    calls.read(view, count)
    return items.map((_, i) => ({ isCall: calls.isCall(i), isNested: calls.isNested(i) }))
  }
}

const spanOf = ({ traceId, spanId, parentSpanId, call }: LinkedSpan, kind = 'llm'): Decoded => ({
  trace_id: traceId,
  span_id: spanId,
  parent_span_id: parentSpanId,
  kind: call === NO_CALL ? 'agent' : kind,
  input_tokens: call === CALL ? null : 5n,
})

describe('In a batch', () => {
  test.each<[Decoded, boolean]>([
    [{ kind: 'llm' }, true],
    [{ kind: 'embedding' }, true],
    [{ kind: 'rerank' }, true],
    [{ kind: 'tool' }, false],
    [{ kind: '' }, false],
    [{ kind: 'llms' }, false],
    [{ kind: 'll' }, false],
  ])('%o is a model call: %s', (span, isCall) => {
    expect(createReader()([span])).toEqual([{ isCall, isNested: false }])
  })

  test.each<[string, Decoded, boolean]>([
    ['input', { input_tokens: 0n, output_tokens: null }, true],
    ['output', { input_tokens: null, output_tokens: 1n }, true],
    ['nothing', { input_tokens: null, output_tokens: null }, false],
  ])('a call below that tells %s makes the one above nested: %3$s', (_, usage, isNested) => {
    const [above, below] = tree('a! b!:a').map((span) => spanOf(span))
    const found = createReader()([above ?? {}, { ...below, ...usage }])
    expect(found.map((span) => span.isNested)).toEqual([isNested, false])
  })

  test('nested calls are those of findNestedCalls, whatever batch came before', () => {
    const read = createReader()
    const kind = fc.constantFrom('llm', 'embedding', 'rerank')
    let nested = 0
    fc.assert(
      fc.property(forests, kind, fc.boolean(), (spans, kindOfCalls, hasCopies) => {
        const all = hasCopies ? [...spans, ...spans] : spans
        const found = read(all.map((span) => spanOf(span, kindOfCalls)))
        const expected = [...findNestedCalls(all)]
        nested += expected.filter((is) => is === 1).length
        expect(found.map(({ isNested }) => (isNested ? 1 : 0))).toEqual(expected)
      }),
      { seed: 20_261_121, numRuns: 1_500 },
    )
    expect(nested).toBeGreaterThan(300)
  })

  test('of many spans they are found too', () => {
    const spans = Array.from({ length: 3_000 }, (_, i): LinkedSpan => ({
      traceId: `${Math.floor(i / 10)}`.padStart(32, '0'),
      spanId: `${i}`.padStart(16, '0'),
      parentSpanId: i % 10 === 0 ? '' : `${i - 1}`.padStart(16, '0'),
      call: CALL_WITH_USAGE,
    }))
    const found = createReader()(spans.map((span) => spanOf(span)))
    expect(found.filter(({ isNested }) => isNested)).toHaveLength(2_700)
  })
})
