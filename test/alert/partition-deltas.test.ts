import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readDeltas } from '../../services/alert/delta-batch.ts'
import { keyOf, partitionOfKey } from '../../services/alert/delta-partition.ts'
import { splitDeltas } from '../../services/alert/partition-deltas.ts'
import type { Delta, SeriesSpec } from '../../services/alert/series.ts'
import { END, seriesOf } from './condition-samples.ts'
import { deltaOf } from './delta-samples.ts'

const TENANTS = seriesOf('cost')
const MODELS: SeriesSpec = { ...TENANTS, id: 'models', by: ['tenant', 'model'], keyLength: 1 }

function decode(batch: Buffer): readonly Delta[] {
  const deltas: Delta[] = []
  readDeltas(batch, (delta) => deltas.push(delta))
  return deltas
}

test('Every partition has a batch, be it an empty one: all hear how far time is', () => {
  const split = splitDeltas([], [TENANTS], 3)
  expect(split.map(({ partition }) => partition)).toEqual([0, 1, 2])
  expect(split.map(({ batches }) => batches.map(decode))).toEqual([[[]], [[]], [[]]])
})

test('Deltas stand where their group is, each once', () => {
  const someDeltas = fc.array(
    fc
      .tuple(fc.string({ maxLength: 3 }), fc.string({ maxLength: 3 }), fc.boolean())
      .map(([tenant, model, isPart]) =>
        isPart ? deltaOf(MODELS, [tenant, model], END) : deltaOf(TENANTS, [tenant], END),
      ),
    { maxLength: 50 },
  )
  fc.assert(
    fc.property(someDeltas, fc.integer({ min: 1, max: 12 }), (deltas, partitions) => {
      const split = splitDeltas(deltas, [TENANTS, MODELS], partitions)
      const found = split.flatMap(({ partition, batches }) =>
        batches.flatMap(decode).map((delta) => ({ partition, delta })),
      )
      expect(found).toHaveLength(deltas.length)
      for (const { partition, delta } of found) {
        const spec = delta.series === MODELS.id ? MODELS : TENANTS
        expect(partition).toBe(partitionOfKey(keyOf(spec, delta.group), partitions))
      }
    }),
    { seed: 13, numRuns: 200 },
  )
})

test('A group and its contributors stand together', () => {
  const deltas = [deltaOf(TENANTS, ['acme'], END), deltaOf(MODELS, ['acme', 'm'], END)]
  const split = splitDeltas(deltas, [TENANTS, MODELS], 12)
  const filled = split.filter(({ batches }) => batches.flatMap(decode).length > 0)
  expect(filled.map(({ batches }) => batches.flatMap(decode))).toEqual([deltas])
})

describe('Many deltas', () => {
  const deltas = Array.from({ length: 10_001 }, (_, i) => deltaOf(TENANTS, [`t${i}`], END))

  test('are cut in records of five thousand at most, in their order', () => {
    const [only] = splitDeltas(deltas, [TENANTS], 1)
    const batches = only?.batches.map(decode) ?? []
    expect(batches.map(({ length }) => length)).toEqual([5_000, 5_000, 1])
    expect(batches.flat()).toEqual(deltas)
  })

  test('are cut alike each time', () => {
    expect(splitDeltas(deltas, [TENANTS], 4)).toEqual(splitDeltas(deltas, [TENANTS], 4))
  })
})

test('A delta of a series that nobody has is a bug', () => {
  expect(() => splitDeltas([deltaOf(MODELS, ['a', 'm'], END)], [TENANTS], 1)).toThrow('models')
})
