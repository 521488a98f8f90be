import { formatSource, SOURCE_HEADER } from '#runtime/checkpoint.ts'
import type { Chunk, Stage } from '#runtime/record-loop.ts'
import type { NewRecord, RecordWriter } from '#runtime/records.ts'
import { BatchError } from '#schemas/codec.ts'
import { spanAggregates } from '#schemas/topics.ts'
import { WireError } from '#schemas/wire.ts'
import type { Fold } from './fold.ts'
import { splitDeltas } from './partition-deltas.ts'
import { formatProgress, PROGRESS_HEADER } from './progress.ts'
import type { Source } from './series.ts'

export interface AggregateStageOptions {
  /** Folds records of the topic; asked for each run, as rules may be read again. */
  readonly fold: () => Fold
  /** Whose event time the topic's records carry; undefined where they only add to what was. */
  readonly timeOf: Source | undefined
  /** Partitions of the topic that is read. */
  readonly sourcePartitions: number
  /** Partitions of span.aggregates. */
  readonly partitions: number
  readonly writer: RecordWriter
  readonly maxChunkBytes: number
  readonly onRejected: () => void
  /** Told of the batches of a run that were counted, once what they add is written. */
  readonly onWritten: (partition: number, batches: readonly Buffer[]) => void
  /** Told when records of a partition were read, and of those that it has from now on. */
  readonly onRead: (partition: number) => void
  readonly onAssigned: (partitions: readonly number[]) => void
}

/**
 * The first stage: what a run of records adds to the buckets of all series, to every partition of
 * span.aggregates. The run is noted as pending before it is written, so that after a crash the very
 * same run is folded again, and readers drop what they have of it.
 */
export function createAggregateStage(options: AggregateStageOptions): Stage {
  return {
    maxChunkBytes: options.maxChunkBytes,
    onAssigned: options.onAssigned,
    async handle(chunk, control) {
      options.onRead(chunk.partition)
      if (chunk.records.length === 0) return options.onWritten(chunk.partition, [])
      await control.markPending()
      const { records, folded } = foldRun(options, chunk)
      await control.untilDone(() => options.writer.write(spanAggregates.name, records))
      options.onWritten(chunk.partition, folded)
    },
  }
}

/** What a run adds, and the batches of it that could be read. */
interface FoldedRun {
  readonly records: readonly NewRecord[]
  readonly folded: readonly Buffer[]
}

function foldRun(options: AggregateStageOptions, chunk: Chunk): FoldedRun {
  const fold = options.fold()
  const folded: Buffer[] = []
  for (const { value } of chunk.records) {
    try {
      fold.add(value)
      folded.push(value)
    } catch (error) {
      // Whoever lands the topic in ClickHouse makes a dead letter of it.
      if (!(error instanceof BatchError) && !(error instanceof WireError)) throw error
      options.onRejected()
    }
  }
  const { deltas, maxEventMs } = fold.drain()
  const { timeOf, partitions, sourcePartitions } = options
  const progress: Readonly<Record<string, string>> =
    timeOf === undefined
      ? {}
      : {
          [PROGRESS_HEADER]: formatProgress({
            source: timeOf,
            partition: chunk.partition,
            partitions: sourcePartitions,
            eventMs: maxEventMs,
            quietMs: undefined,
          }),
        }
  const { topic, partition, last } = chunk
  const parts = splitDeltas(deltas, fold.series, partitions)
  const records = parts.flatMap(({ partition: target, batches }) =>
    batches.map((value, part) => {
      const source = formatSource({ source: `${topic}/${partition}`, offset: last, part })
      const isLast = part === batches.length - 1
      // Only behind all of the run is the run in.
      const headers = { [SOURCE_HEADER]: source, ...(isLast ? progress : {}) }
      return { partition: target, key: null, value, headers }
    }),
  )
  return { records, folded }
}
