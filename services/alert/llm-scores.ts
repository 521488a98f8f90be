import type { Evaluation } from '#schemas/items.ts'
import { evaluations } from '#schemas/topics.ts'
import { Amount } from './fold-amount.ts'
import { bucketsOf, HistogramCounts } from './llm-histogram.ts'
import { LabelSets, type MetricLabel } from './llm-label-sets.ts'
import { UNITS_PER_ONE } from './series.ts'

/** What scores are always told apart by, in the order of the values of their label sets. */
export const SCORE_LABELS = ['model', 'use_case', 'dimension'] as const

const SCORE_PLACES = Math.log10(UNITS_PER_ONE.score)
/** Tenths, and the limits that alerts and people set. */
const SCORE = bucketsOf(SCORE_PLACES, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9, 1])
const NONE_KEPT = -1

/** Counts the scores among the evaluations of batches; verdicts without a number are none. */
export class Scores {
  readonly sets: LabelSets<HistogramCounts>
  readonly #labels: readonly (MetricLabel | (typeof SCORE_LABELS)[number])[]
  readonly #amount = new Amount()

  constructor(labels: readonly MetricLabel[], maxSeries: number) {
    this.sets = new LabelSets(maxSeries, () => new HistogramCounts(SCORE))
    this.#labels = [...SCORE_LABELS, ...labels]
  }

  /** Counts the scores of a batch that holds what its schema says. */
  add(batch: Buffer): void {
    for (const evaluation of evaluations.codec.decode(batch)) this.#count(evaluation)
  }

  #count(evaluation: Evaluation): void {
    const { score } = evaluation
    if (score === null || !this.#amount.set(Math.round(score * UNITS_PER_ONE.score))) return
    if (this.#amount.high < 0) return
    const values = this.#labels.map((label) => evaluation[label])
    const { counts, isOther } = this.sets.of(values, NONE_KEPT)
    if (isOther) this.sets.overflowed++
    counts.add(this.#amount)
  }
}
