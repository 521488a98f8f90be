import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BatchError, createCodec } from '../../schemas/codec.ts'
import { schemas } from '../../schemas/topics.ts'
import { createFold } from '../../services/alert/fold.ts'
import type { SeriesSpec } from '../../services/alert/series.ts'
import { avroRecord } from '../support/avro-values.ts'
import type { Decoded } from '../support/spans.ts'
import { anySeries, anySpan, encodeSpans, fewTexts, someCount } from './fold-items.ts'
import { netOf, totalsOf } from './fold-oracle.ts'

const COST: SeriesSpec = {
  id: 'cost',
  source: 'spans',
  where: [],
  by: ['tenant', 'model'],
  keyLength: 1,
  value: 'cost',
  hasBins: false,
  bucketMs: 60_000,
  retainMs: 3_600_000,
  maxGroups: 10,
}

const codec = createCodec<Decoded>(schemas.priceCorrection)
const [SOME = {}] = fc.sample(avroRecord(schemas.priceCorrection), { seed: 1, numRuns: 1 })
const CALL: Decoded = {
  ...SOME,
  tenant: 'acme',
  request_model: '',
  response_model: 'gpt',
  trace_id: 'abc',
  start_time_unix_nano: 120_000_000_000n,
}

function fold(series: readonly SeriesSpec[], ...corrections: readonly Decoded[]) {
  const corrected = createFold(series, 'corrections')
  corrected.add(codec.encode(corrections.map((fields) => ({ ...CALL, ...fields }))))
  return corrected.drain()
}

describe('A correction of a price', () => {
  test.each([
    ['raises', 5n, 7n, { count: 0, high: 0, low: 2 }],
    ['lowers', 7n, 5n, { count: 0, high: -1, low: 999_999_998 }],
    ['finds', null, 5n, { count: 1, high: 0, low: 5 }],
    ['loses', 5n, null, { count: -1, high: -1, low: 999_999_995 }],
    ['lowers by much', 10n ** 18n + 1n, 1n, { count: 0, high: -1_000_000_000, low: 0 }],
    ['keeps', 5n, 5n, { count: 0, high: 0, low: 0 }],
  ])('that %s a cost adds the difference', (_, old, now, sums) => {
    const { deltas, records, maxEventMs } = fold([COST], {
      old_cost_pico_usd: old,
      cost_pico_usd: now,
    })
    const place = { series: 'cost', group: 'acme\u001Fgpt', bucket: 2 }
    expect(deltas).toMatchObject([{ ...place, ...sums, bad: 0, bins: [] }])
    expect({ records, maxEventMs }).toEqual({ records: 1, maxEventMs: 120_000 })
  })

  test('that has no cost before or now adds nothing', () => {
    const nothing = { old_cost_pico_usd: null, cost_pico_usd: null }
    expect(fold([COST], nothing).deltas).toEqual([])
  })

  test('shows its trace with the cost that it has now', () => {
    const [delta] = fold([COST], { old_cost_pico_usd: 9n, cost_pico_usd: 4n }).deltas
    expect(delta).toMatchObject({ traceId: 'abc', traceValue: 4 })
  })

  test('moves a call between groups that a price makes', () => {
    const series = { ...COST, by: ['price_model'] }
    const { deltas } = fold([series], {
      old_cost_pico_usd: 3n,
      old_price_model: 'a',
      cost_pico_usd: 8n,
      price_model: 'b',
    })
    expect(deltas).toMatchObject([
      { group: 'a', count: -1, high: -1, low: 999_999_997 },
      { group: 'b', count: 1, high: 0, low: 8 },
    ])
  })

  test('leaves alone series that are not of costs, or by what it does not tell', () => {
    const { value: _, ...count } = COST
    const match = { dimension: 'status', values: ['ok'], isNegated: true }
    const others: readonly SeriesSpec[] = [
      count,
      { ...COST, value: 'tokens' },
      { ...COST, by: ['session'] },
      { ...COST, by: ['attributes.k'] },
      { ...COST, where: [match] },
      { ...COST, bad: { matches: [match] } },
      { ...COST, source: 'evaluations' },
    ]
    const all = createFold([...others, COST], 'corrections')
    expect(all.series).toEqual([COST])
    expect(fold(others, { old_cost_pico_usd: 3n, cost_pico_usd: 5n }).deltas).toEqual([])
  })

  test('is refused with all of its record where the record is broken', () => {
    const fold1 = createFold([COST], 'corrections')
    const batch = codec.encode([{ ...CALL, cost_pico_usd: 1n }, CALL])
    expect(() => fold1.add(batch.subarray(0, -5))).toThrow(BatchError)
    expect(fold1.drain()).toEqual({ deltas: [], records: 0, maxEventMs: undefined })
  })
})

const costSeries = anySeries({
  source: 'spans',
  dimensions: ['tenant', 'feature', 'kind', 'model', 'price_status', 'price_model', 'user'],
  fields: ['cost'],
  texts: fc.oneof(fewTexts, fc.constantFrom('llm', 'priced', 'unpriced')),
}).map((series) => series.map((one): SeriesSpec => ({ ...one, value: 'cost' })))

const now = fc.record({
  cost_pico_usd: someCount,
  price_status: fc.constantFrom('priced', 'unpriced'),
  price_model: fewTexts,
})

test('Spans and their corrections come to what the spans with their new prices come to', () => {
  fc.assert(
    fc.property(
      costSeries,
      fc.array(fc.tuple(anySpan, now), { maxLength: 15 }),
      (series, pairs) => {
        // A correction counts at the start of its call: of such as take no time, that is their end.
        const atOnce = { duration_nano: 0n, received_time_unix_nano: 2n ** 63n - 1n }
        const calls = pairs.map(([span, price]) => [{ ...span, ...atOnce }, price] as const)
        const before = createFold(series, 'spans')
        before.add(encodeSpans(calls.map(([span]) => span)))
        const after = createFold(series, 'spans')
        after.add(encodeSpans(calls.map(([span, price]) => ({ ...span, ...price }))))
        const corrected = createFold(series, 'corrections')
        for (const [span, price] of calls) corrected.add(codec.encode([correctionOf(span, price)]))
        const sum = totalsOf([...before.drain().deltas, ...corrected.drain().deltas])
        expect(netOf(sum)).toEqual(netOf(totalsOf(after.drain().deltas)))
      },
    ),
    { seed: 2, numRuns: 300 },
  )
})

function correctionOf(span: Decoded, price: Decoded): Decoded {
  const old = ['cost_pico_usd', 'price_status', 'price_version', 'price_model']
  const told = Object.keys(SOME).filter((name) => name in span)
  return {
    ...SOME,
    ...Object.fromEntries(told.map((name) => [name, span[name]])),
    ...Object.fromEntries(old.map((name) => [`old_${name}`, span[name]])),
    ...price,
  }
}
