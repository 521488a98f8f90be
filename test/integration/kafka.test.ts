import { randomUUID } from 'node:crypto'
import { afterAll, expect, inject, test, vi } from 'vitest'
import { connectKafka } from '#runtime/kafka.ts'
import { createLogger } from '#runtime/log.ts'

const PARTITIONS = 3
const ROUNDS = 50

const kafka = connectKafka(
  { brokers: inject('brokers'), topicPrefix: `kafka-${randomUUID()}-`, sessionTimeoutMs: 10_000 },
  'kafka-test',
  createLogger('test', 'silent'),
)

afterAll(() => kafka.close())

test('What a group has to read is told whole while partitions of other topics are counted', async () => {
  const spec = { partitions: PARTITIONS, replicationFactor: 1, config: {} }
  await kafka.ensureTopics(['read', 'counted'].map((topic) => ({ topic, ...spec })))
  // Leaders of partitions that were just made do not answer at once.
  await vi.waitFor(() => kafka.lags('group', 'read'), { timeout: 30_000 })
  const told: (readonly [number, bigint][])[] = []
  const counted: number[] = []
  const stopping = new AbortController()
  const counting = (async () => {
    while (!stopping.signal.aborted) counted.push(await kafka.partitions('counted'))
  })()
  try {
    for (let round = 0; round < ROUNDS; round++) told.push([...(await kafka.lags('group', 'read'))])
  } finally {
    stopping.abort()
    await counting
  }
  const whole = Array.from({ length: PARTITIONS }, (_, partition) => [partition, 0n])
  expect(told.filter((lags) => lags.length !== PARTITIONS)).toEqual([])
  expect(told.at(-1)?.toSorted(([a], [b]) => a - b)).toEqual(whole)
  expect(new Set(counted)).toEqual(new Set([PARTITIONS]))
})
