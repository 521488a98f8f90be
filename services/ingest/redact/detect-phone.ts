import { type Detector, withoutSeparators } from './detector.ts'
import { HAS_DIGITS } from './feature-scan.ts'
import {
  digitGroups,
  type GroupPattern,
  isWholeNumber,
  joinGroups,
  startsWord,
  type TextRange,
} from './text-edges.ts'

/** What may stand between two groups of digits of a number that begins with a plus. */
const GAP = /^[ .()/\u00a0\u2009\u2011\u2013\u202f-]{0,3}$/
/** A plus, as a URL has it, and as JSON may have it. */
const PLUS = /(?:\+|%2b|\\u002b)\(?$/i
const MAX_PLUS_LENGTH = 7
/** E.164 allows fifteen digits. */
const MAX_DIGITS = 15
const MIN_DIGITS = 8

/** 555-123-4567, with one separator throughout; (555) 123-4567 is looked for by itself. */
const AMERICAN: GroupPattern = { lengths: [3, 3, 4], between: /^[ .\u00a0\u2011-]$/ }
const AMERICAN_GAPS: readonly RegExp[] = [/^\) ?$/, /^[ .-]$/]
const AREA_AND_EXCHANGE = /^[2-9]\d{2}\D{1,2}[2-9]/
/** Between groups of a number with a leading zero. */
const TRUNK_GAP = /^(?:\) ?|[ /.\u00a0\u202f-]| [/-] )$/
const MIN_TRUNK_DIGITS = 9
const MAX_TRUNK_DIGITS = 12

/** Numbers of telephones: with a plus, or as countries write them with separators. Bare digits are none. */
export const phone: Detector = {
  name: 'phone',
  features: HAS_DIGITS,
  literals: [],
  find(text) {
    const groups = digitGroups(text)
    const found: TextRange[] = []
    for (let i = 0; i < groups.length; i++) {
      const range =
        findInternational(text, groups, i) ??
        findAmerican(text, groups, i) ??
        findWithTrunkPrefix(text, groups, i)
      if (range === undefined) continue
      found.push(range)
      while ((groups[i + 1]?.start ?? range.end) < range.end) i++
    }
    return found
  },
  normalize: (match) => withoutSeparators(match.replace(/%2b|\\u002b/i, '')),
}

/** Groups from `first` on, as long as the gaps between them fit and there are not too many digits. */
function takeGroups(
  text: string,
  groups: readonly TextRange[],
  first: number,
  { gap, maxDigits }: { readonly gap: RegExp; readonly maxDigits: number },
): { readonly end: number; readonly digits: number; readonly count: number } {
  let end = groups[first]?.start ?? 0
  let digits = 0
  let count = 0
  for (; first + count < groups.length; count++) {
    const group = groups[first + count]
    if (group === undefined || digits + group.end - group.start > maxDigits) break
    if (count > 0 && (group.start - end > 3 || !gap.test(text.slice(end, group.start)))) break
    digits += group.end - group.start
    ;({ end } = group)
  }
  return { end, digits, count }
}

function findInternational(text: string, groups: readonly TextRange[], first: number) {
  const start = groups[first]?.start ?? 0
  const plus = PLUS.exec(text.slice(Math.max(0, start - MAX_PLUS_LENGTH), start))?.[0] ?? ''
  if (plus === '' || !startsWord(text, start - plus.length)) return undefined
  const { end, digits } = takeGroups(text, groups, first, { gap: GAP, maxDigits: MAX_DIGITS })
  return digits < MIN_DIGITS ? undefined : { start: start - plus.length, end }
}

function findAmerican(text: string, groups: readonly TextRange[], first: number) {
  const range = joinGroups(text, groups, first, AMERICAN) ?? findBracketed(text, groups, first)
  if (range === undefined || !isWholeNumber(text, range)) return undefined
  return AREA_AND_EXCHANGE.test(text.slice(range.start, range.end)) ? widen(text, range) : undefined
}

function findBracketed(text: string, groups: readonly TextRange[], first: number) {
  const [a, b, c] = groups.slice(first, first + 3)
  if (a === undefined || b === undefined || c === undefined) return undefined
  const lengths = [a, b, c].map(({ start, end }) => end - start).join('')
  const gaps = [text.slice(a.end, b.start), text.slice(b.end, c.start)]
  const fits = gaps.every((gap, i) => AMERICAN_GAPS[i]?.test(gap) === true)
  return lengths === '334' && fits ? { start: a.start, end: c.end } : undefined
}

/** A bracket in front goes with the number. */
function widen(text: string, { start, end }: TextRange): TextRange {
  return { start: text.charAt(start - 1) === '(' ? start - 1 : start, end }
}

/** 030 1234567, 01 23 45 67 89; a date with zeros in front is none. */
function findWithTrunkPrefix(text: string, groups: readonly TextRange[], first: number) {
  const group = groups[first]
  if (group === undefined || text.charAt(group.start) !== '0') return undefined
  const length = group.end - group.start
  if (length < 2 || length > 5) return undefined
  const limits = { gap: TRUNK_GAP, maxDigits: MAX_TRUNK_DIGITS }
  const { end, digits, count } = takeGroups(text, groups, first, limits)
  const range = { start: group.start, end }
  if (count < 2 || digits < MIN_TRUNK_DIGITS || !isWholeNumber(text, range)) return undefined
  const isDate = /^\d\d\D\d\d\D\d{4}(?!\d)/.test(text.slice(group.start, end))
  return isDate ? undefined : widen(text, range)
}
