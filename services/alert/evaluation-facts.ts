import type { Evaluation } from '#schemas/items.ts'
import type { Row } from './facts.ts'
import { MAX_AHEAD_MS, msOfNanos } from './facts-time.ts'
import { UNITS_PER_ONE } from './series.ts'

/** What series count of an evaluation: its score, when the evaluator decided. */
export function evaluationRow(evaluation: Evaluation): Row {
  const { time_unix_nano, received_time_unix_nano, trace_id, score } = evaluation
  return {
    eventMs: Math.min(msOfNanos(time_unix_nano), msOfNanos(received_time_unix_nano) + MAX_AHEAD_MS),
    traceId: trace_id,
    texts: { ...evaluation },
    values: { score: score === null ? null : Math.round(score * UNITS_PER_ONE.score) },
  }
}
