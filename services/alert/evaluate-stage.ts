import { formatSource, SOURCE_HEADER } from '#runtime/checkpoint.ts'
import type { Logger } from '#runtime/log.ts'
import type { Chunk, ChunkControl, Stage } from '#runtime/record-loop.ts'
import type { KafkaRecord, NewRecord, RecordWriter } from '#runtime/records.ts'
import { BatchError } from '#schemas/codec.ts'
import type { Alert } from '#schemas/items.ts'
import { alerts } from '#schemas/topics.ts'
import { WireError } from '#schemas/wire.ts'
import { Evaluator, type EvaluatorOptions } from './evaluator.ts'
import { parseProgress, PROGRESS_HEADER } from './progress.ts'
import type { RuleSet } from './rule.ts'
import { parseSilence, SILENCE_HEADER } from './silence.ts'
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
  /** Offset that its state stands at: records before it are in. */
  readonly at: bigint
}

/**
 * The second stage over Kafka: records of span.aggregates in, changes of alerts out, each with the
 * place of the record that made it, so that a second pass over the same records writes none twice.
 * Then the state is written, then the loop commits: a crash in between repeats, and forgets nothing.
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
      shards.set(partition, await restoreShard(options, rules, partition))
    },
    async handle(chunk, control) {
      const shard = shards.get(chunk.partition)
      if (shard === undefined) throw new Error(`partition ${chunk.partition} was not taken up`)
      const records = chunk.records.filter(({ offset }) => offset >= shard.at)
      if (records.length === 0) return
      const made = records.flatMap((record) => evaluateRecord(options, shard, chunk, record))
      await writeOut(options, shard, { chunk, made, control })
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
): Promise<Shard> {
  const startedMs = performance.now()
  const evaluator = new Evaluator({ ...settings, rules })
  const restored = await stateLog.read(partition)
  if (restored !== undefined) evaluator.restore(restored.stored)
  const tookMs = Math.round(performance.now() - startedMs)
  const { pieces = 0, at = 0n } = restored ?? {}
  logger.info({ partition, pieces, at: String(at), tookMs }, 'Took up the state of alerts.')
  return { evaluator, at }
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
    if (!(error instanceof BatchError) && !(error instanceof WireError)) throw error
    onRejected()
    return []
  }
}

async function writeOut(
  { writer, stateLog }: EvaluateStageOptions,
  { evaluator }: Shard,
  work: { chunk: Chunk; made: readonly NewRecord[]; control: ChunkControl },
): Promise<void> {
  const { chunk, made, control } = work
  if (made.length > 0) await control.untilDone(() => writer.write(alerts.name, made))
  const changes = evaluator.changes()
  const { partition, last } = chunk
  await control.untilDone(() => stateLog.write(partition, changes, last + 1n))
}
