import { ClickHouseError } from '#runtime/clickhouse-error.ts'
import { deadLetterRecord } from '#runtime/dead-letters.ts'
import type { Chunk, ChunkControl, Stage } from '#runtime/record-loop.ts'
import { type KafkaRecord, type RecordWriter, TransientError } from '#runtime/records.ts'
import { BatchError, type Codec } from '#schemas/codec.ts'
import { deadLetters } from '#schemas/topics.ts'
import { WireError } from '#schemas/wire.ts'
import { containerFile } from '#runtime/container-file.ts'

/**
 * Inserts an Avro container file; of inserts with one token only the first has an effect. The partition
 * that the records lie in decides the shard, so that a repeat finds the token of the first.
 */
export type InsertAvro = (insert: {
  table: string
  file: readonly Buffer[]
  token: string
  partition: number
}) => Promise<void>

export interface SinkStageOptions<T> {
  readonly worker: string
  readonly codec: Codec<T>
  readonly table: string
  /** Name of the consumer group and its cluster's prefix: part of the deduplication token. */
  readonly scope: string
  readonly insert: InsertAvro
  readonly writer: RecordWriter
  readonly deadLetterPartitions: number
  readonly maxChunkBytes: number
  readonly onRejected: (reason: string) => void
}

/**
 * The stage that lands batches in ClickHouse, exactly once: the run of offsets is noted as pending
 * before the insert, and named in the insert's deduplication token, so that an insert that is
 * repeated after a crash is the same one, and ClickHouse drops it.
 */
export function createSinkStage<T>(options: SinkStageOptions<T>): Stage {
  return {
    maxChunkBytes: options.maxChunkBytes,
    async handle(chunk, control) {
      if (chunk.records.length === 0) return
      await control.markPending()
      const landed = await insertRun(options, chunk, chunk.records, control)
      if (!landed) await insertOneByOne(options, chunk, control)
    },
  }
}

/** Inserts records as one block; false where ClickHouse, or the framing, finds their bytes wrong. */
async function insertRun<T>(
  { codec, table, scope, insert }: SinkStageOptions<T>,
  { topic, partition }: Chunk,
  records: readonly KafkaRecord[],
  control: ChunkControl,
): Promise<boolean> {
  const token = tokenOf(`${scope}/${topic}/${partition}`, records)
  try {
    const file = containerFile(
      codec,
      records.map(({ value }) => value),
    )
    await control.untilDone(() => insert({ table, file, token, partition }).catch(rethrow))
    return true
  } catch (error) {
    if (isBadData(error)) return false
    throw error
  }
}

/**
 * Names a run of records for good. The time of the first one, given by the broker, tells it from a
 * run of the same offsets in a topic of the same name that was deleted and made again.
 */
function tokenOf(place: string, records: readonly KafkaRecord[]): string {
  const [first] = records
  return `${place}/${first?.offset}/${records.at(-1)?.offset}/${first?.timeMs}`
}

/** One bad record spoils the insert of a run: each goes alone then, and the bad ones become dead letters. */
async function insertOneByOne<T>(
  options: SinkStageOptions<T>,
  chunk: Chunk,
  control: ChunkControl,
): Promise<void> {
  for (const record of chunk.records) {
    if (await insertRun(options, chunk, [record], control)) continue
    options.onRejected('invalid_batch')
    const detail = `ClickHouse could not read it into ${options.table}`
    const rejected = {
      index: -1,
      reason: 'invalid_batch',
      detail,
      format: 'avro',
      payload: record.value,
      tenant: '',
    }
    const { worker, deadLetterPartitions: partitions } = options
    const letter = deadLetterRecord({ worker, partitions }, chunk, record, [rejected])
    await control.untilDone(() => options.writer.write(deadLetters.name, [letter]))
  }
}

function rethrow(error: unknown): never {
  if (error instanceof ClickHouseError && error.transient) {
    throw new TransientError(error.message, { cause: error })
  }
  throw error
}

function isBadData(error: unknown): boolean {
  return (
    error instanceof BatchError ||
    error instanceof WireError ||
    (error instanceof ClickHouseError && !error.transient)
  )
}
