import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CALL,
  CALL_WITH_USAGE,
  type CallState,
  findNestedCalls,
  type LinkedSpan,
  NO_CALL,
} from '../../services/enrich/nested-calls.ts'
import { forests, nestedByPaths, tree } from './span-trees.ts'

const nestedIn = (spans: readonly LinkedSpan[]) =>
  spans.filter((_, i) => findNestedCalls(spans)[i] === 1).map(({ spanId }) => spanId)

describe('Nested calls', () => {
  test.each<[string, readonly LinkedSpan[], readonly string[]]>([
    ['are none without spans', [], []],
    ['are none of one call', tree('a!'), []],
    ['are none beside one another', tree('agent a!:agent b!:agent c!:agent'), []],
    ['are those with another right below', tree('a! b!:a'), ['a']],
    ['are those with another far below', tree('a! x:a y:x b!:y'), ['a']],
    ['are all above the deepest', tree('a! b!:a c!:b'), ['a', 'b']],
    ['are above one of several', tree('a! x:a b!:a c:x'), ['a']],
    ['are none below a step that is no call', tree('a b!:a'), []],
    ['are none above a step that is no call', tree('a! b:a'), []],
    ['are none above a call without usage', tree('a! b?:a'), []],
    ['are those that tell no usage where one below does', tree('a? x:a b!:x'), ['a']],
    ['are none where no call tells its usage', tree('a? b?:a'), []],
    ['are told in whatever order', tree('b!:y y:x x:a a!'), ['a']],
    ['are none where a parent is not here', tree('a! b!:gone'), []],
    ['are none of their own', tree('a!:a'), []],
    ['are none of a cycle', tree('a!:b b!:a'), []],
    ['are none of a long cycle', tree('a!:b b:c c!:a'), []],
    ['are above what hangs below a cycle, and not in it', tree('a!:b b!:a c!:b d!:c'), ['b', 'c']],
    ['are both copies of a call that was sent twice', tree('a! a! b!:a'), ['a', 'a']],
    ['are no copy of a call below itself', tree('a! b!:a b!:a'), ['a']],
  ])('%s', (_, spans, nested) => {
    expect(nestedIn(spans)).toEqual(nested)
  })

  test('are of one trace', () => {
    const [a, b] = tree('a! b!:a')
    if (a === undefined || b === undefined) throw new Error('there are two')
    expect(nestedIn([a, { ...b, traceId: 'other' }])).toEqual([])
  })

  test('are none of spans without ids', () => {
    const nameless = { traceId: 't', spanId: '', parentSpanId: '', call: CALL_WITH_USAGE } as const
    expect(nestedIn([nameless, nameless])).toEqual([])
  })

  test('are found in a chain of a hundred thousand', () => {
    const chain = Array.from({ length: 100_000 }, (_, i): LinkedSpan => ({
      traceId: 't',
      spanId: `${i}`,
      parentSpanId: i === 0 ? '' : `${i - 1}`,
      call: CALL_WITH_USAGE,
    }))
    const nested = findNestedCalls(chain)
    expect(nested.reduce((sum, is) => sum + is, 0)).toBe(99_999)
    expect(nested.at(-1)).toBe(0)
  })

  test('leave the deepest call of each path from a root to a leaf, and no other', () => {
    fc.assert(
      fc.property(forests, (spans) => {
        expect([...findNestedCalls(spans)]).toEqual(nestedByPaths(spans))
      }),
      { seed: 20_261_121, numRuns: 2_000 },
    )
  })

  test('are the same in any order, and end in any links', () => {
    const id = fc.constantFrom('', 'a', 'b', 'c', 'd', 'e')
    const span = fc.record({
      traceId: fc.constantFrom('t', 'u'),
      spanId: id,
      parentSpanId: id,
      call: fc.constantFrom<CallState>(NO_CALL, CALL, CALL_WITH_USAGE),
    })
    // Copies of a span that do not agree on its parent leave it open.
    const spans = fc.uniqueArray(span, {
      maxLength: 8,
      selector: ({ traceId, spanId }) => `${traceId}/${spanId}`,
    })
    fc.assert(
      fc.property(spans, fc.infiniteStream(fc.nat()), (some, keys) => {
        const order = some.map((_, i) => [keys.next().value, i] as const)
        const shuffled = order.toSorted(([a], [b]) => a - b).flatMap(([, i]) => some[i] ?? [])
        expect(new Set(nestedIn(shuffled))).toEqual(new Set(nestedIn(some)))
      }),
      { seed: 20_261_121, numRuns: 2_000 },
    )
  })
})
