import { setTimeout as delay } from 'node:timers/promises'
import type { RecordStore } from '#runtime/record-store.ts'
import { readers, type Reader } from '#schemas/readers.ts'

/** In the order of the flow: what one has read is there for the next. */
const FLOW: readonly Reader[] = [
  readers.ingest,
  readers.enrich,
  readers.sink,
  readers.sinkEvaluations,
  readers.sinkDeadLetters,
  readers.sinkPriceCorrections,
  readers.sinkAlerts,
  readers.sinkAlertDeliveries,
]
const POLL_MS = 200

/**
 * Waits until what lies in the topics now has come to ClickHouse, so that it is found there and does not
 * come after all was removed. Gives the groups that have not read it by the deadline.
 */
export async function drain(
  store: RecordStore,
  deadlineMs: number,
  now: () => number,
): Promise<readonly string[]> {
  const behind: string[] = []
  for (const { group, topic } of FLOW) {
    const ends = await store.ranges(topic)
    const wanted = [...ends].filter(([, { low, high }]) => high > low)
    for (;;) {
      const commits = await store.commits(group, topic, [...ends.keys()])
      if (wanted.every(([partition, { high }]) => (commits.get(partition)?.offset ?? 0n) >= high)) {
        break
      }
      if (now() > deadlineMs) {
        behind.push(group)
        break
      }
      await delay(POLL_MS)
    }
  }
  return behind
}
