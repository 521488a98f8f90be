import { formatSource, SOURCE_HEADER } from '#runtime/checkpoint.ts'
import type { NewRecord, RecordWriter } from '#runtime/records.ts'
import type { PriceCorrection } from '#schemas/items.ts'
import { priceCorrections } from '#schemas/topics.ts'

/** About 300 KB before compression. */
const MAX_BATCH = 500

export interface CorrectionWriterOptions {
  readonly writer: RecordWriter
  readonly partitions: number
  /** Time of the run, nanoseconds since the epoch: later than that of every run before. */
  readonly time: bigint
  readonly maxBatch?: number
}

/** Writes corrections to their topic in batches, one after the other. */
export interface CorrectionWriter {
  /** Adds corrections that land together or not at all. Resolves when there is room for more. */
  add(corrections: readonly PriceCorrection[]): Promise<void>
  /** Resolves when all that was added is in Kafka. */
  flush(): Promise<void>
}

/**
 * Numbers the records by the time of the run and their order within it, so that one that the producer
 * writes again, unsure whether the first try went through, is known for a repeat. The source's name
 * is the same for all runs: sink remembers the last position of each source for ever.
 */
export function createCorrectionWriter(options: CorrectionWriterOptions): CorrectionWriter {
  const { writer, partitions, time, maxBatch = MAX_BATCH } = options
  let batch: PriceCorrection[] = []
  let written = 0
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return
    const partition = written % partitions
    const source = { source: `reprice/${partition}`, offset: time, part: written }
    const record: NewRecord = {
      partition,
      key: null,
      value: priceCorrections.codec.encode(batch),
      headers: { [SOURCE_HEADER]: formatSource(source) },
    }
    await writer.write(priceCorrections.name, [record])
    written++
    batch = []
  }
  return {
    async add(corrections) {
      batch.push(...corrections)
      if (batch.length >= maxBatch) await flush()
    },
    flush,
  }
}
