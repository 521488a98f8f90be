/** Where words begin and end in a text that may be JSON or a URL: an escape in front belongs to neither word. */

/** Part of a text. */
export interface TextRange {
  readonly start: number
  readonly end: number
}

const BACKSLASH = 0x5c
const PERCENT = 0x25
const DOT = 0x2e
/** Letters of JSON's escapes of one letter: \b \f \n \r \t. */
const ESCAPE_LETTERS = 'bfnrt'
const UNICODE_ESCAPE = /^\\u[0-9a-f]{4}$/i
/** Of \u0020. */
const MAX_ESCAPE_DIGITS = 4
const HEX_PAIR = /^%[0-9a-f]{2}$/i

/** Whether a character is one of ASCII's digits. */
export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** Whether a character is one of ASCII's letters or digits. */
export function isAlphanumeric(code: number): boolean {
  const lower = code | 0x20
  return isDigit(code) || (lower >= 0x61 && lower <= 0x7a)
}

/** Whether an escape ends here, such as \n, \u003c or %20: the last of its letters is no letter of the text. */
export function endsEscape(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 2)
  if (before === BACKSLASH && ESCAPE_LETTERS.includes(text.charAt(at - 1))) return true
  if (text.charCodeAt(at - 3) === PERCENT) return HEX_PAIR.test(text.slice(at - 3, at))
  return text.charCodeAt(at - 6) === BACKSLASH && UNICODE_ESCAPE.test(text.slice(at - 6, at))
}

/** Whether a word may begin here. */
export function startsWord(text: string, at: number): boolean {
  return !isAlphanumeric(text.charCodeAt(at - 1)) || endsEscape(text, at)
}

/** Whether a word may end here. */
export function endsWord(text: string, at: number): boolean {
  return !isAlphanumeric(text.charCodeAt(at))
}

/** Whether a number stands by itself: not within a word, and not as the digits of a decimal. */
export function isWholeNumber(text: string, { start, end }: TextRange): boolean {
  if (!startsWord(text, start) || !endsWord(text, end)) return false
  if (text.charCodeAt(start - 1) === DOT && isDigit(text.charCodeAt(start - 2))) return false
  return !(text.charCodeAt(end) === DOT && isDigit(text.charCodeAt(end + 1)))
}

/** The runs of digits in a text, in order. */
export function digitGroups(text: string): readonly TextRange[] {
  const groups: TextRange[] = []
  let start = -1
  for (let i = 0; i <= text.length; i++) {
    if (isDigit(text.charCodeAt(i))) {
      if (start < 0) start = i
    } else if (start >= 0) {
      groups.push({ start: skipEscape(text, start, i), end: i })
      start = -1
    }
  }
  return groups
}

/** Digits of an escape in front of a group, such as the 20 of %204111, are none of the group. */
function skipEscape(text: string, start: number, end: number): number {
  for (let length = 1; length <= MAX_ESCAPE_DIGITS; length++) {
    if (start + length < end && endsEscape(text, start + length)) return start + length
  }
  return start
}

/** The digits of a part of a text, and nothing else of it. */
export function digitsOf(text: string, { start, end }: TextRange): string {
  return text.slice(start, end).replace(/\D/g, '')
}

/** How a run of groups of digits is written: how long each is, and what may stand between two. */
export interface GroupPattern {
  readonly lengths: readonly number[]
  readonly between: RegExp
}

/** The part of the text that groups from `first` on make up, if they are written by the pattern. */
export function joinGroups(
  text: string,
  groups: readonly TextRange[],
  first: number,
  { lengths, between }: GroupPattern,
): TextRange | undefined {
  let separator: string | undefined
  for (const [i, length] of lengths.entries()) {
    const group = groups[first + i]
    if (group === undefined || group.end - group.start !== length) return undefined
    if (i === 0) continue
    const gap = text.slice(groups[first + i - 1]?.end, group.start)
    separator ??= gap
    if (gap !== separator || !between.test(gap)) return undefined
  }
  const start = groups[first]?.start ?? 0
  const end = groups[first + lengths.length - 1]?.end ?? start
  return { start, end }
}
