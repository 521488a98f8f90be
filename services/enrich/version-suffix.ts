/**
 * What may stand behind a model's name and still mean the same model at the same price: the date or
 * the number of its version, and words such as latest and preview. A single digit may not: it names
 * another model (claude-sonnet-5 and claude-sonnet-5-5).
 */
const YEAR = '20\\d{2}'
const MONTH = '(?:0[1-9]|1[0-2])'
const DAY = '(?:0[1-9]|[12]\\d|3[01])'
const SUFFIXES = [
  `[-@]${YEAR}${MONTH}${DAY}`, // claude-3-7-sonnet-20250219, claude-opus-4@20250514
  `[-@]${YEAR}-${MONTH}-${DAY}`, // gpt-4o-2024-08-06
  `-${MONTH}-${YEAR}`, // gemini-2.5-flash-preview-09-2025
  `-${MONTH}-${DAY}`, // gemini-2.5-pro-preview-05-06
  `-${MONTH}${DAY}`, // gpt-3.5-turbo-0125
  `-2\\d${MONTH}`, // mistral-large-2411
  '-00\\d', // gemini-2.0-flash-001
  '-v[12](?::\\d+)?', // anthropic.claude-3-5-sonnet-20241022-v2:0
  '-v\\d+:\\d+',
  ':\\d+', // mistral.mistral-7b-instruct-v0:2
  '[-@](?:latest|default)',
  '-(?:preview|exp|experimental|beta)',
]
const VERSION = new RegExp(`^(?:(?:${SUFFIXES.join('|')})(?![\\dA-Za-z]))*$`, 'i')

/** Whether what follows a model's name tells no more than its version. */
export function isVersionSuffix(rest: string): boolean {
  return VERSION.test(rest)
}

/** Whether a model's id is another with a version behind it, or the same; case does not matter. */
export function isVersionOf(id: string, of: string): boolean {
  const [long, short] = [id.toLowerCase(), of.toLowerCase()]
  return long.startsWith(short) && isVersionSuffix(long.slice(short.length))
}
