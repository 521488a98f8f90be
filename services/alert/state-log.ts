import type { Kafka } from '#runtime/kafka.ts'
import type { Committed, RecordWriter } from '#runtime/records.ts'
import { BatchError } from '#schemas/codec.ts'
import type { AlertState } from '#schemas/items.ts'
import { alertState } from '#schemas/topics.ts'
import { CORE, fromPieces, type StoredEvaluator, toPieces } from './state-pieces.ts'

/** State of one partition as it was last written, and the offset that it stands at. */
export interface RestoredState {
  readonly at: Committed
  readonly stored: StoredEvaluator
  readonly pieces: number
}

export interface StateLog {
  /** Reads a partition's state back; undefined where there is none. */
  read(partition: number): Promise<RestoredState | undefined>
  /** Writes changed pieces in one batch, which Kafka takes whole or not at all. */
  write(partition: number, changes: StoredEvaluator, at: Committed): Promise<void>
}

/**
 * The compacted topic alert.state. A worker that lost its partition without noticing may still write
 * once: what it writes stands at a lower offset than what is there, and is not read. Kafka keeps
 * what such a record replaces for some minutes (runtime/topics.ts).
 */
export function createStateLog(
  kafka: Kafka,
  writer: RecordWriter,
  onUnreadable: (partition: number, offset: bigint) => void = () => undefined,
): StateLog {
  return {
    async read(partition) {
      const latest = new Map<string, { at: bigint; payload: string }>()
      let pieces = 0
      await kafka.readPartition(alertState.name, partition, ({ offset, key, value }) => {
        pieces++
        if (value.length === 0) latest.delete(key)
        const read = value.length === 0 ? [] : decode(value)
        if (read === undefined) onUnreadable(partition, offset)
        for (const piece of read ?? []) {
          const before = latest.get(key)
          if (before === undefined || before.at <= piece.at) latest.set(key, piece)
        }
      })
      const core = latest.get(CORE)
      if (core === undefined) return undefined
      const payloads = new Map([...latest].map(([key, { payload }]) => [key, payload]))
      const { checkpoint: metadata, ...stored } = fromPieces(payloads)
      return { at: { offset: core.at, metadata }, stored, pieces }
    },
    async write(partition, changes, at) {
      const records = toPieces(changes, at).map((piece) => ({
        partition,
        key: Buffer.from(piece.key),
        value: piece.payload === '' ? Buffer.alloc(0) : alertState.codec.encode([piece]),
        headers: {},
      }))
      await writer.write(alertState.name, records)
    },
  }
}

/** Undefined for what is no batch: no evaluator wrote it, and Kafka may keep it for ever under its key. */
function decode(value: Buffer): readonly AlertState[] | undefined {
  try {
    return alertState.codec.decode(value)
  } catch (error) {
    if (error instanceof BatchError) return undefined
    throw error
  }
}
