import { randomUUID } from 'node:crypto'
import { afterAll, expect, inject, test, vi } from 'vitest'
import { connectKafka } from '#runtime/kafka.ts'
import { createLogger } from '#runtime/log.ts'
import { openRecordStore } from '#runtime/record-store.ts'
import type { BatchControl, RecordBatch } from '#runtime/records.ts'

const PARTITIONS = 3
const ROUNDS = 50

const config = {
  brokers: inject('brokers'),
  topicPrefix: `kafka-${randomUUID()}-`,
  sessionTimeoutMs: 10_000,
}
const logger = createLogger('test', 'silent')
const kafka = connectKafka(config, 'kafka-test', logger)

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

const SIX_RECORDS = Array.from({ length: 6 }, (_, index) => ({
  partition: 0,
  key: null,
  value: Buffer.from(String(index)),
  headers: {},
}))

/** Reads a topic of one partition until `onBatch` says that it has seen enough. */
async function readUntil(
  topic: string,
  onBatch: (batch: RecordBatch, control: BatchControl) => Promise<boolean>,
): Promise<void> {
  const done = Promise.withResolvers<void>()
  const consumer = await kafka.consume({
    group: 'reader',
    topic,
    minBytes: 1,
    maxWaitMs: 100,
    maxBytesPerPartition: 1_000_000,
    onAssigned: () => undefined,
    onFatal: done.reject,
    async onBatch(batch, control) {
      if (await onBatch(batch, control)) done.resolve()
    },
  })
  try {
    await done.promise
  } finally {
    await consumer.stop()
  }
}

test('A reader that goes back to what is deleted goes on behind it, and its commit stays', async () => {
  const topic = 'deleted'
  await kafka.ensureTopics([{ topic, partitions: 1, replicationFactor: 1, config: {} }])
  const writer = await kafka.openWriter()
  const write = () => writer.write(topic, SIX_RECORDS)
  await vi.waitFor(write, { timeout: 30_000 })
  await readUntil(topic, async (_, control) => {
    await control.commit({ offset: 4n, metadata: 'kept' })
    return true
  })
  const store = await openRecordStore(config, 'kafka-test', logger)
  await store.deleteBefore(topic, new Map([[0, 3n]]))
  await store.close()
  const firsts: (bigint | undefined)[] = []
  let committed: unknown
  await readUntil(topic, async ({ records }, control) => {
    firsts.push(records[0]?.offset)
    if (firsts.length === 1) control.seek(1n)
    committed = await control.committed()
    return firsts.length === 2
  })
  await writer.close()
  expect(firsts).toEqual([4n, 3n])
  expect(committed).toEqual({ offset: 4n, metadata: 'kept' })
})

test('A reader whose commit lies beyond the end of a log that was cut reads nothing of it', async () => {
  const topic = 'cut'
  await kafka.ensureTopics([{ topic, partitions: 1, replicationFactor: 1, config: {} }])
  const writer = await kafka.openWriter()
  await vi.waitFor(() => writer.write(topic, SIX_RECORDS), { timeout: 30_000 })
  await readUntil(topic, async (_, control) => {
    await control.commit({ offset: 9n, metadata: 'kept' })
    return true
  })
  await writer.write(topic, SIX_RECORDS.slice(0, 1))
  const told: unknown[] = []
  await readUntil(topic, async (_, control) => {
    await control.committed().catch((error: unknown) => told.push(error))
    return true
  })
  await writer.close()
  expect(String(told[0])).toMatch(/has read .*cut\/0 up to 9, and it ends at 7: Kafka has lost/)
})
