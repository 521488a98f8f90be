import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BatchError } from '../../schemas/codec.ts'
import { deadLetters, enrichedSpans } from '../../schemas/topics.ts'
import { WireError } from '../../schemas/wire.ts'
import { encodeDeltas } from '../../services/alert/delta-batch.ts'
import { createFold, createRowFold, type Fold } from '../../services/alert/fold.ts'
import type { SeriesSpec } from '../../services/alert/series.ts'
import type { Decoded } from '../support/spans.ts'
import { anySpan, encodeSpans, SPAN_FIELDS, spanItem, spanSeries } from './fold-items.ts'
import { totals, totalsOf } from './fold-oracle.ts'

const someSpans = fc.array(anySpan, { maxLength: 25 })
const someRecords = fc.array(fc.array(anySpan, { maxLength: 8 }), { maxLength: 6 })

const COUNT: SeriesSpec = {
  id: 'count',
  source: 'spans',
  where: [],
  by: [],
  keyLength: 0,
  hasBins: false,
  bucketMs: 60_000,
  retainMs: 3_600_000,
  maxGroups: 10,
}

function foldAll(fold: Fold, records: readonly (readonly Decoded[])[]) {
  for (const record of records) fold.add(encodeSpans(record))
  return fold.drain()
}

describe('A fold of spans', () => {
  test('comes to what counting by bigints comes to', () => {
    fc.assert(
      fc.property(spanSeries, someSpans, (series, spans) => {
        const { deltas, records, maxEventMs } = foldAll(createFold(series, 'spans'), [spans])
        const items = spans.map(spanItem)
        expect(totalsOf(deltas)).toEqual(totals(series, items))
        expect(records).toBe(spans.length)
        const times = items.map(({ eventMs }) => Number(eventMs))
        expect(maxEventMs).toBe(times.length === 0 ? undefined : Math.max(...times))
      }),
      { seed: 1, numRuns: 600 },
    )
  })

  test('has whole numbers alone, with a low half that is never negative', () => {
    fc.assert(
      fc.property(spanSeries, someSpans, (series, spans) => {
        for (const delta of foldAll(createFold(series, 'spans'), [spans]).deltas) {
          const numbers = [
            delta.bucket,
            delta.count,
            delta.bad,
            delta.high,
            delta.low,
            ...delta.bins,
          ]
          expect(numbers.filter((number) => !Number.isSafeInteger(number))).toEqual([])
          expect(delta.low >= 0 && delta.low < 1e9).toBe(true)
          const indexes = delta.bins.filter((_, at) => at % 2 === 0)
          expect(indexes).toEqual([...new Set(indexes)].toSorted((left, right) => left - right))
        }
      }),
      { seed: 2, numRuns: 200 },
    )
  })

  test('comes to the same however records are cut into runs, and in whatever order they come', () => {
    fc.assert(
      fc.property(
        spanSeries,
        someRecords,
        fc.infiniteStream(fc.boolean()),
        (series, records, cuts) => {
          const whole = totalsOf(foldAll(createFold(series, 'spans'), records).deltas)
          const fold = createFold(series, 'spans')
          const parts = records.toReversed().flatMap((record) => {
            for (const span of record.toReversed()) fold.add(encodeSpans([span]))
            return cuts.next().value ? fold.drain().deltas : []
          })
          expect(totalsOf([...parts, ...fold.drain().deltas])).toEqual(whole)
        },
      ),
      { seed: 3, numRuns: 200 },
    )
  })

  test('makes the same bytes of the same run, whatever it folded before', () => {
    fc.assert(
      fc.property(spanSeries, someSpans, someSpans, (series, before, spans) => {
        const used = createFold(series, 'spans')
        foldAll(used, [before])
        const again = encodeDeltas(foldAll(used, [spans]).deltas)
        const first = encodeDeltas(foldAll(createFold(series, 'spans'), [spans]).deltas)
        expect(again.equals(first)).toBe(true)
      }),
      { seed: 4, numRuns: 150 },
    )
  })

  test('counts no series of another source', () => {
    const fold = createFold([COUNT, { ...COUNT, id: 'other', source: 'dead_letters' }], 'spans')
    expect(fold.series).toEqual([COUNT])
  })
})

const isRefusal = (error: unknown) => error instanceof WireError || error instanceof BatchError

/** Whether the bytes were refused. */
function isRefused(fold: Fold, batch: Buffer): boolean {
  try {
    fold.add(batch)
    return false
  } catch (error) {
    if (!isRefusal(error)) throw error
    return true
  }
}

describe('A record that is no batch of spans', () => {
  test('is refused when it is cut off, and nothing of it counts', () => {
    fc.assert(
      fc.property(
        spanSeries,
        someSpans,
        fc.array(anySpan, { minLength: 1, maxLength: 4 }),
        fc.nat(),
        (series, spans, broken, at) => {
          const fold = createFold(series, 'spans')
          fold.add(encodeSpans(spans))
          const batch = encodeSpans(broken)
          expect(isRefused(fold, batch.subarray(0, at % batch.length))).toBe(true)
          expect(isRefused(fold, Buffer.concat([batch, batch]))).toBe(true)
          expect(fold.drain()).toEqual(foldAll(createFold(series, 'spans'), [spans]))
        },
      ),
      { seed: 6, numRuns: 200 },
    )
  })

  test('with another byte is refused, and nothing of it counts, or is read', () => {
    let refused = 0
    fc.assert(
      fc.property(
        spanSeries,
        fc.array(anySpan, { minLength: 1, maxLength: 3 }),
        fc.nat(),
        fc.nat(255),
        (series, spans, at, byte) => {
          const fold = createFold(series, 'spans')
          const batch = encodeSpans(spans)
          batch[at % batch.length] = byte
          if (!isRefused(fold, batch)) return
          refused++
          expect(fold.drain()).toEqual({ deltas: [], records: 0, maxEventMs: undefined })
        },
      ),
      { seed: 7, numRuns: 1_000 },
    )
    expect(refused).toBeGreaterThan(100)
  })

  test('is refused by its schema', () => {
    const fold = createFold([COUNT], 'spans')
    expect(isRefused(fold, deadLetters.codec.encode([]))).toBe(true)
    expect(isRefused(fold, Buffer.from('no batch at all'))).toBe(true)
    expect(isRefused(fold, enrichedSpans.codec.encode([]))).toBe(false)
  })
})

const dimensionsOf = ({ where, by, bad }: SeriesSpec) => [
  ...[...where, ...(bad?.matches ?? [])].map(({ dimension }) => dimension),
  ...by,
]

describe('A fold of rows', () => {
  test('comes to what the fold of the same spans comes to', () => {
    fc.assert(
      fc.property(spanSeries, someSpans, (series, spans) => {
        const fold = createRowFold(series, 'spans')
        const dimensions = [...new Set(series.flatMap(dimensionsOf))]
        for (const { eventMs, traceId, text, value } of spans.map(spanItem)) {
          const texts = Object.fromEntries(dimensions.map((name) => [name, text(name)]))
          const values = Object.fromEntries(SPAN_FIELDS.map((field) => [field, value(field)]))
          fold.addRow({ eventMs: Number(eventMs), traceId, texts, values })
        }
        expect(totalsOf(fold.drain().deltas)).toEqual(
          totalsOf(foldAll(createFold(series, 'spans'), [spans]).deltas),
        )
      }),
      { seed: 8, numRuns: 200 },
    )
  })

  test('forgets texts between runs, but none that it looks for', () => {
    const where = [{ dimension: 'tenant', values: ['größer'], isNegated: false }]
    const fold = createRowFold([{ ...COUNT, where, by: ['user'] }], 'spans')
    const row = { eventMs: 0, traceId: '', values: {} }
    for (let round = 0; round < 3; round++) {
      const users = Array.from({ length: 30_000 }, (_, i) => `${round}-${i}`)
      for (const user of users) fold.addRow({ ...row, texts: { tenant: 'größer', user } })
      fold.addRow({ ...row, texts: { tenant: 'other', user: 'u' } })
      const { deltas } = fold.drain()
      expect(deltas.map(({ group }) => group)).toEqual(users)
      expect(deltas.filter(({ count }) => count !== 1)).toEqual([])
    }
  })

  test('skips values that no sum holds, and takes texts that are none for empty', () => {
    const gauge: SeriesSpec = { ...COUNT, source: 'system', by: ['topic'], value: 'gauge' }
    const fold = createRowFold([gauge], 'system')
    const row = { eventMs: 60_000, traceId: '', texts: { topic: 7 } }
    for (const value of [Number.NaN, Infinity, 1e30, 2n ** 66n, null]) {
      fold.addRow({ ...row, values: { gauge: value } })
    }
    fold.addRow({ ...row, values: {} })
    expect(fold.drain()).toEqual({ deltas: [], records: 6, maxEventMs: 60_000 })
    fold.addRow({ ...row, values: { gauge: 5 } })
    expect(fold.drain().deltas).toMatchObject([{ group: '', bucket: 1, count: 1, low: 5 }])
  })
})

describe('A series', () => {
  test('by a dimension that is not there is refused', () => {
    const wrong = { ...COUNT, by: ['colour'] }
    expect(() => createFold([wrong], 'spans')).toThrow('a span has no dimension colour')
    expect(() => createRowFold([wrong], 'spans')).toThrow('colour')
    expect(() => createFold([{ ...wrong, source: 'evaluations' }], 'evaluations')).toThrow('colour')
  })

  test('with a limit that is no number is refused', () => {
    const bad = { matches: [], above: { field: 'cost' as const, units: Number.NaN } }
    expect(() => createFold([{ ...COUNT, bad }], 'spans')).toThrow('NaN')
  })
})
