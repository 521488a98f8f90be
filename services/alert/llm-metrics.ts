import type { FoldTopic } from './fold.ts'
import { Calls } from './llm-calls.ts'
import { callFamilies, scoreFamily } from './llm-families.ts'
import type { LabelSets, MetricLabel } from './llm-label-sets.ts'
import { LlmRuns } from './llm-runs.ts'
import { Scores } from './llm-scores.ts'
import { exposition, type Family, labelText } from './llm-text.ts'

export interface LlmMetricsOptions {
  /** Labels beside those that are always there. */
  readonly labels: readonly MetricLabel[]
  /** Most label sets of calls, and of scores; at least 3. */
  readonly maxSeries: number
}

/** The metrics of the calls and scores that this worker reads. */
export interface LlmMetrics {
  /** What counts the records of a topic; undefined for one of which nothing is counted. */
  readonly runs: (topic: FoldTopic) => LlmRuns | undefined
  /** All of them as Prometheus reads them. */
  readonly text: () => string
}

export function createLlmMetrics({ labels, maxSeries }: LlmMetricsOptions): LlmMetrics {
  const calls = new Calls(labels, maxSeries)
  const scores = new Scores(labels, maxSeries)
  const counted: Partial<Record<FoldTopic, Calls | Scores>> = { spans: calls, evaluations: scores }
  return {
    runs(topic) {
      const counting = counted[topic]
      return counting && new LlmRuns((batch) => counting.add(batch))
    },
    text: () =>
      exposition([
        ...callFamilies(calls.sets.all(), labels),
        scoreFamily(scores.sets.all(), labels),
        ...roomFamilies({ spans: calls.sets, evaluations: scores.sets }),
      ]),
  }
}

/** How many label sets there are, and what found no room in them. */
function roomFamilies(sources: Readonly<Record<string, LabelSets<unknown>>>): readonly Family[] {
  const seriesOf = (read: (sets: LabelSets<unknown>) => number) =>
    Object.entries(sources).map(([topic, sets]) => ({
      labels: labelText([['topic', topic]]),
      value: String(read(sets)),
    }))
  return [
    {
      name: 'spanmeter_metrics_series',
      help: 'Label sets that calls and scores are counted by.',
      type: 'gauge',
      series: seriesOf(({ size }) => size),
    },
    {
      name: 'spanmeter_metrics_overflowed_total',
      help: 'Calls and scores that are counted as (other), as there was no room for their labels.',
      type: 'counter',
      series: seriesOf(({ overflowed }) => overflowed),
    },
  ]
}
