/**
 * Token counts in one form, whatever the instrumentation meant: totals include their parts, as
 * OpenTelemetry's GenAI conventions have it (gen_ai.usage.*: each sub-count is part of its total).
 */

/** Counts as a span tells them; null where it does not. */
export interface Counts {
  readonly input: number | null
  readonly output: number | null
  readonly cacheRead: number | null
  readonly cacheWrite5m: number | null
  readonly cacheWrite1h: number | null
  readonly inputAudio: number | null
  readonly inputImage: number | null
  readonly reasoning: number | null
  readonly outputAudio: number | null
  readonly outputImage: number | null
  /** Input and output together, as the provider or the instrumentation added them up. */
  readonly total: number | null
}

/** What a dialect says that its totals leave out; undefined where it says nothing. */
export interface Convention {
  readonly name: string
  readonly inputExcludes: readonly string[]
  readonly outputExcludes: readonly string[]
}

/** Totals that include their parts, the rule that made them so, and what cannot be true. */
export interface Settled {
  readonly input: number | null
  readonly output: number | null
  readonly rule: string
  readonly flags: readonly string[]
}

/** Whose own API counts cached tokens beside the input: Anthropic's messages, Bedrock's Converse. */
export interface SettleOptions {
  readonly convention: Convention | undefined
  readonly isExclusiveApi: boolean
}

/**
 * Makes totals inclusive. A dialect's convention decides; where there is none, arithmetic may prove
 * that a total leaves something out, and nothing is guessed: counts that remain impossible are flagged
 * and left as they are.
 */
export function settleCounts(counts: Counts, options: SettleOptions): Settled {
  const settled =
    options.convention === undefined
      ? byEvidence(counts, options.isExclusiveApi)
      : byConvention(counts, options.convention)
  return { ...settled, flags: findImpossible({ ...counts, ...settled }) }
}

function byConvention(counts: Counts, { name, inputExcludes, outputExcludes }: Convention) {
  const input = sumOf(inputParts(counts), inputExcludes)
  const output = sumOf(outputParts(counts), outputExcludes)
  return {
    input: input === 0 ? counts.input : (counts.input ?? 0) + input,
    output: output === 0 ? counts.output : (counts.output ?? 0) + output,
    rule: input === 0 && output === 0 ? '' : name,
  }
}

function byEvidence(counts: Counts, isExclusiveApi: boolean) {
  const { total } = counts
  const input = counts.input ?? 0
  const output = counts.output ?? 0
  const cached = cachedOf(counts)
  const reasoning = counts.reasoning ?? 0
  const stand = { input: counts.input, output: counts.output, rule: '' }
  if (total !== null && total !== input + output) {
    const missing = total - input - output
    if (cached > 0 && missing === cached) {
      return { ...stand, input: input + cached, rule: 'evidence/total_counts_cache' }
    }
    if (reasoning > 0 && missing === reasoning) {
      return { ...stand, output: output + reasoning, rule: 'evidence/total_counts_reasoning' }
    }
    if (cached > 0 && reasoning > 0 && missing === cached + reasoning) {
      const rule = 'evidence/total_counts_cache_and_reasoning'
      return { input: input + cached, output: output + reasoning, rule }
    }
  }
  if (isExclusiveApi && counts.input !== null && cached > input) {
    return { ...stand, input: input + cached, rule: 'evidence/cache_exceeds_input' }
  }
  return stand
}

function inputParts(counts: Counts): Readonly<Record<string, number>> {
  return {
    cache_read: counts.cacheRead ?? 0,
    cache_write: (counts.cacheWrite5m ?? 0) + (counts.cacheWrite1h ?? 0),
    audio: counts.inputAudio ?? 0,
    image: counts.inputImage ?? 0,
  }
}

function outputParts(counts: Counts): Readonly<Record<string, number>> {
  return {
    reasoning: counts.reasoning ?? 0,
    audio: counts.outputAudio ?? 0,
    image: counts.outputImage ?? 0,
  }
}

function cachedOf(counts: Counts): number {
  return (counts.cacheRead ?? 0) + (counts.cacheWrite5m ?? 0) + (counts.cacheWrite1h ?? 0)
}

function sumOf(parts: Readonly<Record<string, number>>, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + (parts[name] ?? 0), 0)
}

/** Parts that are larger than a whole that is known. */
function findImpossible(counts: Counts): readonly string[] {
  const input = counts.input ?? Number.POSITIVE_INFINITY
  const output = counts.output ?? Number.POSITIVE_INFINITY
  const found: [boolean, string][] = [
    [cachedOf(counts) > input, 'cache_exceeds_input'],
    [(counts.inputAudio ?? 0) > input, 'audio_exceeds_input'],
    [(counts.inputImage ?? 0) > input, 'image_exceeds_input'],
    [(counts.reasoning ?? 0) > output, 'reasoning_exceeds_output'],
    [(counts.outputAudio ?? 0) > output, 'audio_exceeds_output'],
    [(counts.outputImage ?? 0) > output, 'image_exceeds_output'],
  ]
  return found.flatMap(([isImpossible, flag]) => (isImpossible ? [flag] : []))
}
