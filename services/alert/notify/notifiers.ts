import { FETCH, REPEATS } from '#runtime/defaults.ts'
import type { Consumer, Kafka } from '#runtime/kafka.ts'
import type { Logger } from '#runtime/log.ts'
import type { Metrics } from '#runtime/metrics.ts'
import { type LoopObserver, runRecordLoop } from '#runtime/record-loop.ts'
import type { RecordWriter } from '#runtime/records.ts'
import { NOTIFY_GROUPS } from '#schemas/readers.ts'
import { alerts } from '#schemas/topics.ts'
import type { Channel } from './channel.ts'
import { createNotifyStage, type NotifyStageOptions } from './notify-stage.ts'

export interface NotifiersOptions {
  readonly kafka: Kafka
  readonly writer: RecordWriter
  readonly deliveryPartitions: number
  readonly logger: Logger
  readonly metrics: Metrics
  readonly onFatal: (error: Error) => void
}

/** Seconds from an alert's record to the end of its delivery. */
const LATENCY_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600]

/** Channels that are told, and can be others from now on. */
export interface Notifiers extends Consumer {
  /** Takes changed channels over; each goes on where it was. */
  reload(channels: readonly Channel[]): void
}

/**
 * Tells every channel of alerts, each in a consumer group of its own, so that one that does not
 * answer holds up no other. A new channel begins with what comes from now on.
 */
export async function startNotifiers(
  options: NotifiersOptions,
  first: readonly Channel[],
): Promise<Notifiers> {
  const observe = observeChannels(options.metrics)
  let channels = first
  let running = await runChannels(options, channels, observe)
  let reloaded = Promise.resolve()
  const change = async (next: readonly Channel[]) => {
    if (JSON.stringify(next) === JSON.stringify(channels)) return
    channels = next
    await running.stop()
    running = await runChannels(options, channels, observe)
  }
  const changeAfter = async (before: Promise<void>, next: readonly Channel[]) => {
    await before
    try {
      await change(next)
    } catch (error) {
      options.onFatal(error instanceof Error ? error : new Error(String(error)))
    }
  }
  return {
    reload(next) {
      reloaded = changeAfter(reloaded, next)
    },
    async stop() {
      await reloaded
      await running.stop()
    },
  }
}

async function runChannels(
  options: NotifiersOptions,
  channels: readonly Channel[],
  observe: ReturnType<typeof observeChannels>,
): Promise<Consumer> {
  const { kafka, deliveryPartitions, logger, onFatal } = options
  const stopping = new AbortController()
  const consumers: Consumer[] = []
  const stop = async () => {
    const stopped = consumers.map((consumer) => consumer.stop())
    // The loops know by now that what breaks off is no error.
    stopping.abort()
    await Promise.all(stopped)
  }
  try {
    for (const channel of channels) {
      const group = groupOf(channel)
      await kafka.startAtEnd(group, alerts.name)
      const { observer, ...hooks } = observe(channel)
      const stage = createNotifyStage({
        channel,
        writer: options.writer,
        deliveryPartitions,
        logger,
        signal: stopping.signal,
        ...hooks,
      })
      const loop = { group, topic: alerts.name, fetch: FETCH, repeats: REPEATS, stage, observer }
      consumers.push(await runRecordLoop({ kafka, logger, onFatal, ...loop }))
    }
  } catch (error) {
    await stop()
    throw error
  }
  return { stop }
}

/** The consumer group of a channel: a channel that is named otherwise begins anew. */
function groupOf({ name }: Channel): string {
  return NOTIFY_GROUPS + name
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
