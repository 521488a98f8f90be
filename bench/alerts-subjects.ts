import { readers } from '#schemas/readers.ts'
import { enrichedSpans, spanAggregates } from '#schemas/topics.ts'
import type { SeriesSpec } from '../services/alert/series.ts'
import { type BenchProcess, startWorker } from './alerts-process.ts'
import type { AlertRound } from './alerts-round.ts'
import {
  type Guarantee,
  startStreams,
  streamsGroupsTopic,
  streamsId,
  type Streams,
} from './alerts-streams.ts'
import { parseStreamsTotals, readAggregateTotals, type Totals } from './alerts-totals.ts'

/** Who counts spans: the alert worker, or Kafka Streams with one of its guarantees. */
export interface Subject {
  readonly name: string
  start(run: SubjectRun): Promise<Counting>
}

/** Where a subject counts: the topics of a round, and a folder for its logs. */
interface SubjectRun {
  readonly round: AlertRound
  readonly logDir: string
  readonly signal: AbortSignal
}

/** A subject at work. */
export interface Counting {
  readonly process: BenchProcess
  /** Records that it has still to read, of what it was given and then of what it made of that. */
  lag(): Promise<bigint>
  /** What it has counted; asked for once it has nothing to read. */
  totals(): Promise<Totals>
}

/** The worker of this project, which counts, evaluates its rules and keeps their state. */
export function alertWorker(series: readonly SeriesSpec[]): Subject {
  const ids = new Set(series.map(({ id }) => id))
  return {
    name: 'Spanmeter',
    async start({ round, logDir, signal }) {
      const { kafka, env } = round
      const worker = await startWorker({ name: 'alert', env, logDir, signal })
      const { aggregateSpans, evaluate } = readers
      return {
        process: worker,
        // What was read of the first is written to the second before that is committed.
        async lag() {
          const first = await kafka.lag(aggregateSpans.group, aggregateSpans.topic)
          return first + (await kafka.lag(evaluate.group, spanAggregates.name))
        },
        totals: () => readAggregateTotals(kafka, ids),
      }
    },
  }
}

/** Kafka Streams, which counts the series that stand in a file. */
export function kafkaStreams(streams: Streams, guarantee: Guarantee, seriesFile: string): Subject {
  return {
    name: `Kafka Streams, ${guarantee}`,
    async start({ round, logDir, signal }) {
      const { kafka } = round
      const counting = await startStreams({
        streams,
        round,
        guarantee,
        topic: enrichedSpans.name,
        seriesFile,
        isPerSpan: false,
        logDir,
        signal,
      })
      return {
        process: counting,
        async lag() {
          const first = await kafka.lag(streamsId(guarantee), enrichedSpans.name)
          return first + (await kafka.lag(streamsId(guarantee), streamsGroupsTopic(guarantee)))
        },
        totals: async () => parseStreamsTotals(await counting.ask('totals')),
      }
    },
  }
}
