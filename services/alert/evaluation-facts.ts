import type { Evaluation } from '#schemas/items.ts'
import type { Row } from './facts.ts'
import { msOfNanos } from './facts-time.ts'
import { UNITS_PER_ONE } from './series.ts'

/** What series count of an evaluation: its score, when the evaluator decided. */
export function evaluationRow(evaluation: Evaluation): Row {
  const { time_unix_nano, received_time_unix_nano, trace_id, score } = evaluation
  return {
    // A clock that is ahead must not make time go on: all others would be late.
    eventMs: Math.min(msOfNanos(time_unix_nano), msOfNanos(received_time_unix_nano)),
    traceId: trace_id,
    texts: { ...evaluation },
    values: { score: score === null ? null : Math.round(score * UNITS_PER_ONE.score) },
  }
}
