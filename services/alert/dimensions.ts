import type { Source } from './series.ts'

/** Dimensions of a span that are a key of one of its maps. */
const KEYED = /^(?:attributes|resource)\../

/** What records of a source can be told apart by; spans also by `attributes.KEY` and `resource.KEY`. */
export const DIMENSIONS: Readonly<Record<Source, readonly string[]>> = {
  spans: [
    ...['tenant', 'team', 'feature', 'environment', 'cost_centre', 'user_tier', 'user', 'session'],
    ...['kind', 'service', 'provider', 'model', 'request_model', 'response_model', 'operation'],
    ...['endpoint', 'status', 'error_type', 'prompt_id', 'prompt_version', 'experiment', 'variant'],
    ...['domain', 'agent', 'tool', 'price_status', 'price_model', 'service_tier'],
  ],
  evaluations: [
    ...['evaluator', 'evaluator_version', 'dimension', 'label', 'use_case', 'origin'],
    ...['tenant', 'team', 'feature', 'environment', 'cost_centre', 'user_tier', 'user', 'session'],
    ...['service', 'provider', 'model', 'prompt_id', 'prompt_version', 'experiment', 'variant'],
    'domain',
  ],
  dead_letters: ['worker', 'source', 'reason', 'format'],
  system: ['observation', 'group', 'topic', 'partition'],
}

export function isDimension(source: Source, name: string): boolean {
  return DIMENSIONS[source].includes(name) || (source === 'spans' && KEYED.test(name))
}
