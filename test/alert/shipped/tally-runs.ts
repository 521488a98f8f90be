import { encodeDeltas } from '../../../services/alert/delta-batch.ts'
import { Evaluator } from '../../../services/alert/evaluator.ts'
import type { RuleSet } from '../../../services/alert/rule.ts'
import type { SeriesSpec } from '../../../services/alert/series.ts'
import { deltaOf } from '../delta-samples.ts'
import { START } from './shipped-lab.ts'

/** What one bucket of one run comes to. */
export interface BucketTally {
  readonly count: number
  /** In units. */
  readonly sum: bigint
}

export interface TallyRuns {
  readonly rules: RuleSet
  /** Runs, each a group of its own: none sees another. */
  readonly runs: number
  readonly durationMs: number
  /** What a run has in the bucket that starts so long after the start, milliseconds. */
  readonly tally: (run: number, atMs: number) => BucketTally
}

/**
 * Lets runs go through a rule, bucket by bucket, as deltas of the first stage would. Gives the first
 * time at which each of them fires, of those that do, in milliseconds since the start.
 */
export function firingsOf({
  rules,
  runs,
  durationMs,
  tally,
}: TallyRuns): ReadonlyMap<number, number> {
  const series = mainSeries(rules)
  const { bucketMs } = series
  const evaluator = new Evaluator({ rules, idleMs: 0, grafanaUrl: '' })
  const fired = new Map<number, number>()
  for (let bucket = 0; bucket * bucketMs < durationMs; bucket++) {
    const atMs = START + bucket * bucketMs
    const deltas = Array.from({ length: runs }, (_, run) =>
      deltaOf(series, groupOf(series, run), atMs, tally(run, atMs - START)),
    ).filter(({ count }) => count > 0)
    const eventMs = atMs + bucketMs + rules.allowedLatenessMs
    const progress = {
      source: series.source,
      partition: 0,
      partitions: 1,
      eventMs,
      quietMs: undefined,
    }
    const made = evaluator.apply({ value: encodeDeltas(deltas), progress, silence: undefined })
    for (const { state, group } of made) {
      const run = Number(Object.values(group)[0])
      if (state === 'firing' && !fired.has(run)) fired.set(run, atMs + bucketMs - START)
    }
  }
  return fired
}

/** The first dimension of a run's group is its number. */
function groupOf({ by }: SeriesSpec, run: number): readonly string[] {
  return by.map((_, i) => (i === 0 ? String(run) : 'x'))
}

/** The series that is measured; that of contributors stays empty. */
function mainSeries({ rules, series }: RuleSet): SeriesSpec {
  const found = series.find(({ by }) => by.length === rules[0]?.by.length)
  if (found === undefined) throw new Error('the rule has no series')
  return found
}
