import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Repeats } from '#runtime/repeats.ts'
import type { NewRecord } from '#runtime/records.ts'
import type { PriceCorrection } from '#schemas/items.ts'
import { priceCorrections } from '#schemas/topics.ts'
import { createCorrectionWriter } from '../../../services/enrich/reprice/correction-writer.ts'
import { correctionOf } from '../../../services/enrich/reprice/stored-call.ts'
import { memoryWriter } from '../../support/memory.ts'
import { price, storedCall } from './stored-calls.ts'

const correction = (spanId: string, time: bigint): PriceCorrection =>
  correctionOf(storedCall({ span_id: spanId }), price(), { id: 'a run', time })

const spanIds = (records: readonly NewRecord[]) =>
  records.flatMap(({ value }) =>
    priceCorrections.codec.decode(value).map(({ span_id: spanId }) => spanId),
  )

test('Corrections are written in batches, over the partitions in turn', async () => {
  const writer = memoryWriter()
  const corrections = createCorrectionWriter({ writer, partitions: 2, time: 5n, maxBatch: 2 })
  for (const id of ['a', 'b', 'c', 'd', 'e']) await corrections.add([correction(id, 5n)])
  expect(writer.writes).toHaveLength(2)
  await corrections.flush()
  await corrections.flush()
  const records = writer.writes.flatMap(({ records: written }) => written)
  expect(records.map(({ partition }) => partition)).toEqual([0, 1, 0])
  expect(spanIds(records)).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(records.map(({ headers }) => headers['source'])).toEqual([
    'reprice/0/5/0',
    'reprice/1/5/1',
    'reprice/0/5/2',
  ])
})

test('Corrections that belong together are in one record', async () => {
  const writer = memoryWriter()
  const corrections = createCorrectionWriter({ writer, partitions: 2, time: 5n, maxBatch: 2 })
  await corrections.add([correction('a', 5n)])
  await corrections.add(['b', 'c', 'd'].map((id) => correction(id, 5n)))
  await corrections.add([correction('e', 5n)])
  await corrections.flush()
  const records = writer.writes.flatMap(({ records: written }) => written)
  expect(records.map((record) => spanIds([record]))).toEqual([['a', 'b', 'c', 'd'], ['e']])
})

/** Runs of a few batches each, with the records that the producer has written again, and when. */
const runs = fc.array(
  fc.array(fc.record({ again: fc.boolean(), late: fc.boolean() }), { maxLength: 6 }),
  { maxLength: 5 },
)

test('What the producer writes again, at once or late, counts once, over any number of runs', async () => {
  await fc.assert(
    fc.asyncProperty(runs, fc.integer({ min: 1, max: 3 }), async (plan, partitions) => {
      const log = new Map<number, NewRecord[]>()
      const late: NewRecord[] = []
      const expected: string[] = []
      const append = (record: NewRecord) =>
        log.set(record.partition, [...(log.get(record.partition) ?? []), record])
      for (const [run, batches] of plan.entries()) {
        const writer = memoryWriter()
        const time = BigInt(run * 7 + 1)
        const corrections = createCorrectionWriter({ writer, partitions, time, maxBatch: 1 })
        for (const [index, { again, late: isLate }] of batches.entries()) {
          const id = `${run}-${index}`
          expected.push(id)
          await corrections.add([correction(id, time)])
          const [record] = writer.writes.at(-1)?.records ?? []
          if (record === undefined) throw new Error('nothing was written')
          append(record)
          if (again) append(record)
          if (isLate) late.push(record)
        }
      }
      for (const record of late) append(record)
      const seen = [...log.values()].flatMap((records) => {
        const repeats = new Repeats({ horizonMs: 1, maxRequests: 1 }, { sources: new Map() })
        return records.filter(
          (record, index) => !repeats.isRepeat({ ...record, offset: BigInt(index), timeMs: 0 }),
        )
      })
      expect(spanIds(seen).sort()).toEqual(expected.sort())
    }),
    { seed: 14, numRuns: 50 },
  )
})

test('A reader has one source to remember for each partition, however many runs there were', async () => {
  const repeats = new Repeats({ horizonMs: 1, maxRequests: 1 }, { sources: new Map() })
  for (let run = 1n; run <= 100n; run++) {
    const writer = memoryWriter()
    const corrections = createCorrectionWriter({ writer, partitions: 1, time: run })
    await corrections.add([correction('a', run)])
    await corrections.flush()
    for (const { records } of writer.writes)
      for (const record of records)
        expect(repeats.isRepeat({ ...record, offset: run, timeMs: 0 })).toBe(false)
  }
  expect([...repeats.checkpoint().sources.keys()]).toEqual(['reprice/0'])
})
