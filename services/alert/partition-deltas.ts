import type { NewRecord } from '#runtime/records.ts'
import { encodeDeltas } from './delta-batch.ts'
import { keyOf, partitionOfKey } from './delta-partition.ts'
import type { Delta, SeriesSpec } from './series.ts'

/** Deltas of one record. */
const MAX_DELTAS = 5_000

/** Batches for one partition of span.aggregates, at least one. */
export interface PartitionBatches {
  readonly partition: number
  readonly batches: readonly Buffer[]
}

/** Deltas as batches for every partition, each group's where its evaluator is. */
export function splitDeltas(
  deltas: readonly Delta[],
  series: readonly SeriesSpec[],
  partitions: number,
): readonly PartitionBatches[] {
  const specs = new Map(series.map((spec) => [spec.id, spec]))
  const targets: Delta[][] = Array.from({ length: partitions }, () => [])
  for (const delta of deltas) {
    const spec = specs.get(delta.series)
    if (spec === undefined) throw new Error(`a delta of the unknown series ${delta.series}`)
    targets[partitionOfKey(keyOf(spec, delta.group), partitions)]?.push(delta)
  }
  return targets.map((own, partition) => ({ partition, batches: toBatches(own) }))
}

/** A record without deltas for every partition: its headers are what evaluators must know. */
export function recordsWithoutDeltas(
  partitions: number,
  headers: Readonly<Record<string, string>>,
): readonly NewRecord[] {
  const value = encodeDeltas([])
  return Array.from({ length: partitions }, (_, partition) => ({
    partition,
    key: null,
    value,
    headers,
  }))
}

function toBatches(deltas: readonly Delta[]): readonly Buffer[] {
  const batches: Buffer[] = []
  for (let from = 0; from === 0 || from < deltas.length; from += MAX_DELTAS) {
    batches.push(encodeDeltas(deltas.slice(from, from + MAX_DELTAS)))
  }
  return batches
}
