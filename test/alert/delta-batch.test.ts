import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BatchError, batchHeader } from '../../schemas/codec.ts'
import type { Aggregate } from '../../schemas/items.ts'
import { evaluations, spanAggregates } from '../../schemas/topics.ts'
import { WireError } from '../../schemas/wire.ts'
import { encodeDeltas, readDeltas } from '../../services/alert/delta-batch.ts'
import type { Delta } from '../../services/alert/series.ts'
import { anyText } from '../support/avro-values.ts'

const { codec } = spanAggregates

const whole = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -200, max: 200 }))
const anyDelta: fc.Arbitrary<Delta> = fc.record(
  {
    series: anyText,
    group: anyText,
    bucket: whole,
    count: whole,
    bad: whole,
    high: whole,
    low: fc.integer({ min: 0, max: 999_999_999 }),
    bins: fc.array(fc.tuple(whole, whole), { maxLength: 70 }).map((pairs) => pairs.flat()),
    traceId: anyText,
    traceValue: fc.double({ noNaN: true }),
  },
  { noNullPrototype: true },
)
const someDeltas = fc.array(anyDelta, { maxLength: 8 })

const toAggregate = (delta: Delta): Aggregate => ({
  series: delta.series,
  group: delta.group,
  bucket: BigInt(delta.bucket),
  count: BigInt(delta.count),
  bad: BigInt(delta.bad),
  high: BigInt(delta.high),
  low: BigInt(delta.low),
  bins: delta.bins.map(BigInt),
  trace_id: delta.traceId,
  trace_value: delta.traceValue,
})

function read(batch: Buffer): readonly Delta[] {
  const deltas: Delta[] = []
  readDeltas(batch, (delta) => deltas.push(delta))
  return deltas
}

const isRefusal = (error: unknown) => error instanceof WireError || error instanceof BatchError

/** Deltas of a batch; 'refused' for none; 'torn' if some were handed over before it was refused. */
function tryRead(batch: Buffer): readonly Delta[] | 'refused' | 'torn' {
  const deltas: Delta[] = []
  try {
    readDeltas(batch, (delta) => deltas.push(delta))
    return deltas
  } catch (error) {
    if (!isRefusal(error)) throw error
    return deltas.length === 0 ? 'refused' : 'torn'
  }
}

describe('Deltas', () => {
  test('are written as the codec writes them, and read as it reads them', () => {
    fc.assert(
      fc.property(someDeltas, (deltas) => {
        const batch = encodeDeltas(deltas)
        expect(batch.equals(codec.encode(deltas.map(toAggregate)))).toBe(true)
        expect(codec.decode(batch)).toEqual(deltas.map(toAggregate))
        expect(read(batch)).toEqual(deltas)
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  test('are a batch where there are none', () => {
    const batch = encodeDeltas([])
    expect(codec.decode(batch)).toEqual([])
    expect(read(batch)).toEqual([])
  })
})

describe('Bytes that are no batch of deltas', () => {
  test('are refused when they end too soon, or too late', () => {
    fc.assert(
      fc.property(fc.array(anyDelta, { minLength: 1, maxLength: 3 }), fc.nat(), (deltas, at) => {
        const batch = encodeDeltas(deltas)
        expect(tryRead(batch.subarray(0, at % batch.length))).toBe('refused')
        expect(tryRead(Buffer.concat([batch, Buffer.from([0])]))).toBe('refused')
      }),
      { seed: 2, numRuns: 300 },
    )
  })

  test('are refused or read, but break nothing, when a byte is another', () => {
    fc.assert(
      fc.property(someDeltas, fc.nat(), fc.nat(255), (deltas, at, byte) => {
        const batch = encodeDeltas(deltas)
        batch[at % batch.length] = byte
        expect(tryRead(batch)).not.toBe('torn')
      }),
      { seed: 3, numRuns: 1_000 },
    )
  })

  test('are refused by their schema', () => {
    expect(tryRead(evaluations.codec.encode([]))).toBe('refused')
    expect(tryRead(Buffer.from('{}'))).toBe('refused')
  })

  test.each([
    ['a number beyond 2^53', { count: 2n ** 53n }],
    ['a negative one', { high: -(2n ** 60n) }],
    ['a bin without a count', { bins: [1n, 2n, 3n] }],
  ])('are refused for %s', (_, wrong) => {
    const delta = encodeDeltas([])
    expect(delta.subarray(0, 10)).toEqual(batchHeader(codec.fingerprint))
    const right: Aggregate = {
      series: 's',
      group: '',
      bucket: 1n,
      count: 1n,
      bad: 0n,
      high: 0n,
      low: 0n,
      bins: [],
      trace_id: '',
      trace_value: 0,
    }
    expect(tryRead(codec.encode([right]))).toHaveLength(1)
    expect(tryRead(codec.encode([right, { ...right, ...wrong }]))).toBe('refused')
  })
})
