import { MAX_CHUNK_BYTES } from '#runtime/defaults.ts'
import type { Metrics } from '#runtime/metrics.ts'
import { type LoopObserver, type LoopOptions, runRecordLoop } from '#runtime/record-loop.ts'
import type { RecordWriter } from '#runtime/records.ts'
import type { Running } from '#runtime/service.ts'
import { requirePartitions } from '#runtime/topics.ts'
import { type Reader, readers } from '#schemas/readers.ts'
import { createAggregateStage } from './aggregate-stage.ts'
import { createFold, type Fold, type FoldTopic } from './fold.ts'
import type { LlmMetrics } from './llm-metrics.ts'
import type { LlmRuns } from './llm-runs.ts'
import { QuietPartitions } from './quiet-partitions.ts'
import { repeatEvery } from './repeat-every.ts'
import type { RuleSet } from './rule.ts'
import type { Source } from './series.ts'

export interface AggregatorsOptions extends Pick<
  LoopOptions,
  'kafka' | 'fetch' | 'repeats' | 'logger' | 'onFatal'
> {
  readonly writer: RecordWriter
  /** Partitions of span.aggregates. */
  readonly partitions: number
  readonly idleMs: number
  readonly rules: () => RuleSet
  readonly observer: (topic: string) => LoopObserver
  readonly metrics: Metrics
  /** Counts the calls and scores that are read. */
  readonly llm: LlmMetrics
}

/** A topic that rules count from. */
interface Input {
  readonly reader: Reader
  readonly topic: FoldTopic
  /** Whose event time its records carry; undefined where they only add to what was. */
  readonly timeOf: Source | undefined
  /** Who must have read all before silence counts as quiet, in the order of the flow. */
  readonly upstream: readonly Reader[]
}

const INPUTS: readonly Input[] = [
  {
    reader: readers.aggregateSpans,
    topic: 'spans',
    timeOf: 'spans',
    upstream: [readers.ingest, readers.enrich],
  },
  {
    reader: readers.aggregateEvaluations,
    topic: 'evaluations',
    timeOf: 'evaluations',
    upstream: [readers.ingest, readers.enrich],
  },
  {
    reader: readers.aggregateCorrections,
    topic: 'corrections',
    timeOf: undefined,
    upstream: [],
  },
  {
    reader: readers.aggregateDeadLetters,
    topic: 'dead_letters',
    timeOf: 'dead_letters',
    upstream: [],
  },
]

const TELL_EVERY_MS = 1_000

/** Runs the first stage over each topic that rules count from. */
export async function startAggregators(options: AggregatorsOptions): Promise<Running> {
  const running = await Promise.all(INPUTS.map((input) => startAggregator(options, input)))
  return {
    async stop() {
      await Promise.all(running.map((aggregator) => aggregator.stop()))
    },
  }
}

async function startAggregator(options: AggregatorsOptions, input: Input): Promise<Running> {
  const { kafka, writer, partitions, idleMs, rules, observer, metrics, llm, ...loop } = options
  const { reader, topic, timeOf, upstream } = input
  const sourcePartitions = await requirePartitions(kafka, reader.topic)
  const quiet =
    timeOf === undefined
      ? undefined
      : new QuietPartitions({
          source: timeOf,
          reader,
          upstream,
          sourcePartitions,
          partitions,
          idleMs,
          kafka,
          writer,
          now: Date.now,
        })
  const runs = llm.runs(topic)
  const rejected = metrics.counter(
    `spanmeter_alert_rejected_${topic}_total`,
    'Records that hold no batch.',
    [],
  )
  const consumer = await runRecordLoop({
    ...loop,
    kafka,
    ...reader,
    observer: countCommitted(observer(reader.topic), runs),
    stage: createAggregateStage({
      fold: foldOf(input, rules),
      timeOf,
      sourcePartitions,
      partitions,
      writer,
      maxChunkBytes: MAX_CHUNK_BYTES,
      onRejected: () => rejected.inc(),
      onWritten: (partition, batches) => runs?.written(partition, batches),
      onRead: (partition) => quiet?.onRead(partition),
      onAssigned(assigned) {
        quiet?.onAssigned(assigned)
        runs?.assigned(assigned)
      },
    }),
  })
  const telling = repeatEvery(TELL_EVERY_MS, loop.logger, async () => quiet?.tell())
  return {
    async stop() {
      await telling.stop()
      await consumer.stop()
    },
  }
}

/** The loop tells of a run as it is committed. */
function countCommitted(observer: LoopObserver, runs: LlmRuns | undefined): LoopObserver {
  return {
    ...observer,
    handled(partition, ...counts) {
      observer.handled(partition, ...counts)
      runs?.committed(partition)
    },
  }
}

/** The fold for the rules that hold now; a new one only when they changed. */
function foldOf({ topic }: Input, rules: () => RuleSet): () => Fold {
  let known = rules()
  let fold = createFold(known.series, topic)
  return () => {
    if (rules() !== known) {
      known = rules()
      fold = createFold(known.series, topic)
    }
    return fold
  }
}
