import { decodeCheckpoint } from '#runtime/checkpoint.ts'
import type { RecordStore } from '#runtime/record-store.ts'
import { type Reader, readers } from '#schemas/readers.ts'
import { RebuildError } from './rebuild-error.ts'

/** Groups in which sink lands what days are made of. */
const LANDING: readonly Reader[] = [
  readers.sink,
  readers.sinkPriceCorrections,
  readers.sinkEvaluations,
]

/** Where each group stands: first offset that has not landed, by topic and partition. */
export type Landed = ReadonlyMap<string, ReadonlyMap<number, bigint>>

/**
 * Throws RebuildError unless sink is stopped with nothing half done: what it lands meanwhile would be
 * lost, and what it would land again would count twice. Gives how far it has come.
 */
export async function requireSinkAtRest(
  store: Pick<RecordStore, 'hasMembers' | 'ranges' | 'commits'>,
): Promise<Landed> {
  const landed = new Map<string, ReadonlyMap<number, bigint>>()
  for (const { group, topic } of LANDING) {
    if (await store.hasMembers(group)) {
      throw new RebuildError(
        `sink runs (the consumer group ${group} has members): what it lands meanwhile would be lost. ` +
          'Stop every copy of it and run this again; what comes in waits in Kafka.',
      )
    }
    const partitions = [...(await store.ranges(topic)).keys()]
    const commits = await store.commits(group, topic, partitions)
    const offsets = new Map<number, bigint>()
    for (const [partition, committed] of commits) {
      if (committed === undefined) continue
      if (decodeCheckpoint(committed.metadata).pendingTo !== undefined) {
        throw new RebuildError(
          `sink was ended in the middle of an insert (${topic}/${partition} at ${committed.offset}). ` +
            'Start it, so that it completes the insert, stop it with SIGTERM, and run this again.',
        )
      }
      offsets.set(partition, committed.offset)
    }
    landed.set(topic, offsets)
  }
  return landed
}

/** Throws RebuildError unless sink is where it was: what it has landed since would be lost. */
export async function requireSameRest(
  store: Parameters<typeof requireSinkAtRest>[0],
  before: Landed,
): Promise<void> {
  const now = await requireSinkAtRest(store)
  const isSame = [...before].every(([topic, offsets]) =>
    [...(now.get(topic) ?? [])].every(([partition, offset]) => offsets.get(partition) === offset),
  )
  if (isSame) return
  throw new RebuildError('sink has run meanwhile. Nothing was changed: stop it and run this again.')
}
