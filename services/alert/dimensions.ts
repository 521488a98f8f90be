import type { Source } from './series.ts'

const words = (text: string): readonly string[] => text.split(' ')
const ALLOCATION = 'tenant team feature environment cost_centre user_tier user session'
const EXPERIMENT = 'prompt_id prompt_version experiment variant domain'
const CALL =
  'kind service provider model request_model response_model operation endpoint status error_type'
const PRICE = 'agent tool price_status price_model service_tier'
const VERDICT = 'evaluator evaluator_version dimension label use_case origin'

/** What records of a source can be told apart by; spans also by `attributes.KEY` and `resource.KEY`. */
export const DIMENSIONS: Readonly<Record<Source, readonly string[]>> = {
  spans: words(`${ALLOCATION} ${CALL} ${EXPERIMENT} ${PRICE}`),
  evaluations: words(`${VERDICT} ${ALLOCATION} service provider model ${EXPERIMENT}`),
  dead_letters: words('worker source reason format'),
  system: words('observation group topic partition'),
}

/** Dimensions of a span that are a key of one of its maps. */
const KEYED = /^(?:attributes|resource)\../

export function isDimension(source: Source, name: string): boolean {
  return DIMENSIONS[source].includes(name) || (source === 'spans' && KEYED.test(name))
}
