import type { Evaluation } from '#schemas/items.ts'

/** What an event of a span says of the span's quality. */
export type Verdict = Pick<
  Evaluation,
  | 'evaluator'
  | 'evaluator_version'
  | 'dimension'
  | 'score'
  | 'label'
  | 'explanation'
  | 'response_id'
  | 'use_case'
>

/** Attributes of an event, as text. */
export type EventAttributes = ReadonlyMap<string, string>

/** A longer explanation is cut off: the whole of it stays in the span's event. */
const MAX_EXPLANATION_LENGTH = 16_384
const LOW_QUALITY = 'low_quality_output'

/**
 * Reads OpenTelemetry's event gen_ai.evaluation.result (semantic conventions 1.38, "GenAI events"). An
 * evaluation that failed has an error.type and no result.
 */
export function readResultEvent(attributes: EventAttributes): Verdict {
  const first = firstOf(attributes)
  const evaluator = first('gen_ai.evaluation.name')
  const { score, isOutOfRange } = readScore(first('gen_ai.evaluation.score.value'))
  const hasFailed = score === null && first('error.type') !== ''
  const told = first('gen_ai.evaluation.score.label')
  const found = isOutOfRange ? 'out_of_range' : hasFailed ? 'error' : ''
  return {
    ...readRest(attributes),
    evaluator,
    dimension: first('dimension') || evaluator,
    score,
    label: told === '' ? found : told,
    explanation: cut(first('gen_ai.evaluation.explanation')),
  }
}

/** Reads an event low_quality_output: a verdict in itself, with whatever attributes it has. */
export function readLowQualityEvent(attributes: EventAttributes): Verdict {
  const first = firstOf(attributes)
  const told = first('score', 'quality_score', 'gen_ai.evaluation.score.value')
  return {
    ...readRest(attributes),
    evaluator: LOW_QUALITY,
    dimension: first('dimension', 'gen_ai.evaluation.name') || LOW_QUALITY,
    score: readScore(told).score,
    label: 'low_quality',
    explanation: cut(first('reason', 'gen_ai.evaluation.explanation')),
  }
}

/** The first of some attributes that says anything. */
function firstOf(attributes: EventAttributes) {
  return (...names: readonly string[]): string =>
    names.map((name) => attributes.get(name)).find((text) => text !== undefined && text !== '') ??
    ''
}

function readRest(attributes: EventAttributes) {
  const first = firstOf(attributes)
  return {
    evaluator_version: first('evaluator_version'),
    response_id: first('gen_ai.response.id'),
    use_case: first('use_case'),
  }
}

/** Null for a score that was not told, and for one that is none. */
function readScore(text: string): {
  readonly score: number | null
  readonly isOutOfRange: boolean
} {
  if (text.trim() === '') return { score: null, isOutOfRange: false }
  const score = Number(text)
  const isInRange = score >= 0 && score <= 1
  return { score: isInRange ? score : null, isOutOfRange: !isInRange }
}

function cut(explanation: string): string {
  return explanation.slice(0, MAX_EXPLANATION_LENGTH)
}
