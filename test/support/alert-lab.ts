import { formatSource, SOURCE_HEADER, type Checkpoint } from '../../services/runtime/checkpoint.ts'
import type { KafkaRecord } from '../../services/runtime/records.ts'
import { Repeats } from '../../services/runtime/repeats.ts'
import type { Alert } from '../../schemas/items.ts'
import { encodeDeltas } from '../../services/alert/delta-batch.ts'
import { Evaluator } from '../../services/alert/evaluator.ts'
import type { Row } from '../../services/alert/facts.ts'
import { createRowFold } from '../../services/alert/fold.ts'
import type { RuleSet } from '../../services/alert/rule.ts'
import type { Source } from '../../services/alert/series.ts'

/** A record of plain values, and the source that it is of. */
export interface LabRecord extends Row {
  readonly source: Source
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

/**
 * Both stages of alerts in memory, without Kafka: records go in, changes of alerts come out. Each run
 * of records is folded and handed to one evaluator as a record of span.aggregates would be, through
 * the very code that drops repeats.
 */
export class AlertLab {
  readonly evaluator: Evaluator
  readonly alerts: Alert[] = []
  readonly #rules: RuleSet
  readonly #repeats = new Repeats({ horizonMs: 0, maxRequests: 0 }, {
    sources: new Map(),
  } satisfies Checkpoint)
  #offset = 0n

  constructor(rules: RuleSet) {
    this.#rules = rules
    this.evaluator = new Evaluator({ rules, idleMs: 0, grafanaUrl: 'https://grafana.example' })
  }

  /** Hands a run of records over; `times` more than once for a run that is delivered again. */
  send(records: readonly LabRecord[], times = 1): void {
    for (const source of SOURCES) {
      const own = records.filter((record) => record.source === source)
      if (own.length === 0) continue
      const fold = createRowFold(this.#rules.series, source)
      for (const row of own) fold.addRow(row)
      const { deltas, maxEventMs } = fold.drain()
      this.#offset++
      const place = { source: `${source}/0`, offset: this.#offset, part: 0 }
      const record: KafkaRecord = {
        offset: this.#offset,
        timeMs: 0,
        value: encodeDeltas(deltas),
        headers: { [SOURCE_HEADER]: formatSource(place) },
      }
      for (let i = 0; i < times; i++) {
        if (!this.#repeats.isRepeat(record)) this.#apply(source, record.value, maxEventMs)
      }
    }
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
    for (const source of SOURCES) {
      this.#apply(source, encodeDeltas([]), timeMs + this.#rules.allowedLatenessMs)
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

  #apply(source: Source, value: Buffer, eventMs: number | undefined): void {
    const progress = { source, partition: 0, partitions: 1, eventMs, quietMs: undefined }
    this.alerts.push(...this.evaluator.apply({ value, progress, silence: undefined }))
  }
}
