import { FETCH, REPEATS } from '#runtime/defaults.ts'
import type { Consumer, Kafka } from '#runtime/kafka.ts'
import type { Logger } from '#runtime/log.ts'
import type { Metrics } from '#runtime/metrics.ts'
import { type LoopObserver, runRecordLoop } from '#runtime/record-loop.ts'
import type { RecordWriter } from '#runtime/records.ts'
import { alerts } from '#schemas/topics.ts'
import type { Channel } from './channel.ts'
import { createNotifyStage, type NotifyStageOptions } from './notify-stage.ts'

export interface NotifiersOptions {
  readonly kafka: Kafka
  readonly writer: RecordWriter
  readonly channels: readonly Channel[]
  readonly deliveryPartitions: number
  readonly logger: Logger
  readonly metrics: Metrics
  readonly onFatal: (error: Error) => void
}

/** Seconds from an alert's record to the end of its delivery. */
const LATENCY_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600]

/**
 * Tells every channel of alerts, each in a consumer group of its own, so that one that does not
 * answer holds up no other. A new channel begins with what comes from now on.
 */
export async function startNotifiers(options: NotifiersOptions): Promise<Consumer> {
  const { kafka, channels, deliveryPartitions, logger, metrics, onFatal } = options
  const observe = observeChannels(metrics)
  const stopping = new AbortController()
  const consumers: Consumer[] = []
  const stop = async () => {
    const stopped = consumers.map((consumer) => consumer.stop())
    // The loops know by now that what breaks off is no error.
    stopping.abort()
    await Promise.all(stopped)
  }
  const startOne = async (channel: Channel) => {
    const group = groupOf(channel)
    await kafka.startAtEnd(group, alerts.name)
    const { observer, ...hooks } = observe(channel)
    const { signal } = stopping
    const { writer } = options
    const told = { channel, writer, deliveryPartitions, logger, signal, ...hooks }
    const stage = createNotifyStage(told)
    const loop = { group, topic: alerts.name, fetch: FETCH, repeats: REPEATS, stage, observer }
    consumers.push(await runRecordLoop({ kafka, logger, onFatal, ...loop }))
  }
  const started = await Promise.allSettled(channels.map(startOne))
  const failed = started.find((result) => result.status === 'rejected')
  if (failed !== undefined) {
    await stop()
    throw failed.reason
  }
  return { stop }
}

/** The consumer group of a channel: a channel that is named otherwise begins anew. */
function groupOf({ name }: Channel): string {
  return `alert-notify-${name}`
}

type Hooks = Pick<NotifyStageOptions, 'onDelivery' | 'onRetry'>

/** Makes the metrics of notifications; gives what counts them for a channel. */
function observeChannels(
  metrics: Metrics,
): (channel: Channel) => Hooks & { readonly observer: LoopObserver } {
  const deliveries = metrics.counter(
    'spanmeter_alert_deliveries_total',
    'Alerts that a channel was told of, or was not.',
    ['channel', 'outcome'],
  )
  const retries = metrics.counter(
    'spanmeter_alert_delivery_retries_total',
    'Tries to tell a channel again.',
    ['channel'],
  )
  const latency = metrics.histogram(
    'spanmeter_alert_delivery_seconds',
    'From the record of an alert to the end of its delivery.',
    ['channel'],
    LATENCY_BUCKETS,
  )
  const lag = metrics.gauge(
    'spanmeter_alert_channel_lag_records',
    'Records of alerts that a channel has still to be told of.',
    ['channel', 'partition'],
  )
  return ({ name: channel }) => ({
    onDelivery: (outcome, latencyMs) => {
      deliveries.inc({ channel, outcome })
      if (outcome === 'delivered') latency.observe({ channel }, latencyMs / 1_000)
    },
    onRetry: () => retries.inc({ channel }),
    observer: {
      handled: (partition, _records, _repeats, behind) =>
        lag.set({ channel, partition }, Number(behind)),
      retried: () => undefined,
    },
  })
}
