import { describe, expect, test } from 'vitest'
import { readers } from '../../schemas/readers.ts'
import { observations, spanAggregates } from '../../schemas/topics.ts'
import { encodeDeltas, readDeltas } from '../../services/alert/delta-batch.ts'
import type { Evaluator } from '../../services/alert/evaluator.ts'
import { observe } from '../../services/alert/observations.ts'
import { parseProgress } from '../../services/alert/progress.ts'
import type { SeriesSpec } from '../../services/alert/series.ts'
import { PRICE_LIST } from '../../services/runtime/price-list.ts'
import { AlertLab, spanRow } from '../support/alert-lab.ts'
import { memoryWriter } from '../support/memory.ts'
import { MINUTE, readRules } from './rule-texts.ts'
import { lagKafka } from './lag-kafka.ts'

const NOON = Date.parse('2026-11-17T12:00:00Z')
const RULES = readRules(`
allowed_lateness: 0s
rules:
  - name: slow
    metric: mean(duration)
    by: [model]
    max_groups: 1
    window: 1m
    condition: { above: 5s }`)

const GAUGE: SeriesSpec = {
  id: 'gauge',
  source: 'system',
  where: [],
  value: 'gauge',
  hasBins: false,
  by: ['observation', 'group', 'topic'],
  keyLength: 3,
  bucketMs: MINUTE,
  retainMs: MINUTE,
  maxGroups: 100,
}

/** What is seen at noon, by observation, group and topic, in the unit that people read. */
async function seen({
  evaluators = [],
  lag = 0n,
}: {
  readonly evaluators?: readonly Evaluator[]
  readonly lag?: bigint
}) {
  const writer = memoryWriter()
  await observe(
    {
      worker: 'alert@here/1',
      kafka: lagKafka((group) => new Map([[0, group === readers.enrich.group ? lag : 0n]])),
      writer,
      partitions: 3,
      evaluators: () => evaluators,
      overflowed: new WeakMap(),
      now: () => NOON,
    },
    [GAUGE],
  )
  const found = new Map<string, number>()
  const recordsOf = (name: string) =>
    writer.writes.filter(({ topic }) => topic === name).flatMap((write) => write.records)
  const records = recordsOf(spanAggregates.name)
  const kept = recordsOf(observations.name).flatMap(({ value }) => observations.codec.decode(value))
  for (const { value } of records) {
    readDeltas(value, ({ group, count, high, low, bucket }) => {
      expect(bucket).toBe(NOON / MINUTE)
      found.set(group.split('\u001F').join(' ').trim(), (high * 1e9 + low) / count / 1e3)
    })
  }
  return { found, records, kept, topics: writer.writes.map(({ topic }) => topic) }
}

/** An evaluator that has come to a time, and had no room for so many groups. */
function evaluatorAt(timeMs: number, overflowed = 0): Evaluator {
  const lab = new AlertLab(RULES)
  const models = Array.from({ length: overflowed + 1 }, (_, i) => `m${i}`)
  lab.send(models.map((model) => spanRow(timeMs, { texts: { model } })))
  return lab.evaluator
}

describe('Observations', () => {
  test('are written to every partition, with the time of the system', async () => {
    const { records, topics } = await seen({})
    expect(topics).toEqual([spanAggregates.name, observations.name])
    expect(records.map(({ partition }) => partition)).toEqual([0, 1, 2])
    for (const { headers } of records) {
      expect(parseProgress(headers['progress'] ?? '')).toEqual({
        source: 'system',
        partition: 0,
        partitions: 1,
        eventMs: NOON,
        quietMs: undefined,
      })
    }
  })

  test('tell how far each reader of a topic is behind', async () => {
    const { found } = await seen({ lag: 12_345n })
    expect(found.get('lag enrich spans')).toBe(12_345)
    expect(found.get(`lag sink ${readers.sink.topic}`)).toBe(0)
    const lags = [...found.keys()].filter((name) => name.startsWith('lag '))
    expect(lags).toHaveLength(Object.keys(readers).length)
  })

  test('are kept as they were found, with who found them, and when', async () => {
    const evaluators = [evaluatorAt(NOON - 4 * MINUTE), evaluatorAt(NOON - 2 * MINUTE, 3)]
    const { found, kept } = await seen({ lag: 12_345n, evaluators })
    const told = { time_unix_nano: BigInt(NOON) * 1_000_000n, worker: 'alert@here/1' }
    const figure = (observation: string, group: string, topic: string, value: number) => ({
      ...told,
      observation,
      group,
      topic,
      value,
    })
    expect(kept).toContainEqual(figure('lag', 'enrich', 'spans', 12_345))
    const watermarks = kept.filter(({ observation }) => observation === 'watermark_lag')
    expect(watermarks).toEqual([
      figure('watermark_lag', '', 'spans', 240),
      figure('watermark_lag', '', 'spans', 120),
    ])
    expect(kept).toContainEqual(figure('groups_overflow', '', '', 3))
    const names = kept.map(({ observation, group, topic }) =>
      [observation, group, topic].join(' ').trim(),
    )
    expect(new Set(names)).toEqual(new Set(found.keys()))
  })

  test('of groups without room are what came since the last time', async () => {
    const writer = memoryWriter()
    const evaluator = evaluatorAt(NOON, 2)
    const options = {
      worker: '',
      kafka: lagKafka(() => new Map()),
      writer,
      partitions: 1,
      evaluators: () => [evaluator],
      overflowed: new WeakMap(),
      now: () => NOON,
    }
    await observe(options, [])
    await observe(options, [])
    const kept = writer.writes
      .filter(({ topic }) => topic === observations.name)
      .map(({ records: [first] }) => observations.codec.decode(first?.value ?? Buffer.alloc(0)))
    const values = kept.map(
      (all) => all.find((one) => one.observation === 'groups_overflow')?.value,
    )
    expect(values).toEqual([2, 0])
  })

  test('tell the age of the price list in days', async () => {
    const { found } = await seen({})
    const days = (NOON - PRICE_LIST.publishedMs) / 86_400_000
    expect(found.get(`price_list_age  ${PRICE_LIST.version}`)).toBeCloseTo(days, 3)
  })

  test('tell how late alerts see each source; of several evaluators the mean', async () => {
    const { found } = await seen({
      evaluators: [evaluatorAt(NOON - 4 * MINUTE), evaluatorAt(NOON - 2 * MINUTE)],
    })
    expect(found.get('watermark_lag  spans')).toBe(180)
    expect(found.has('watermark_lag  evaluations')).toBe(false)
  })

  test('say that time is not ahead of the clock', async () => {
    const { found } = await seen({ evaluators: [evaluatorAt(NOON + 4 * MINUTE)] })
    expect(found.get('watermark_lag  spans')).toBe(0)
  })

  test('tell of groups without room, of all evaluators together', async () => {
    expect((await seen({})).found.get('groups_overflow')).toBe(0)
    const evaluators = [evaluatorAt(NOON, 2), evaluatorAt(NOON, 5)]
    expect((await seen({ evaluators })).found.get('groups_overflow')).toBe(7)
  })

  test('are nothing but the time where no rule looks at them', async () => {
    const writer = memoryWriter()
    const kafka = lagKafka(() => new Map())
    await observe(
      {
        worker: '',
        kafka,
        writer,
        partitions: 1,
        evaluators: () => [],
        overflowed: new WeakMap(),
        now: () => NOON,
      },
      [],
    )
    expect(writer.writes[0]?.records.map(({ value }) => value)).toEqual([encodeDeltas([])])
  })
})
