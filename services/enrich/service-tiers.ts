/**
 * Names of the tier that costs the list price. OpenAI: default, auto, scale (paid for as capacity);
 * Anthropic: standard; Google and Groq: on_demand.
 */
const STANDARD = new Set([
  '',
  'auto',
  'default',
  'on_demand',
  'scale',
  'standard',
  'standard_only',
  'unspecified',
])
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([['batches', 'batch']])

/** A service tier by the one name that prices know it by; empty for the standard one. */
export function normalizeTier(tier: string): string {
  const name = tier
    .trim()
    .toLowerCase()
    .replaceAll(/[-\s]+/g, '_')
    .replace(/^service_tier_/, '')
  return STANDARD.has(name) ? '' : (OTHER_NAMES.get(name) ?? name)
}
