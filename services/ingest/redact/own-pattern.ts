import { RE2JS, RE2JSSyntaxException } from 're2js'
import { asItStands, type Detector } from './detector.ts'
import type { TextRange } from './text-edges.ts'

/** A pattern of the user's own, as the policy file has it. */
export interface OwnPattern {
  readonly name: string
  readonly pattern: string
  /** Texts one of which stands in every match: strings with none of them are not looked through. */
  readonly contains: readonly string[]
}

/** Thrown for a pattern that cannot be used; its message says why. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}

/**
 * A detector of a pattern in the syntax of RE2 (https://github.com/google/re2/wiki/Syntax), whose matching takes time
 * that grows with the text alone, whatever the pattern is.
 */
export function createOwnDetector(own: OwnPattern, feature: number): Detector {
  const { name, contains } = own
  const pattern = compile(own)
  return {
    name,
    features: feature,
    literals: contains.map((text) => ({ text, feature })),
    find(text) {
      const found: TextRange[] = []
      const matcher = pattern.matcher(text)
      while (matcher.find()) {
        const range = { start: matcher.start(), end: matcher.end() }
        if (range.end > range.start) found.push(range)
      }
      return found
    },
    normalize: asItStands,
  }
}

function compile({ pattern }: OwnPattern): RE2JS {
  let compiled
  try {
    compiled = RE2JS.compile(pattern)
  } catch (cause) {
    if (!(cause instanceof RE2JSSyntaxException)) throw cause
    throw new PatternError(cause.message, { cause })
  }
  if (compiled.matcher('').find()) throw new PatternError('matches the empty text')
  return compiled
}
