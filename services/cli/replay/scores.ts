import type { Attributes } from '@opentelemetry/api'
import type { TraceChoices } from './choices.ts'
import type { EvaluatorName } from './features.ts'
import { isWithin, qualityDip } from './incidents.ts'
import { chance, normal, type Random } from './random.ts'
import type { SpanEvent } from './span.ts'
import { explanations, scoring } from './workload.ts'

/** What an evaluator found of the answer of a call. */
export interface Score {
  readonly evaluator: EvaluatorName
  /** 0 (worst) to 1, in hundredths. */
  readonly value: number
}

/**
 * Draws the scores of a call: none for most, and none where there is no answer. Each is normal around
 * the feature's mean, moved by the model, and cut off at 0 and 1.
 */
export function chooseScores(
  { feature, model, error }: TraceChoices,
  minute: number,
  random: Random,
): readonly Score[] {
  if (!chance(random, scoring.share) || error !== undefined) return []
  const isDip = feature.name === qualityDip.feature && isWithin(minute, qualityDip)
  return feature.evaluators.map(({ name, mean }) => {
    const usual = mean + model.scoreOffset + normal(random, scoring.sigma)
    const exact = Math.min(1, Math.max(0, isDip ? usual * qualityDip.times : usual))
    return { evaluator: name, value: Math.round(exact * 100) / 100 }
  })
}

/** The scores as events of the call's span, by the OpenTelemetry GenAI conventions. */
export function scoreEvents(scores: readonly Score[]): readonly SpanEvent[] {
  const low = scores.filter(({ value }) => value < scoring.lowBelow)
  return [
    ...scores.map((score) => ({
      name: 'gen_ai.evaluation.result',
      attributes: scoreAttributes(score),
    })),
    ...low.map(({ evaluator }) => ({
      name: 'low_quality_output',
      attributes: { 'gen_ai.evaluation.name': evaluator },
    })),
  ]
}

function scoreAttributes({ evaluator, value }: Score): Attributes {
  const isPassed = value >= scoring.passFrom
  return {
    'gen_ai.evaluation.name': evaluator,
    'gen_ai.evaluation.score.value': value,
    'gen_ai.evaluation.score.label': isPassed ? 'pass' : 'fail',
    ...(isPassed ? {} : { 'gen_ai.evaluation.explanation': explanations[evaluator] }),
  }
}
