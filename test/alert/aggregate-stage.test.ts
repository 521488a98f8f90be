import { describe, expect, test } from 'vitest'
import { deadLetters, spanAggregates } from '../../schemas/topics.ts'
import {
  type AggregateStageOptions,
  createAggregateStage,
} from '../../services/alert/aggregate-stage.ts'
import { readDeltas } from '../../services/alert/delta-batch.ts'
import { createFold } from '../../services/alert/fold.ts'
import { parseProgress } from '../../services/alert/progress.ts'
import type { Delta, SeriesSpec } from '../../services/alert/series.ts'
import { parseSource } from '../../services/runtime/checkpoint.ts'
import { type KafkaRecord, type NewRecord, TransientError } from '../../services/runtime/records.ts'
import { memoryControl, memoryWriter, record } from '../support/memory.ts'
import { seriesOf } from './condition-samples.ts'

const NOON = 1_781_697_600_000
const LETTERS: SeriesSpec = seriesOf(undefined, {
  source: 'dead_letters',
  by: ['reason'],
})

const batch = (offset: number, ...reasons: readonly string[]) =>
  record(
    offset,
    deadLetters.codec.encode(
      reasons.map((reason, i) => ({
        time_unix_nano: BigInt(NOON + offset * 1_000 + i) * 1_000_000n,
        worker: 'enrich',
        source: 'spans',
        partition: 0,
        offset: 1n,
        index: 0,
        reason,
        detail: '',
        format: 'avro',
        payload: Buffer.alloc(0),
        tenant: '',
      })),
    ),
  )

interface Run {
  readonly log: readonly string[]
  readonly rejected: number
  /** Batches that were told of as written, by partition, and what was logged before. */
  readonly written: readonly (readonly [number, readonly Buffer[], logged: number])[]
  readonly read: readonly number[]
  readonly records: readonly NewRecord[]
  readonly done: Promise<void>
}

interface RunOptions extends Partial<AggregateStageOptions> {
  readonly tries?: number
  readonly fail?: (attempt: number) => void
}

/** Handles one chunk of partition 4 of the topic `in`. */
async function handle(
  records: readonly KafkaRecord[],
  { tries = 1, fail = () => undefined, ...rest }: RunOptions = {},
): Promise<Run> {
  const log: string[] = []
  const read: number[] = []
  const written: (readonly [number, readonly Buffer[], number])[] = []
  let rejected = 0
  let attempt = 0
  const writer = memoryWriter((topic) => {
    log.push(`write ${topic}`)
    fail(++attempt)
  })
  const stage = createAggregateStage({
    fold: () => createFold([LETTERS], 'dead_letters'),
    timeOf: 'dead_letters',
    sourcePartitions: 6,
    partitions: 3,
    writer,
    maxChunkBytes: 1_000,
    onRejected: () => rejected++,
    onRead: (partition) => read.push(partition),
    onWritten: (partition, batches) => written.push([partition, batches, log.length]),
    onAssigned: () => undefined,
    ...rest,
  })
  const chunk = { topic: 'in', partition: 4, first: 0n, last: 99n, wasPending: false, records }
  const done = stage.handle(chunk, memoryControl(log, tries))
  await done.catch(() => undefined)
  return {
    log,
    rejected,
    read,
    written,
    done,
    records: writer.writes.flatMap((write) => write.records),
  }
}

function deltasOf({ value }: NewRecord): readonly Delta[] {
  const deltas: Delta[] = []
  readDeltas(value, (delta) => deltas.push(delta))
  return deltas
}
const counts = (records: readonly NewRecord[]) =>
  Object.fromEntries(records.flatMap(deltasOf).map(({ group, count }) => [group, count]))

describe('A run of records', () => {
  test('is noted as pending, then counted and written', async () => {
    const { log, records, read } = await handle([batch(4, 'a', 'b'), batch(6, 'a')])
    expect(log).toEqual(['markPending', `write ${spanAggregates.name}`])
    expect(counts(records)).toEqual({ a: 2, b: 1 })
    expect(read).toEqual([4])
  })

  test('makes a record for every partition of aggregates, with its own place and how far it has come', async () => {
    const { records } = await handle([batch(4, 'a'), batch(9, 'a', 'a')])
    expect(records.map(({ partition }) => partition)).toEqual([0, 1, 2])
    for (const { headers, key } of records) {
      expect(key).toBeNull()
      expect(parseSource(headers['source'] ?? '')).toEqual({ source: 'in/4', offset: 99n, part: 0 })
      expect(parseProgress(headers['progress'] ?? '')).toEqual({
        source: 'dead_letters',
        partition: 4,
        partitions: 6,
        eventMs: NOON + 9_001,
        quietMs: undefined,
      })
    }
  })

  test('tells how far it has come only behind the last part of it', async () => {
    const reasons = Array.from({ length: 5_002 }, (_, i) => `reason ${i}`)
    const { records } = await handle([batch(4, ...reasons)], { partitions: 1 })
    const parts = records.map(({ headers }) => parseSource(headers['source'] ?? '')?.part)
    expect(parts).toEqual([0, 1])
    expect(records.map(({ headers }) => 'progress' in headers)).toEqual([false, true])
    expect(records.map(deltasOf).map(({ length }) => length)).toEqual([5_000, 2])
  })

  test('makes the same records when it comes again after a crash', async () => {
    const run = [batch(4, 'a', 'b'), batch(5, 'c'), batch(6, 'a')]
    const crashed = await handle(run, {
      fail() {
        throw new TransientError('no leader')
      },
    })
    await expect(crashed.done).rejects.toThrow(TransientError)
    expect(crashed.log[0]).toBe('markPending')
    const [first, again] = [await handle(run), await handle(run)]
    expect(again.records).toEqual(first.records)
  })

  test('is written again until Kafka takes it, and folded once', async () => {
    const { log, records } = await handle([batch(4, 'a')], {
      tries: 3,
      fail(attempt) {
        if (attempt < 3) throw new TransientError('no leader')
      },
    })
    expect(log).toHaveLength(4)
    expect(counts(records)).toEqual({ a: 1 })
  })

  test('of repeats alone is read, but neither noted nor written', async () => {
    const { log, read, written, done } = await handle([])
    await done
    expect([log, read, written]).toEqual([[], [4], [[4, [], 0]]])
  })

  test('is told of with the batches that were counted, once it is written', async () => {
    const [first, last] = [batch(4, 'a'), batch(6, 'b')]
    const run = await handle([first, record(5, 'garbage'), last])
    expect(run.log).toHaveLength(2)
    expect(run.written).toEqual([[4, [first.value, last.value], 2]])
  })

  test('that could not be written is not told of', async () => {
    const { written } = await handle([batch(4, 'a')], {
      fail() {
        throw new TransientError('no leader')
      },
    })
    expect(written).toEqual([])
  })

  test('goes on behind a record that holds no batch, which is counted', async () => {
    const { records, rejected } = await handle([record(4, 'garbage'), batch(5, 'a')])
    expect(counts(records)).toEqual({ a: 1 })
    expect(rejected).toBe(1)
  })

  test('without a single batch still tells its place', async () => {
    const { records } = await handle([record(4, 'garbage')])
    expect(records).toHaveLength(3)
    expect(parseProgress(records[0]?.headers['progress'] ?? '')?.eventMs).toBeUndefined()
  })

  test('fails with the bug where there is one', async () => {
    const { done } = await handle([batch(4, 'a')], {
      fold() {
        throw new RangeError('a bug')
      },
    })
    await expect(done).rejects.toThrow(RangeError)
  })

  test('of a topic that only adds to what was tells no time', async () => {
    const { records } = await handle([batch(4, 'a')], { timeOf: undefined })
    expect(records.map(({ headers }) => Object.keys(headers))).toEqual([
      ['source'],
      ['source'],
      ['source'],
    ])
  })
})

test('A new assignment is passed on', () => {
  const assigned: (readonly number[])[] = []
  const stage = createAggregateStage({
    fold: () => createFold([], 'dead_letters'),
    timeOf: undefined,
    sourcePartitions: 1,
    partitions: 1,
    writer: memoryWriter(),
    maxChunkBytes: 1,
    onRejected: () => undefined,
    onRead: () => undefined,
    onWritten: () => undefined,
    onAssigned: (partitions) => assigned.push(partitions),
  })
  stage.onAssigned?.([1, 2])
  expect(assigned).toEqual([[1, 2]])
})
