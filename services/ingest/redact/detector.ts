import type { Literal } from './feature-scan.ts'
import type { TextRange } from './text-edges.ts'

/** Finds one kind of personal data or secret in texts, in time that grows with the text's length alone. */
export interface Detector {
  readonly name: string
  /** Texts with none of these features hold nothing of the kind. */
  readonly features: number
  /** What has to be looked for so that the features are known. */
  readonly literals: readonly Literal[]
  /** The matches; `features` are those that the text has. */
  find(text: string, features: number): readonly TextRange[]
  /** A match as it is hashed, so that one number written in two ways has one hash. */
  normalize(match: string): string
}

/** All matches of a pattern with the flag g that are accepted; after one that is not the search goes on a character later. */
export function matchesOf(
  text: string,
  pattern: RegExp,
  accept: (match: string, start: number) => TextRange | undefined,
): readonly TextRange[] {
  const found: TextRange[] = []
  pattern.lastIndex = 0
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const range = accept(match[0], match.index)
    if (range === undefined) pattern.lastIndex = match.index + 1
    else {
      found.push(range)
      pattern.lastIndex = Math.max(range.end, match.index + 1)
    }
  }
  return found
}

/** For what is written in one way only. */
export const asItStands = (match: string): string => match

/** Letters and digits alone, in capitals: for numbers that are written with separators or without. */
export const withoutSeparators = (match: string): string =>
  match.replace(/[^A-Za-z0-9]/g, '').toUpperCase()
