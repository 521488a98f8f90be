/** A name under which a model is looked up. */
export interface Spelling {
  readonly model: string
  /** Whether it leaves out what a model was fine-tuned to, which may change its price. */
  readonly isApproximate: boolean
}

const PUBLISHER = /^(publishers\/[^/]+\/)?models\//
const PLACES = 'us-gov|us|eu|ap|apac|au|ca|in|jp|me|sa|global'
/** Where Bedrock runs a model: us.anthropic.claude-…. */
const PLACE = new RegExp(`^(${PLACES})\\.`)
/** The same as a part of a path: bedrock/us-gov-east-1/…, azure/eu/…. */
const PLACE_IN_PATH = new RegExp(`^(?:${PLACES})(?:-[a-z]+-\\d)?$`)
/** OpenAI's ft:gpt-4o-2024-08-06:org::id and Azure's gpt-4o-2024-08-06.ft-id. */
const FINE_TUNED = /^(?:ft:(?<openai>[^:]+)(?::.*)?|(?<azure>.+?)\.ft-.*)$/i

/**
 * All names to look a model up by, the nearest first: as it is, then without what gateways put in
 * front of it, then without the place that it ran in, then the model that it was fine-tuned from.
 */
export function spellings(model: string): readonly Spelling[] {
  const plain = model.trim().replace(PUBLISHER, '')
  if (plain === '') return []
  const name = plain.slice(plain.lastIndexOf('/') + 1)
  const exact = [plain, plain.slice(plain.indexOf('/') + 1), name, name.replace(PLACE, '')]
  const { openai, azure } = FINE_TUNED.exec(name)?.groups ?? {}
  const base = openai ?? azure
  return [
    ...[...new Set(exact)]
      .filter((id) => id !== '')
      .map((id) => ({ model: id, isApproximate: false })),
    ...(base === undefined ? [] : [{ model: base, isApproximate: true }]),
  ]
}

/** The place that a model's id says it ran in, such as eu, us-gov-east-1 or global; empty for none. */
export function placeOf(model: string): string {
  const path = model.trim().toLowerCase().split('/')
  return PLACE.exec(path.at(-1) ?? '')?.[1] ?? path.find((part) => PLACE_IN_PATH.test(part)) ?? ''
}

/**
 * Whether a model ran in a place whose prices are not those of the list's row. Bedrock's rows are for
 * any region (`regional.`), for anywhere (`global.`) or, without either, for the United States; those of
 * other providers are for anywhere. Government clouds have prices of their own.
 */
export function isOtherRegion(place: string, provider: string, listed: string): boolean {
  if (place === '') return false
  if (place.startsWith('us-gov')) return true
  if (listed.startsWith('regional.')) return place === 'global'
  if (listed.startsWith('global.')) return place !== 'global'
  return provider === 'aws' ? !place.startsWith('us') : place !== 'global'
}
