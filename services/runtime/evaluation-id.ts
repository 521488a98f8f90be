import { createHash } from 'node:crypto'
import type { Evaluation } from '#schemas/items.ts'

/** What makes a score the score that it is: who judged what, and how. */
export interface Judgement extends Pick<
  Evaluation,
  | 'trace_id'
  | 'span_id'
  | 'request_id'
  | 'response_id'
  | 'evaluator'
  | 'evaluator_version'
  | 'dimension'
  | 'score'
  | 'label'
  | 'explanation'
> {
  /** Nanoseconds since the epoch; undefined where it was not told. */
  readonly time: bigint | undefined
}

const ID_DIGITS = 32

/** The id of an evaluation that came without one, 32 hexadecimal digits: the same for the same judgement. */
export function evaluationIdOf(judgement: Judgement): string {
  const { trace_id, span_id, request_id, response_id, time } = judgement
  const { evaluator, evaluator_version, dimension, score, label, explanation } = judgement
  const subject = [trace_id, span_id, request_id, response_id, String(time ?? '')]
  const verdict = [evaluator, evaluator_version, dimension, score, label, explanation]
  const text = JSON.stringify([subject, verdict])
  return createHash('sha256').update(text).digest('hex').slice(0, ID_DIGITS)
}
