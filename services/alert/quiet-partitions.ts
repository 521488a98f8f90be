import type { Kafka } from '#runtime/kafka.ts'
import type { RecordWriter } from '#runtime/records.ts'
import type { Reader } from '#schemas/readers.ts'
import { spanAggregates } from '#schemas/topics.ts'
import { recordsWithoutDeltas } from './partition-deltas.ts'
import { formatProgress, PROGRESS_HEADER } from './progress.ts'
import type { Source } from './series.ts'

export interface QuietPartitionsOptions {
  readonly source: Source
  /** Who reads the topic here, and who must have read all before, in the order of the flow. */
  readonly reader: Reader
  readonly upstream: readonly Reader[]
  readonly sourcePartitions: number
  readonly partitions: number
  readonly idleMs: number
  readonly kafka: Kafka
  readonly writer: RecordWriter
  readonly now: () => number
}

/**
 * Tells evaluators of the partitions of one topic that have nothing to say, so that time goes on
 * without them. Only a partition of this worker from which nothing came for a while counts, and only
 * when everything upstream was read: what is merely late is not quiet.
 */
export class QuietPartitions {
  readonly #options: QuietPartitionsOptions
  readonly #readMs = new Map<number, number>()

  constructor(options: QuietPartitionsOptions) {
    this.#options = options
  }

  onAssigned(partitions: readonly number[]): void {
    for (const partition of this.#readMs.keys()) {
      if (!partitions.includes(partition)) this.#readMs.delete(partition)
    }
    const nowMs = this.#options.now()
    for (const partition of partitions) {
      if (!this.#readMs.has(partition)) this.#readMs.set(partition, nowMs)
    }
  }

  onRead(partition: number): void {
    this.#readMs.set(partition, this.#options.now())
  }

  /** Looks once, and tells of what is quiet. */
  async tell(): Promise<void> {
    const { kafka, reader, upstream, idleMs, now, writer } = this.#options
    const nowMs = now()
    const still = [...this.#readMs].filter(([, readMs]) => nowMs - readMs >= idleMs)
    if (still.length === 0) return
    for (const { group, topic } of upstream) if ((await kafka.lag(group, topic)) > 0n) return
    const lags = await kafka.lags(reader.group, reader.topic)
    const quiet = still.filter(
      ([partition, readMs]) => lags.get(partition) === 0n && this.#readMs.get(partition) === readMs,
    )
    if (quiet.length === 0) return
    await writer.write(
      spanAggregates.name,
      quiet.flatMap(([partition]) => this.#records(partition, nowMs)),
    )
  }

  #records(partition: number, quietMs: number) {
    const { source, partitions, sourcePartitions } = this.#options
    const progress = formatProgress({
      source,
      partition,
      partitions: sourcePartitions,
      eventMs: undefined,
      quietMs,
    })
    return recordsWithoutDeltas(partitions, { [PROGRESS_HEADER]: progress })
  }
}
