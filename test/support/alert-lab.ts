import { formatSource, SOURCE_HEADER, type Checkpoint } from '../../services/runtime/checkpoint.ts'
import type { KafkaRecord } from '../../services/runtime/records.ts'
import { Repeats } from '../../services/runtime/repeats.ts'
import type { Alert } from '../../schemas/items.ts'
import { encodeDeltas } from '../../services/alert/delta-batch.ts'
import { Evaluator, type Input } from '../../services/alert/evaluator.ts'
import type { Row } from '../../services/alert/facts.ts'
import { createRowFold } from '../../services/alert/fold.ts'
import type { Progress } from '../../services/alert/progress.ts'
import type { RuleSet } from '../../services/alert/rule.ts'
import type { Source } from '../../services/alert/series.ts'

/** A record of plain values, and the source that it is of. */
export interface LabRecord extends Row {
  readonly source: Source
  /** Partition of the source that it comes from; 0 where none is named. */
  readonly partition?: number
}

/** A span that ended then, as alert rules see it. Values in units: pico-USD, nanoseconds. */
export function spanRow(
  eventMs: number,
  { texts = {}, values = {}, traceId = '' }: Partial<Omit<Row, 'eventMs'>> = {},
): LabRecord {
  return {
    source: 'spans',
    eventMs,
    traceId,
    texts: { kind: 'llm', model: 'gpt-4o', price_status: 'priced', ...texts },
    values: { duration: 1_000_000_000, skew: 0, ...values },
  }
}

/** A score that was given then. */
export function scoreRow(
  eventMs: number,
  score: number,
  texts: Readonly<Record<string, string>> = {},
): LabRecord {
  return {
    source: 'evaluations',
    eventMs,
    traceId: '',
    texts: { evaluator: 'judge', dimension: 'relevance', ...texts },
    values: { score: Math.round(score * 1e9) },
  }
}

const SOURCES: readonly Source[] = ['spans', 'evaluations', 'dead_letters', 'system']

/** A record of span.aggregates that says how far a partition of its source has come. */
export interface LabInput extends Input {
  readonly progress: Progress
}

/** A run of records as the first stage tells of it: a record for each partition of each source. */
export function inputsOf(
  { series }: RuleSet,
  records: readonly LabRecord[],
  partitions = 1,
): readonly LabInput[] {
  return SOURCES.flatMap((source) => {
    const own = records.filter((record) => record.source === source)
    return [...Map.groupBy(own, ({ partition = 0 }) => partition)].map(([partition, rows]) => {
      const fold = createRowFold(series, source)
      for (const row of rows) fold.addRow(row)
      const { deltas, maxEventMs: eventMs } = fold.drain()
      const progress = { source, partition, partitions, eventMs, quietMs: undefined }
      return { value: encodeDeltas(deltas), progress, silence: undefined }
    })
  })
}

/** What lets time come to `timeMs` for every partition of every source. */
export function reachInputs(
  { allowedLatenessMs }: RuleSet,
  timeMs: number,
  partitions = 1,
): readonly LabInput[] {
  const eventMs = timeMs + allowedLatenessMs
  return SOURCES.flatMap((source) =>
    Array.from({ length: partitions }, (_, partition) => ({
      value: encodeDeltas([]),
      progress: { source, partition, partitions, eventMs, quietMs: undefined },
      silence: undefined,
    })),
  )
}

/**
 * Both stages of alerts in memory, without Kafka: records go in, changes of alerts come out. Each run
 * of records is folded and handed to one evaluator as a record of span.aggregates would be, through
 * the very code that drops repeats.
 */
export class AlertLab {
  readonly evaluator: Evaluator
  readonly alerts: Alert[] = []
  readonly #rules: RuleSet
  readonly #partitions: number
  readonly #repeats = new Repeats({ horizonMs: 0, maxRequests: 0 }, {
    sources: new Map(),
  } satisfies Checkpoint)
  #offset = 0n

  /** Each source has so many partitions, and time goes on once all of them were heard of. */
  constructor(rules: RuleSet, partitions = 1) {
    this.#rules = rules
    this.#partitions = partitions
    this.evaluator = new Evaluator({ rules, idleMs: 0, grafanaUrl: 'https://grafana.example' })
  }

  /** Hands a run of records over; `times` more than once for a run that is delivered again. */
  send(records: readonly LabRecord[], times = 1): void {
    for (const input of inputsOf(this.#rules, records, this.#partitions)) {
      this.#offset++
      const { source, partition } = input.progress
      const place = { source: `${source}/${partition}`, offset: this.#offset, part: 0 }
      const record: KafkaRecord = {
        offset: this.#offset,
        timeMs: 0,
        value: input.value,
        headers: { [SOURCE_HEADER]: formatSource(place) },
      }
      for (let i = 0; i < times; i++) {
        if (!this.#repeats.isRepeat(record)) this.alerts.push(...this.evaluator.apply(input))
      }
    }
  }

  /** Says that nothing came from a partition for a while, though all up to `nowMs` was read. */
  rest(source: Source, partition: number, nowMs: number): void {
    const partitions = this.#partitions
    const progress = { source, partition, partitions, eventMs: undefined, quietMs: nowMs }
    this.alerts.push(
      ...this.evaluator.apply({ value: encodeDeltas([]), progress, silence: undefined }),
    )
  }

  /** Records, in batches of those that end in the same minute. */
  sendByMinute(records: readonly LabRecord[]): void {
    const minutes = Map.groupBy(records, ({ eventMs }) => Math.floor(eventMs / 60_000))
    for (const minute of [...minutes.keys()].toSorted((a, b) => a - b)) {
      this.send(minutes.get(minute) ?? [])
    }
  }

  /** Lets time come to `timeMs` for every source: all windows that end up to it are decided. */
  reach(timeMs: number): void {
    for (const input of reachInputs(this.#rules, timeMs, this.#partitions)) {
      this.alerts.push(...this.evaluator.apply(input))
    }
  }

  /** Changes as `rule/level group state`, pending ones left out. */
  changes(): readonly string[] {
    return this.alerts
      .filter(({ state }) => state === 'firing' || state === 'resolved')
      .map(({ rule, level, group, state }) =>
        [rule + (level === '' ? '' : `/${level}`), ...Object.values(group), state].join(' '),
      )
  }
}
