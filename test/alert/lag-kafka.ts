import type { Kafka } from '../../services/runtime/kafka.ts'

const notAsked = () => Promise.reject(new Error('Nobody asks for this'))

/** What Kafka says of how far groups have read: records left by partition, by group. */
export function lagKafka(
  left: (group: string, topic: string) => ReadonlyMap<number, bigint>,
): Kafka {
  return {
    name: (plain) => plain,
    ensureTopics: notAsked,
    partitions: notAsked,
    lag: async (group, topic) => [...left(group, topic).values()].reduce((a, b) => a + b, 0n),
    lags: async (group, topic) => left(group, topic),
    startAtEnd: notAsked,
    openWriter: notAsked,
    readPartition: notAsked,
    consume: notAsked,
    close: async () => undefined,
  }
}
