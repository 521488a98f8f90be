import { type BatchTopic, deadLetters, evaluations, priceCorrections } from '#schemas/topics.ts'
import { correctionRows, isCorrected } from './correction-facts.ts'
import { deadLetterRow } from './dead-letter-facts.ts'
import { evaluationRow } from './evaluation-facts.ts'
import type { Row } from './facts.ts'
import { requireDimension } from './facts-dimensions.ts'
import { RowFacts } from './facts-rows.ts'
import { type FoldResult, SeriesCounter } from './fold-counter.ts'
import type { SeriesSpec, Source } from './series.ts'
import { SpanFacts } from './span-facts.ts'

/**
 * Counts a run of records of one topic by the series of its source. What it comes to depends on the
 * records alone: the same run gives the same deltas in the same order, and runs cut otherwise the
 * same sums. It holds a cell for each bucket of each group of the run.
 */
export interface Fold {
  /** The series that it counts by: those of its source. */
  readonly series: readonly SeriesSpec[]
  /** Counts the items of a record. Throws BatchError or WireError, with nothing of it counted. */
  add(batch: Buffer): void
  /** What was counted since the last time; forgets it. */
  drain(): FoldResult
}

/** The same for plain values: what is observed here, and rows of a back-test. */
export interface RowFold {
  addRow(row: Row): void
  drain(): FoldResult
}

/** Topics whose records are counted, by the readers' names of them. */
export type FoldTopic = 'spans' | 'corrections' | 'evaluations' | 'dead_letters'

/** Makes the fold of a topic. Throws for a series by a dimension that its source does not have. */
export function createFold(series: readonly SeriesSpec[], topic: FoldTopic): Fold {
  return FOLDS[topic](series)
}

/** Makes a fold of plain values of a source. Throws as createFold does. */
export function createRowFold(series: readonly SeriesSpec[], source: Source): RowFold {
  const counter = rowCounter(ofSource(series, source), source)
  return {
    addRow(row) {
      counter.facts.row = row
      counter.note()
      counter.count(1)
    },
    drain: () => counter.drain(),
  }
}

function createSpanFold(series: readonly SeriesSpec[]): Fold {
  const counter = new SeriesCounter(series, (names, texts) => new SpanFacts(names, texts))
  const { facts } = counter
  return {
    series,
    add(batch) {
      const count = facts.open(batch)
      for (let i = 0; i < count; i++) {
        facts.select(i)
        counter.note()
        counter.count(1)
      }
    },
    drain: () => counter.drain(),
  }
}

/** A correction takes back what the call counted with its old price, and counts it with the new one. */
function createCorrectionFold(series: readonly SeriesSpec[]): Fold {
  const counter = rowCounter(series, 'spans')
  const { facts } = counter
  return {
    series,
    add(batch) {
      for (const correction of priceCorrections.codec.decode(batch)) {
        const { old, now } = correctionRows(correction)
        facts.row = old
        counter.count(-1)
        facts.row = now
        counter.note()
        counter.count(1)
      }
    },
    drain: () => counter.drain(),
  }
}

function createItemFold<T>(
  all: readonly SeriesSpec[],
  source: Source,
  { codec }: BatchTopic<T>,
  toRow: (item: T) => Row,
): Fold {
  const series = ofSource(all, source)
  const counter = rowCounter(series, source)
  return {
    series,
    add(batch) {
      for (const item of codec.decode(batch)) {
        counter.facts.row = toRow(item)
        counter.note()
        counter.count(1)
      }
    },
    drain: () => counter.drain(),
  }
}

function rowCounter(series: readonly SeriesSpec[], source: Source): SeriesCounter<RowFacts> {
  return new SeriesCounter(series, (names, texts) => {
    for (const name of names) requireDimension(source, name)
    return new RowFacts(names, texts)
  })
}

function ofSource(series: readonly SeriesSpec[], source: Source): readonly SeriesSpec[] {
  return series.filter((one) => one.source === source)
}

const FOLDS: Readonly<Record<FoldTopic, (series: readonly SeriesSpec[]) => Fold>> = {
  spans: (series) => createSpanFold(ofSource(series, 'spans')),
  corrections: (series) => createCorrectionFold(ofSource(series, 'spans').filter(isCorrected)),
  evaluations: (series) => createItemFold(series, 'evaluations', evaluations, evaluationRow),
  dead_letters: (series) => createItemFold(series, 'dead_letters', deadLetters, deadLetterRow),
}
