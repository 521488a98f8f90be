import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCodec } from '../../schemas/codec.ts'
import { schemas } from '../../schemas/topics.ts'
import { createFold } from '../../services/alert/fold.ts'
import type { SeriesSpec } from '../../services/alert/series.ts'
import { avroRecord } from '../support/avro-values.ts'
import type { Decoded } from '../support/spans.ts'
import { anySeries, fewTexts, someTime, textOf } from './fold-items.ts'
import { floorBy, type Item, totals, totalsOf } from './fold-oracle.ts'

const codec = createCodec<Decoded>(schemas.evaluation)
const TEXTS = [
  'evaluator',
  'evaluator_version',
  'dimension',
  'label',
  'tenant',
  'use_case',
  'origin',
]
const someText = fc.oneof(fewTexts, fc.constantFrom('factuality', 'critical'))

const anyEvaluation: fc.Arbitrary<Decoded> = fc
  .tuple(
    avroRecord(schemas.evaluation),
    fc.record(Object.fromEntries(TEXTS.map((name) => [name, someText]))),
    fc.record({
      trace_id: fc.constantFrom('', 'a', 'b'),
      time_unix_nano: someTime,
      received_time_unix_nano: someTime,
      score: fc.option(fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double())),
    }),
  )
  .map((parts) => Object.assign({}, ...parts))

/** A score is counted in thousand-millionths; what no sum holds is none. */
function unitsOf(score: unknown): bigint | null {
  const units = typeof score === 'number' ? Math.round(score * 1e9) : Number.NaN
  return Math.abs(units) <= 2 ** 65 ? BigInt(units) : null
}

function itemOf(evaluation: Decoded): Item {
  const { time_unix_nano: time, received_time_unix_nano: received } = evaluation
  const [told, latest] = [BigInt(String(time)), BigInt(String(received))]
  return {
    sign: 1n,
    eventMs: floorBy(told < latest ? told : latest, 1_000_000n),
    traceId: textOf(evaluation['trace_id']),
    text: (dimension) => textOf(evaluation[dimension]),
    value: (field) => (field === 'score' ? unitsOf(evaluation['score']) : null),
  }
}

const someSeries = anySeries({
  source: 'evaluations',
  dimensions: TEXTS,
  fields: ['score', 'cost'],
  texts: someText,
})

describe('A fold of evaluations', () => {
  test('comes to what counting by bigints comes to', () => {
    fc.assert(
      fc.property(someSeries, fc.array(anyEvaluation, { maxLength: 15 }), (series, evaluations) => {
        const fold = createFold(series, 'evaluations')
        fold.add(codec.encode(evaluations))
        const { deltas, records } = fold.drain()
        expect(totalsOf(deltas)).toEqual(totals(series, evaluations.map(itemOf)))
        expect(records).toBe(evaluations.length)
      }),
      { seed: 1, numRuns: 300 },
    )
  })

  test('shows the trace with the lowest score', () => {
    const scores: SeriesSpec = {
      id: 'score',
      source: 'evaluations',
      where: [],
      by: ['dimension'],
      keyLength: 1,
      value: 'score',
      hasBins: true,
      bucketMs: 60_000,
      retainMs: 3_600_000,
      maxGroups: 10,
    }
    const [some = {}] = fc.sample(anyEvaluation, { seed: 2, numRuns: 1 })
    const times = { time_unix_nano: 1n, received_time_unix_nano: 1n }
    const told = [0.75, 0.25, null, 0.5, 0.25].map((score, at) => {
      return { ...some, ...times, dimension: 'factuality', score, trace_id: `trace ${9 - at}` }
    })
    const fold = createFold([scores], 'evaluations')
    fold.add(codec.encode(told))
    expect(fold.drain().deltas).toMatchObject([
      {
        group: 'factuality',
        count: 4,
        high: 1,
        low: 750_000_000,
        traceId: 'trace 5',
        traceValue: 75e7,
      },
    ])
  })
})
