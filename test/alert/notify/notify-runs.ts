import { pino } from 'pino'
import type { Alert, AlertDelivery } from '../../../schemas/items.ts'
import { alertDeliveries, alerts } from '../../../schemas/topics.ts'
import type { Channel } from '../../../services/alert/notify/channel.ts'
import type { Clock } from '../../../services/alert/notify/deliver.ts'
import type { Exchange } from '../../../services/alert/notify/http-exchange.ts'
import { createNotifyStage } from '../../../services/alert/notify/notify-stage.ts'
import { runRecordLoop } from '../../../services/runtime/record-loop.ts'
import type { KafkaRecord, NewRecord, RecordWriter } from '../../../services/runtime/records.ts'
import { memoryKafka, type MemoryPartition, quietObserver } from './memory-kafka.ts'
import { NOON_MS } from './samples.ts'

const GROUP = 'alert-notify-it'

/** Records of alerts, each as the evaluator writes it, a second apart from noon on. */
export function recordsOf(changes: readonly (readonly Alert[])[]): KafkaRecord[] {
  return changes.map((batch, i) => ({
    offset: BigInt(i),
    timeMs: NOON_MS + i * 1_000,
    value: alerts.codec.encode([...batch]),
    headers: { source: `span.aggregates/0/${i}/0` },
  }))
}

/** A clock that moves by waiting alone. */
export function fakeClock(startMs = NOON_MS + 60_000): Clock {
  let nowMs = startMs
  return {
    now: () => nowMs,
    wait: async (ms, signal) => {
      signal.throwIfAborted()
      nowMs += ms
    },
  }
}

/** What outlives a process that tells one channel: Kafka. */
export interface Outside {
  readonly partition: MemoryPartition
  readonly deliveries: NewRecord[]
}
export const outside = (records: KafkaRecord[]): Outside => ({
  partition: { records, committed: new Map() },
  deliveries: [],
})

export interface ProcessOptions {
  readonly channel: Channel
  readonly clock?: Clock
  /** Its own for tests; undefined for HTTP. */
  readonly exchange?: Exchange | undefined
  /** Called at each commit and write, before and after; may throw, and the process dies of it. */
  readonly onStep?: (step: 'commit' | 'write', when: 'before' | 'after') => void
  readonly log?: (line: string) => void
}

/** Runs a process until it has read all records; rejects with what it dies of. */
export async function runProcess(
  { partition, deliveries }: Outside,
  { channel, clock = fakeClock(), exchange, onStep = () => {}, log = () => {} }: ProcessOptions,
): Promise<void> {
  const kafka = memoryKafka(partition, (when) => onStep('commit', when))
  const logger = pino({ level: 'trace' }, { write: log })
  const writer: RecordWriter = {
    async write(_, records) {
      onStep('write', 'before')
      deliveries.push(...records)
      onStep('write', 'after')
    },
  }
  const stage = createNotifyStage({
    channel,
    writer,
    deliveryPartitions: 1,
    logger,
    signal: new AbortController().signal,
    onDelivery: () => undefined,
    onRetry: () => undefined,
    clock,
    ...(exchange === undefined ? {} : { exchange }),
  })
  const consumer = await runRecordLoop({
    kafka,
    group: GROUP,
    topic: alerts.name,
    stage,
    fetch: { minBytes: 1, maxWaitMs: 1, maxBytesPerPartition: 1 },
    repeats: { horizonMs: 1, maxRequests: 1 },
    observer: quietObserver,
    logger,
    onFatal: () => undefined,
  })
  try {
    await kafka.ends.get(GROUP)
  } finally {
    await consumer.stop()
  }
}

/** The deliveries as a reader sees them, who drops what it has seen of a source. */
export function readDeliveries({ deliveries }: Outside): readonly AlertDelivery[] {
  const seen = new Set<string>()
  return deliveries.flatMap(({ headers, value }) => {
    const source = headers['source'] ?? ''
    if (seen.has(source)) return []
    seen.add(source)
    return alertDeliveries.codec.decode(value)
  })
}
