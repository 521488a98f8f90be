import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka } from '#runtime/kafka.ts'
import { batchHeader } from '#schemas/codec.ts'
import {
  alertDeliveries,
  alerts,
  alertState,
  deadLetters,
  enrichedSpans,
  evaluations,
  observations,
  otlpSpans,
  priceCorrections,
  spanAggregates,
  spans,
} from '#schemas/topics.ts'

/** Writes records that nobody can read. */
export interface Poison {
  send(topic: string, number: number): Promise<void>
  /** What was written, by topic. */
  sent(): readonly { readonly topic: string; readonly value: Buffer }[]
  close(): Promise<void>
}

const CODECS = new Map<string, string>(
  [
    spans,
    enrichedSpans,
    deadLetters,
    priceCorrections,
    evaluations,
    spanAggregates,
    alerts,
    alertDeliveries,
    alertState,
    observations,
  ].map(({ name, codec }) => [name, codec.fingerprint]),
)
const FIELD_WITHOUT_END = Buffer.alloc(12, 0xff)
const TWO_ITEMS = Buffer.from([4])
const PAUSE_MS = 500
const PARTITIONS = 4

/** Topics that poison is put into: all that a worker reads. */
export const POISONED: readonly string[] = [otlpSpans.name, ...CODECS.keys()]

/** Poison of each number is different, and the same each time. */
export function poisonOf(topic: string, number: number): Buffer {
  const digest = createHash('sha512').update(`${topic} ${number}`).digest()
  const isRaw = number % 2 === 0
  const fingerprint = CODECS.get(topic)
  if (fingerprint === undefined) {
    const json = `{"resourceSpans": "${digest.toString('hex')}`
    return isRaw ? Buffer.concat([FIELD_WITHOUT_END, digest]) : Buffer.from(json)
  }
  return isRaw ? digest : Buffer.concat([batchHeader(fingerprint), TWO_ITEMS, digest])
}

/** Opens a writer of its own, straight to the broker. */
export async function openPoison(kafka: Kafka): Promise<Poison> {
  const sent: { topic: string; value: Buffer }[] = []
  const writer = await kafka.openWriter()
  return {
    async send(topic, number) {
      const value = poisonOf(topic, number)
      const key = topic === alertState.name ? Buffer.from(`poison ${number}`) : null
      sent.push({ topic, value })
      for (;;) {
        try {
          await writer.write(topic, [{ partition: number % PARTITIONS, key, value, headers: {} }])
          return
        } catch {
          await delay(PAUSE_MS)
        }
      }
    },
    sent: () => sent,
    close: () => writer.close(),
  }
}
