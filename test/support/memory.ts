import type { ChunkControl } from '../../services/runtime/record-loop.ts'
import type { KafkaRecord, NewRecord, RecordWriter } from '../../services/runtime/records.ts'

/** A record as a consumer reads it. */
export const record = (
  offset: number,
  value: Buffer | string,
  rest: Partial<KafkaRecord> = {},
): KafkaRecord => ({
  offset: BigInt(offset),
  timeMs: 1_767_323_046_000 + offset,
  value: Buffer.from(value),
  headers: {},
  ...rest,
})

export interface MemoryWriter extends RecordWriter {
  /** Every write that succeeded, in order. */
  readonly writes: { readonly topic: string; readonly records: readonly NewRecord[] }[]
}

/** A RecordWriter that keeps what it is given; `before` may throw to refuse a write. */
export function memoryWriter(
  before: (topic: string) => void | Promise<void> = () => {},
): MemoryWriter {
  const writes: MemoryWriter['writes'] = []
  return {
    writes,
    async write(topic, records) {
      await before(topic)
      writes.push({ topic, records })
    },
  }
}

/** A ChunkControl that notes what is asked of it, and tries each task `tries` times. */
export function memoryControl(log: string[], tries = 1): ChunkControl {
  return {
    checkpoint: () => '',
    async clearPending() {
      log.push('clearPending')
    },
    async markPending() {
      log.push('markPending')
    },
    async untilDone(task) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await task()
        } catch (error) {
          if (attempt >= tries) throw error
        }
      }
    },
  }
}
