import { deadLetters } from '#schemas/topics.ts'
import { deadLetterRecord, recordFrom, type Rejected } from './dead-letters.ts'
import type { ChunkControl, Stage } from './record-loop.ts'
import type { KafkaRecord, NewRecord, RecordWriter } from './records.ts'

/** What a record becomes: batches for the output topics, and what of it could not be read. */
export interface Outcome {
  readonly values: readonly Buffer[]
  /** Batches for the second output topic, of a stage that has one. */
  readonly secondValues?: readonly Buffer[]
  readonly rejected: readonly Rejected[]
}

/** Turns one record into others. Pure; bad bytes are rejected, and whatever it throws is a bug. */
export type Transform = (record: KafkaRecord) => Outcome

/** A topic that a stage writes to. */
interface Output {
  readonly topic: string
  readonly partitions: number
}

export interface TransformStageOptions {
  readonly worker: string
  readonly writer: RecordWriter
  readonly transform: Transform
  readonly output: Output
  /** Where `secondValues` go, for a transform that makes some. */
  readonly secondOutput?: Output
  readonly deadLetterPartitions: number
  readonly maxChunkBytes: number
  readonly onRejected: (reason: string) => void
}

/** One write holds no more than this, unless a single record does. */
const MAX_WRITE_BYTES = 1024 * 1024
const NONE: readonly Buffer[] = []

/**
 * The stage of a worker that turns records into records: to the partition with the input's number,
 * in order, each with the input's position in a header.
 */
export function createTransformStage(options: TransformStageOptions): Stage {
  const { worker, transform, output, secondOutput, deadLetterPartitions, onRejected } = options
  return {
    maxChunkBytes: options.maxChunkBytes,
    async handle(chunk, control) {
      const good: NewRecord[] = []
      const second: NewRecord[] = []
      const bad: NewRecord[] = []
      for (const record of chunk.records) {
        const { values, secondValues = NONE, rejected } = transform(record)
        for (const [part, value] of values.entries()) {
          good.push(recordFrom(chunk, record, { partitions: output.partitions, value, part }))
        }
        for (const [part, value] of secondValues.entries()) {
          const { partitions } = requireOutput(secondOutput)
          second.push(recordFrom(chunk, record, { partitions, value, part }))
        }
        if (rejected.length === 0) continue
        const letters = { worker, partitions: deadLetterPartitions }
        bad.push(deadLetterRecord(letters, chunk, record, rejected))
        for (const { reason } of rejected) onRejected(reason)
      }
      await writeAll(options.writer, output.topic, good, control)
      if (second.length > 0) {
        await writeAll(options.writer, requireOutput(secondOutput).topic, second, control)
      }
      await writeAll(options.writer, deadLetters.name, bad, control)
    },
  }
}

function requireOutput(output: Output | undefined): Output {
  if (output === undefined) throw new Error('the stage has no second output topic')
  return output
}

async function writeAll(
  writer: RecordWriter,
  topic: string,
  records: readonly NewRecord[],
  control: ChunkControl,
): Promise<void> {
  let from = 0
  while (from < records.length) {
    let to = from
    let bytes = 0
    do bytes += records[to++]?.value.length ?? 0
    while (to < records.length && bytes + (records[to]?.value.length ?? 0) <= MAX_WRITE_BYTES)
    const slice = records.slice(from, to)
    await control.untilDone(() => writer.write(topic, slice))
    from = to
  }
}
