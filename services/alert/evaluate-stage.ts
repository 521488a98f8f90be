import { formatSource, SOURCE_HEADER } from '#runtime/checkpoint.ts'
import type { Logger } from '#runtime/log.ts'
import type { Chunk, ChunkControl, Stage } from '#runtime/record-loop.ts'
import type { Committed, KafkaRecord, NewRecord, RecordWriter } from '#runtime/records.ts'
import { BatchError } from '#schemas/codec.ts'
import type { Alert } from '#schemas/items.ts'
import { alerts } from '#schemas/topics.ts'
import { WireError } from '#schemas/wire.ts'
import { Evaluator, type EvaluatorOptions } from './evaluator.ts'
import { parseProgress, PROGRESS_HEADER } from './progress.ts'
import type { RuleSet } from './rule.ts'
import { parseSilence, SILENCE_HEADER, SilenceError } from './silence.ts'
import type { StateLog } from './state-log.ts'

export interface EvaluateStageOptions {
  readonly evaluator: Omit<EvaluatorOptions, 'rules'>
  readonly stateLog: StateLog
  readonly writer: RecordWriter
  readonly alertPartitions: number
  readonly maxChunkBytes: number
  readonly logger: Logger
  readonly onRejected: () => void
  readonly onAlerts: (made: readonly Alert[]) => void
}

/** The stage, and a look at the evaluators of the partitions that this worker has. */
export interface EvaluateStage extends Stage {
  configure(rules: RuleSet): void
  evaluators(): Iterable<Evaluator>
}

interface Shard {
  readonly evaluator: Evaluator
  /** When its state was written last, by a clock that only goes forward. */
  writtenMs: number
}

/** State is written this often, or when so many groups changed; what came since is read again after a crash. */
const WRITE_EVERY_MS = 5_000
const MAX_CHANGED = 10_000

/**
 * The second stage over Kafka: records of span.aggregates in, changes of alerts out, each with the
 * place of the record that made it. Now and then the state is written, with the offset that it stands
 * at. After a crash all records from there on are taken in again: they make the same changes, which
 * readers know by their places.
 */
export function createEvaluateStage(options: EvaluateStageOptions, first: RuleSet): EvaluateStage {
  const shards = new Map<number, Shard>()
  let rules = first
  return {
    maxChunkBytes: options.maxChunkBytes,
    onAssigned(partitions) {
      for (const partition of shards.keys()) {
        if (!partitions.includes(partition)) shards.delete(partition)
      }
    },
    async takeUp(partition) {
      const { shard, at } = await restoreShard(options, rules, partition)
      shards.set(partition, shard)
      return at
    },
    async handle(chunk, control) {
      const shard = shards.get(chunk.partition)
      if (shard === undefined) throw new Error(`partition ${chunk.partition} was not taken up`)
      const made = chunk.records.flatMap((record) => evaluateRecord(options, shard, chunk, record))
      if (made.length > 0) await control.untilDone(() => options.writer.write(alerts.name, made))
      await writeState(options, shard, chunk, control)
    },
    configure(changed) {
      rules = changed
      for (const { evaluator } of shards.values()) evaluator.configure(changed)
    },
    *evaluators() {
      for (const { evaluator } of shards.values()) yield evaluator
    },
  }
}

async function restoreShard(
  { stateLog, evaluator: settings, logger }: EvaluateStageOptions,
  rules: RuleSet,
  partition: number,
): Promise<{ readonly shard: Shard; readonly at: Committed | undefined }> {
  const startedMs = performance.now()
  const evaluator = new Evaluator({ ...settings, rules })
  const restored = await stateLog.read(partition)
  if (restored !== undefined) evaluator.restore(restored.stored)
  const tookMs = Math.round(performance.now() - startedMs)
  const { pieces = 0, at } = restored ?? {}
  logger.info({ partition, pieces, at: String(at?.offset), tookMs }, 'Took up the state of alerts.')
  // A state without an offset is none: the first run of records is written at once.
  const writtenMs = at === undefined ? Number.NEGATIVE_INFINITY : performance.now()
  return { shard: { evaluator, writtenMs }, at }
}

/** The alerts that one record makes, each as a record with its place. */
function evaluateRecord(
  { alertPartitions, onRejected, onAlerts }: EvaluateStageOptions,
  { evaluator }: Shard,
  { topic, partition }: Chunk,
  { offset, value, headers }: KafkaRecord,
): readonly NewRecord[] {
  try {
    const made = evaluator.apply({
      value,
      progress: parseProgress(headers[PROGRESS_HEADER] ?? ''),
      silence:
        headers[SILENCE_HEADER] === undefined ? undefined : parseSilence(headers[SILENCE_HEADER]),
    })
    onAlerts(made)
    return made.map((alert, part) => ({
      partition: partition % alertPartitions,
      key: null,
      value: alerts.codec.encode([alert]),
      headers: {
        [SOURCE_HEADER]: formatSource({ source: `${topic}/${partition}`, offset, part }),
      },
    }))
  } catch (error) {
    if (![BatchError, WireError, SilenceError].some((type) => error instanceof type)) throw error
    onRejected()
    return []
  }
}

async function writeState(
  { stateLog }: EvaluateStageOptions,
  shard: Shard,
  { partition, last }: Chunk,
  control: ChunkControl,
): Promise<void> {
  const { evaluator, writtenMs } = shard
  const isDue = performance.now() - writtenMs >= WRITE_EVERY_MS
  if (!isDue && evaluator.changed() < MAX_CHANGED) return
  // Fails if the partition is another's by now, whose state must not be written over.
  await control.markPending()
  const changes = evaluator.changes()
  const at = { offset: last + 1n, metadata: control.checkpoint() }
  await control.untilDone(() => stateLog.write(partition, changes, at))
  shard.writtenMs = performance.now()
}
