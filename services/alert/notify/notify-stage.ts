import { setTimeout as delay } from 'node:timers/promises'
import { formatSource, SOURCE_HEADER } from '#runtime/checkpoint.ts'
import type { Logger } from '#runtime/log.ts'
import type { Chunk, ChunkControl, Stage } from '#runtime/record-loop.ts'
import type { KafkaRecord, NewRecord, RecordWriter } from '#runtime/records.ts'
import { toNanos } from '#runtime/time.ts'
import { BatchError } from '#schemas/codec.ts'
import type { Alert, AlertDelivery } from '#schemas/items.ts'
import { alertDeliveries, alerts } from '#schemas/topics.ts'
import type { Channel } from './channel.ts'
import { createSender } from './create-sender.ts'
import { type Clock, deliver, type Delivered } from './deliver.ts'
import { createExchange, type Exchange } from './http-exchange.ts'
import { isFor } from './route.ts'
import type { Sender } from './sender.ts'

export interface NotifyStageOptions {
  readonly channel: Channel
  readonly writer: RecordWriter
  readonly deliveryPartitions: number
  readonly logger: Logger
  /** Ends a try or a wait that is under way; the record comes again. */
  readonly signal: AbortSignal
  /** Told of each delivery that ended, in milliseconds since the alert's record. */
  readonly onDelivery: (outcome: AlertDelivery['outcome'], latencyMs: number) => void
  readonly onRetry: () => void
  readonly clock?: Clock
  readonly random?: () => number
  /** How requests are made; its own for tests. */
  readonly exchange?: Exchange
}

const systemClock: Clock = {
  now: Date.now,
  wait: async (ms, signal) => {
    await delay(ms, undefined, { signal })
  },
}

/**
 * The stage that tells one channel of alerts, one record at a time. Each change is told once: the
 * run is noted as pending before a try, and where a crash leaves it so, a receiver that knows
 * repeats is told again with the same key, one that can be asked is asked, and for the rest the
 * channel says what to do. What became of it goes to a topic, numbered by the record it came from.
 */
export function createNotifyStage(options: NotifyStageOptions): Stage {
  const { channel, logger, clock = systemClock } = options
  const exchange = options.exchange ?? createExchange(channel)
  const sender = () => createSender(channel, exchange)
  let teller = { ...options, clock, sender: sender() }
  return {
    maxChunkBytes: 1,
    // Another process may have told more of an incident than this one remembers.
    onAssigned() {
      teller = { ...teller, sender: sender() }
    },
    async handle(chunk, control) {
      for (const record of chunk.records) {
        const told = await tellAll(teller, chunk, record, control)
        if (told.length === 0) continue
        const log = deliveryRecord(options, chunk, record, told)
        await control.untilDone(() => options.writer.write(alertDeliveries.name, [log]))
        for (const delivery of told) {
          options.onDelivery(delivery.outcome, Number(delivery.latency_ms))
          if (delivery.outcome !== 'failed' && delivery.outcome !== 'refused') continue
          const { alert_id: alert, rule, state, attempts, status, detail } = delivery
          const line = { channel: channel.name, alert, rule, state, attempts, status, detail }
          logger.error(line, 'A notification was not delivered.')
        }
      }
    },
  }
}

interface Teller extends NotifyStageOptions {
  readonly clock: Clock
  readonly sender: Sender
}

/** Deals with the alerts of a record that concern the channel. */
async function tellAll(
  teller: Teller,
  chunk: Chunk,
  record: KafkaRecord,
  control: ChunkControl,
): Promise<readonly AlertDelivery[]> {
  const { channel, clock } = teller
  const ours = decode(teller, chunk, record).filter((alert) => concerns(channel, alert))
  const told: AlertDelivery[] = []
  for (const alert of ours) {
    const result = quietOutcome(teller, alert, record) ?? {
      ...(await deliver(alert, {
        ...teller,
        random: teller.random ?? Math.random,
        giveUpAfterMs: channel.giveUpAfterMs,
        control,
        recordMs: record.timeMs,
        mayHaveArrived: chunk.wasPending,
        isAlone: ours.length === 1,
        onRetry: (sent, waitMs) => {
          teller.onRetry()
          const line = { channel: channel.name, alert: alert.alert_id, waitMs, ...sent }
          teller.logger.warn(line, 'A notification was not taken. Trying again.')
        },
      })),
      dedupKey: teller.sender.dedupKey(alert),
    }
    told.push(toDelivery(channel, alert, result, { recordMs: record.timeMs, nowMs: clock.now() }))
  }
  return told
}

/** A record that nobody can read concerns nobody; the sink keeps it as a dead letter. */
function decode(
  { channel, logger }: Teller,
  { topic, partition }: Chunk,
  { offset, value }: KafkaRecord,
): readonly Alert[] {
  try {
    return alerts.codec.decode(value)
  } catch (error) {
    if (!(error instanceof BatchError)) throw error
    const place = { channel: channel.name, topic, partition, offset: String(offset) }
    logger.error({ ...place, err: error }, 'A record of alerts cannot be read.')
    return []
  }
}

/** Changes that people are told of, and those that they would be, were they not muted. */
function concerns(channel: Channel, alert: Alert): boolean {
  const { state, previous_state: previous, notify, muted_by: mutedBy } = alert
  if (state !== 'firing' && state !== 'resolved') return false
  return (notify || (mutedBy !== '' && state !== previous)) && isFor(channel.route, alert)
}

interface Outcome extends Omit<Delivered, 'outcome'> {
  readonly outcome: AlertDelivery['outcome']
  readonly dedupKey: string
}

/** How an alert ends that nobody is told of; undefined for one that is to be told. */
function quietOutcome(
  { channel, clock }: Teller,
  alert: Alert,
  { timeMs }: KafkaRecord,
): Outcome | undefined {
  const none = { attempts: 0, status: 0, dedupKey: '' }
  if (!alert.notify) return { ...none, outcome: 'muted', detail: alert.muted_by }
  if (clock.now() - timeMs <= channel.maxAgeMs) return undefined
  return { ...none, outcome: 'expired', detail: `older than ${channel.maxAgeMs} ms` }
}

function toDelivery(
  channel: Channel,
  alert: Alert,
  { outcome, attempts, status, detail, dedupKey }: Outcome,
  { recordMs, nowMs }: { recordMs: number; nowMs: number },
): AlertDelivery {
  return {
    alert_id: alert.alert_id,
    incident_id: alert.incident_id,
    rule: alert.rule,
    state: alert.state,
    channel: channel.name,
    channel_type: channel.type,
    dedup_key: dedupKey,
    outcome,
    attempts,
    status,
    detail,
    time_unix_nano: toNanos(nowMs),
    latency_ms: BigInt(Math.max(0, nowMs - recordMs)),
  }
}

/** Carries the position of the alerts' record, within the channel: readers drop it when it comes again. */
function deliveryRecord(
  { channel, deliveryPartitions }: NotifyStageOptions,
  { topic, partition }: Chunk,
  { offset }: KafkaRecord,
  told: readonly AlertDelivery[],
): NewRecord {
  const source = `${channel.name}@${topic}/${partition}`
  return {
    partition: partition % deliveryPartitions,
    key: null,
    value: alertDeliveries.codec.encode(told),
    headers: { [SOURCE_HEADER]: formatSource({ source, offset, part: 0 }) },
  }
}
