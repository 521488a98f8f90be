/**
 * Token counts of one call; null where the span does not tell. Sub-counts are part of their totals
 * (OpenTelemetry's GenAI conventions): `input` holds cache reads, cache writes, audio and images,
 * `output` reasoning, audio and images.
 */
export interface Usage {
  readonly input: number | null
  readonly output: number | null
  readonly cacheRead: number | null
  readonly cacheWrite5m: number | null
  readonly cacheWrite1h: number | null
  readonly reasoning: number | null
  readonly inputAudio: number | null
  readonly outputAudio: number | null
  readonly inputImage: number | null
  readonly outputImage: number | null
  readonly webSearches: number | null
}

/** What a cost is made of, in the order in which it is told. Counts of parts are disjoint. */
export const PARTS = [
  'input',
  'cache_read',
  'cache_write_5m',
  'cache_write_1h',
  'input_audio',
  'input_image',
  'output',
  'reasoning',
  'output_audio',
  'output_image',
  'web_search',
  'request',
] as const
export type Part = (typeof PARTS)[number]

const INPUT = PARTS.indexOf('input')
const CACHE_READ = PARTS.indexOf('cache_read')
const CACHE_WRITE_5M = PARTS.indexOf('cache_write_5m')
const CACHE_WRITE_1H = PARTS.indexOf('cache_write_1h')
const INPUT_AUDIO = PARTS.indexOf('input_audio')
const INPUT_IMAGE = PARTS.indexOf('input_image')
const OUTPUT = PARTS.indexOf('output')
const REASONING = PARTS.indexOf('reasoning')
const OUTPUT_AUDIO = PARTS.indexOf('output_audio')
const OUTPUT_IMAGE = PARTS.indexOf('output_image')
const WEB_SEARCH = PARTS.indexOf('web_search')
const REQUEST = PARTS.indexOf('request')

/** Whether a call tells what it used. */
export function tellsUsage(usage: Usage): boolean {
  return usage.input !== null || usage.output !== null
}

/** How counts were taken apart: `overlap` where tokens are both cached and of audio or of an image. */
export type Split = 'whole' | 'overlap' | 'invalid'

/**
 * Takes nested counts apart into disjoint ones, by index of PARTS; `invalid` where a part is larger
 * than its whole. Cached tokens and those of audio and images are both part of the input, and nobody
 * tells which are both: what does not fit beside the cached ones must be among them, and is priced as
 * cached (as LiteLLM's generic_cost_per_token does).
 */
export function splitUsage(usage: Usage, units: Float64Array): Split {
  const input = usage.input ?? 0
  const output = usage.output ?? 0
  const read = usage.cacheRead ?? 0
  const write5m = usage.cacheWrite5m ?? 0
  const write1h = usage.cacheWrite1h ?? 0
  const audio = usage.inputAudio ?? 0
  const image = usage.inputImage ?? 0
  const reasoning = usage.reasoning ?? 0
  const outputAudio = usage.outputAudio ?? 0
  const outputImage = usage.outputImage ?? 0
  const searches = usage.webSearches ?? 0
  const uncached = input - read - write5m - write1h
  const text = output - reasoning - outputAudio - outputImage
  if (uncached < 0 || text < 0 || audio + image > input) return 'invalid'
  const freshAudio = Math.min(audio, uncached)
  const freshImage = Math.min(image, uncached - freshAudio)
  units[INPUT] = uncached - freshAudio - freshImage
  units[CACHE_READ] = read
  units[CACHE_WRITE_5M] = write5m
  units[CACHE_WRITE_1H] = write1h
  units[INPUT_AUDIO] = freshAudio
  units[INPUT_IMAGE] = freshImage
  units[OUTPUT] = text
  units[REASONING] = reasoning
  units[OUTPUT_AUDIO] = outputAudio
  units[OUTPUT_IMAGE] = outputImage
  units[WEB_SEARCH] = searches
  units[REQUEST] = 1
  for (let i = 0; i < PARTS.length; i++) {
    const count = units[i] ?? 0
    if (!(count >= 0 && count <= Number.MAX_SAFE_INTEGER)) return 'invalid'
  }
  return freshAudio + freshImage < audio + image ? 'overlap' : 'whole'
}
