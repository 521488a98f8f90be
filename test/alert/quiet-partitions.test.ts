import { describe, expect, test } from 'vitest'
import { spanAggregates } from '../../schemas/topics.ts'
import { readDeltas } from '../../services/alert/delta-batch.ts'
import { parseProgress } from '../../services/alert/progress.ts'
import { QuietPartitions } from '../../services/alert/quiet-partitions.ts'
import { memoryWriter } from '../support/memory.ts'
import { lagKafka } from './lag-kafka.ts'

const READER = { group: 'aggregate', topic: 'spans.enriched' }
const UPSTREAM = [
  { group: 'ingest', topic: 'otlp.spans' },
  { group: 'enrich', topic: 'spans' },
]
const IDLE_MS = 15_000

/** Three partitions of a topic, of which this worker has 0 and 1; everything was read. */
class Quiet {
  nowMs = 1_000_000
  /** Records left, by group and partition. */
  readonly left = new Map<string, Map<number, bigint>>()
  readonly asked: string[] = []
  onAsked: () => void = () => undefined
  readonly writer = memoryWriter()
  readonly partitions: QuietPartitions

  constructor() {
    this.partitions = new QuietPartitions({
      source: 'spans',
      reader: READER,
      upstream: UPSTREAM,
      sourcePartitions: 3,
      partitions: 2,
      idleMs: IDLE_MS,
      kafka: lagKafka((group, topic) => {
        this.asked.push(`${group} ${topic}`)
        this.onAsked()
        return this.left.get(group) ?? new Map([0, 1, 2].map((partition) => [partition, 0n]))
      }),
      writer: this.writer,
      now: () => this.nowMs,
    })
    this.partitions.onAssigned([0, 1])
  }

  /** Partitions that are told to be quiet after so long, and since when. */
  async after(ms: number): Promise<readonly (readonly [number, number | undefined])[]> {
    this.nowMs += ms
    const before = this.writer.writes.length
    await this.partitions.tell()
    const told = this.writer.writes
      .slice(before)
      .flatMap(({ records }) => records.filter(({ partition }) => partition === 0))
    return told.map(({ headers }) => {
      const progress = parseProgress(headers['progress'] ?? '')
      return [progress?.partition ?? -1, progress?.quietMs] as const
    })
  }
}

describe('A partition is quiet', () => {
  test('when nothing came from it for as long as that takes, and again each time after', async () => {
    const quiet = new Quiet()
    expect(await quiet.after(IDLE_MS - 1)).toEqual([])
    expect(quiet.asked).toEqual([])
    expect(await quiet.after(1)).toEqual([
      [0, 1_015_000],
      [1, 1_015_000],
    ])
    expect(await quiet.after(1_000)).toEqual([
      [0, 1_016_000],
      [1, 1_016_000],
    ])
  })

  test('only where nothing came', async () => {
    const quiet = new Quiet()
    await quiet.after(10_000)
    quiet.partitions.onRead(1)
    expect(await quiet.after(5_000)).toEqual([[0, 1_015_000]])
    expect(await quiet.after(10_000)).toEqual([
      [0, 1_025_000],
      [1, 1_025_000],
    ])
  })

  test.each(UPSTREAM)('not while $group has something to read', async ({ group }) => {
    const quiet = new Quiet()
    quiet.left.set(group, new Map([[5, 1n]]))
    expect(await quiet.after(IDLE_MS)).toEqual([])
    quiet.left.clear()
    expect(await quiet.after(0)).toHaveLength(2)
  })

  test('only if it was read to its end itself', async () => {
    const quiet = new Quiet()
    quiet.left.set(
      READER.group,
      new Map([
        [0, 0n],
        [1, 7n],
      ]),
    )
    expect(await quiet.after(IDLE_MS)).toEqual([[0, 1_015_000]])
  })

  test('not if it wakes up while that is asked', async () => {
    const quiet = new Quiet()
    quiet.nowMs += 1
    quiet.onAsked = () => quiet.partitions.onRead(0)
    expect(await quiet.after(IDLE_MS)).toEqual([[1, 1_015_001]])
  })

  test('only if it is this worker’s', async () => {
    const quiet = new Quiet()
    quiet.partitions.onAssigned([1, 2])
    expect(await quiet.after(IDLE_MS)).toEqual([
      [1, 1_015_000],
      [2, 1_015_000],
    ])
  })

  test('from when it came to this worker on at the earliest', async () => {
    const quiet = new Quiet()
    await quiet.after(IDLE_MS)
    quiet.partitions.onAssigned([0, 1, 2])
    expect(await quiet.after(1_000)).toEqual([
      [0, 1_016_000],
      [1, 1_016_000],
    ])
  })
})

test('Upstream is asked in the order of the flow, and last the topic itself', async () => {
  const quiet = new Quiet()
  await quiet.after(IDLE_MS)
  expect(quiet.asked).toEqual(['ingest otlp.spans', 'enrich spans', 'aggregate spans.enriched'])
})

test('Every evaluator is told, without a delta and without a place of its own', async () => {
  const quiet = new Quiet()
  await quiet.after(IDLE_MS)
  expect(quiet.writer.writes.map(({ topic }) => topic)).toEqual([spanAggregates.name])
  const records = quiet.writer.writes.flatMap((write) => write.records)
  expect(records.map(({ partition }) => partition)).toEqual([0, 1, 0, 1])
  for (const { value, headers } of records) {
    readDeltas(value, () => expect.unreachable())
    expect(Object.keys(headers)).toEqual(['progress'])
    expect(parseProgress(headers['progress'] ?? '')).toMatchObject({
      source: 'spans',
      partitions: 3,
      eventMs: undefined,
    })
  }
})
