import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { alertDeliveries, alerts } from '../../../schemas/topics.ts'
import type { Channel } from '../../../services/alert/notify/channel.ts'
import { startNotifiers } from '../../../services/alert/notify/notifiers.ts'
import { createMetrics } from '../../../services/runtime/metrics.ts'
import type { KafkaRecord } from '../../../services/runtime/records.ts'
import { memoryWriter } from '../../support/memory.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { memoryKafka, type MemoryPartition } from './memory-kafka.ts'
import { alertOf, channelOf } from './samples.ts'

let receiver: Receiver
let dead: Receiver
beforeEach(async () => {
  receiver = await startReceiver()
  dead = await startReceiver({ answer: () => 'hang' })
})
afterEach(async () => {
  await receiver.stop()
  await dead.stop()
})

const recordOf = (offset: number): KafkaRecord => ({
  offset: BigInt(offset),
  timeMs: Date.now(),
  value: alerts.codec.encode([alertOf({ alert_id: `n${offset}` })]),
  headers: {},
})
const channel = (name: string, url: string): Channel => ({
  ...channelOf(`type: webhook\nurl: ${url}\nallow_private: true`),
  name,
})

/** Starts notifiers whose groups have read nothing, or nothing yet of what there is. */
async function start(partition: MemoryPartition, channels: readonly Channel[]) {
  const kafka = memoryKafka(partition)
  const writer = memoryWriter()
  const metrics = createMetrics('test')
  const fatal: Error[] = []
  const notifiers = await startNotifiers(
    {
      kafka,
      writer,
      deliveryPartitions: 1,
      logger: pino({ level: 'silent' }),
      metrics,
      onFatal: (error) => fatal.push(error),
    },
    channels,
  )
  const logged = () =>
    writer.writes.flatMap(({ topic, records }) =>
      records.flatMap(({ value, headers }) =>
        alertDeliveries.codec
          .decode(value)
          .map(({ outcome, alert_id: id }) => [topic, headers['source'], id, outcome]),
      ),
    )
  return { kafka, metrics, fatal, notifiers, logged }
}

describe('Notifiers', () => {
  test('begin with what comes from now on', async () => {
    const partition = { records: [recordOf(0), recordOf(1)], committed: new Map() }
    const run = await start(partition, [channel('a', receiver.url)])
    await run.kafka.ends.get('alert-notify-a')
    await run.notifiers.stop()
    expect(run.kafka.startedAtEnd).toEqual(['alert-notify-a'])
    expect(receiver.requests).toEqual([])
    partition.records.push(recordOf(2))
    const next = await start(partition, [channel('a', receiver.url)])
    await next.kafka.ends.get('alert-notify-a')
    await next.notifiers.stop()
    expect([...receiver.taken.keys()]).toEqual(['n2'])
    expect(next.logged()).toEqual([['alert-deliveries', 'a@alerts/0/2/0', 'n2', 'delivered']])
  })

  test('are not held up by a channel that does not answer, and stop in the middle of a try', async () => {
    const nothing = { offset: 0n, metadata: '' }
    const committed = new Map([
      ['alert-notify-dead', nothing],
      ['alert-notify-good', nothing],
    ])
    const partition = { records: [recordOf(0), recordOf(1)], committed }
    const channels = [channel('dead', dead.url), channel('good', receiver.url)]
    const run = await start(partition, channels)
    await run.kafka.ends.get('alert-notify-good')
    await expect.poll(() => dead.requests.length).toBe(1)
    await run.notifiers.stop()
    expect([...receiver.taken]).toEqual([
      ['n0', 1],
      ['n1', 1],
    ])
    expect(run.fatal).toEqual([])
    // The record under way stays pending, and comes again with the next start.
    expect(committed.get('alert-notify-dead')).toEqual({
      offset: 0n,
      metadata: '{"v":1,"s":{},"p":"0"}',
    })
    expect(run.logged().map(([, source]) => source)).toEqual([
      'good@alerts/0/0/0',
      'good@alerts/0/1/0',
    ])
  })

  test('count what became of alerts, by channel', async () => {
    const partition = {
      records: [recordOf(0), recordOf(1)],
      committed: new Map([['alert-notify-a', { offset: 0n, metadata: '' }]]),
    }
    receiver.replies.push({ status: 400 })
    const run = await start(partition, [channel('a', receiver.url)])
    await run.kafka.ends.get('alert-notify-a')
    await run.notifiers.stop()
    const text = await run.metrics.registry.metrics()
    expect(text).toMatch(
      /alert_deliveries_total\{channel="a",outcome="failed",service="test"\} 1\n/,
    )
    expect(text).toMatch(
      /alert_deliveries_total\{channel="a",outcome="delivered",service="test"\} 1\n/,
    )
    expect(text).toMatch(/alert_delivery_seconds_count\{service="test",channel="a"\} 1\n/)
    expect(text).toMatch(
      /alert_channel_lag_records\{channel="a",partition="0",service="test"\} 0\n/,
    )
  })
})
