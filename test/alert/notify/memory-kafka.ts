import type { Kafka } from '../../../services/runtime/kafka.ts'
import type { LoopObserver } from '../../../services/runtime/record-loop.ts'
import {
  type Committed,
  type KafkaRecord,
  LostPartitionError,
  TransientError,
} from '../../../services/runtime/records.ts'

/** One partition of one topic, and the offsets that groups committed; outlives processes. */
export interface MemoryPartition {
  readonly records: KafkaRecord[]
  readonly committed: Map<string, Committed>
}

export interface MemoryKafka extends Kafka {
  /** By group: resolves when it has read all there is, rejects with what its process died of. */
  readonly ends: ReadonlyMap<string, Promise<void>>
  /** Groups that were to begin at the end. */
  readonly startedAtEnd: readonly string[]
}

const notAsked = () => Promise.reject(new Error('Nobody asks for this'))

/** What a process sees of Kafka; `onCommit` may throw before a commit has happened, or after. */
export function memoryKafka(
  { records, committed }: MemoryPartition,
  onCommit: (when: 'before' | 'after') => void = () => {},
): MemoryKafka {
  const ends = new Map<string, Promise<void>>()
  const startedAtEnd: string[] = []
  return {
    ends,
    startedAtEnd,
    name: (plain) => plain,
    ensureTopics: notAsked,
    partitions: async () => 1,
    lag: notAsked,
    lags: notAsked,
    openWriter: notAsked,
    readPartition: notAsked,
    close: async () => undefined,
    async startAtEnd(group) {
      startedAtEnd.push(group)
      if (committed.has(group)) return
      committed.set(group, { offset: BigInt(records.length), metadata: '' })
    },
    async consume({ group, onAssigned, onBatch, onFatal }) {
      const stopping = new AbortController()
      let at = committed.get(group)?.offset ?? 0n
      const control = {
        heartbeat: async () => undefined,
        commit: async (commit: Committed) => {
          onCommit('before')
          committed.set(group, commit)
          onCommit('after')
        },
        committed: async () => committed.get(group),
        seek: (offset: bigint) => {
          at = offset
        },
      }
      const readAll = async () => {
        while (!stopping.signal.aborted && at < BigInt(records.length)) {
          const batch = records.slice(Number(at))
          const nextOffset = BigInt(records.length)
          at = nextOffset
          try {
            await onBatch(
              { partition: 0, records: batch, nextOffset, highWatermark: nextOffset },
              control,
            )
          } catch (error) {
            if (!(error instanceof TransientError || error instanceof LostPartitionError))
              throw error
            at = committed.get(group)?.offset ?? 0n
          }
        }
      }
      onAssigned([0])
      const end = readAll()
      ends.set(group, end)
      end.catch(onFatal)
      return {
        async stop() {
          stopping.abort()
          await end.catch(() => undefined)
        },
      }
    },
  }
}

export const quietObserver: LoopObserver = { handled: () => undefined, retried: () => undefined }
