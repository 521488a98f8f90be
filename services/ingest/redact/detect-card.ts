import { type Detector, withoutSeparators } from './detector.ts'
import { HAS_DIGITS } from './feature-scan.ts'
import {
  digitGroups,
  digitsOf,
  type GroupPattern,
  isWholeNumber,
  joinGroups,
  type TextRange,
} from './text-edges.ts'

const between = /^[ \u00a0\u202f\u2011-]$/
/** How the digits of a card are grouped where they are. */
const GROUPED: readonly GroupPattern[] = [
  { lengths: [4, 4, 4, 4, 3], between },
  { lengths: [4, 4, 4, 4, 2], between },
  { lengths: [4, 4, 4, 4, 1], between },
  { lengths: [4, 4, 4, 4], between },
  { lengths: [4, 6, 5], between },
  { lengths: [4, 6, 4], between },
]

/**
 * First digits of the networks' numbers, and how long these are (ISO/IEC 7812, and what the networks tell). None begins
 * with 1, as times in milliseconds, microseconds and nanoseconds do until the year 2033.
 */
const NETWORKS: readonly RegExp[] = [
  /^4(?:\d{12}|\d{15}|\d{18})$/,
  /^5[1-5]\d{14}$/,
  /^2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}$/,
  /^3[47]\d{13}$/,
  /^3(?:0[0-5]|[689]\d)\d{11}$/,
  /^(?:6011|64[4-9]\d|65\d\d)\d{12}(?:\d{3})?$/,
  /^62\d{14,17}$/,
  /^35(?:2[89]|[3-8]\d)\d{12}(?:\d{3})?$/,
  /^(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{9,15}$/,
  /^220[0-4]\d{12,15}$/,
]
const MIN_DIGITS = 13
const MAX_DIGITS = 19

/** Numbers of payment cards. */
export const card: Detector = {
  name: 'card',
  features: HAS_DIGITS,
  literals: [],
  find(text) {
    const groups = digitGroups(text)
    return groups.flatMap((group, i) => {
      const range = isLong(group) ? group : findGrouped(text, groups, i)
      return range !== undefined && isCard(text, range) ? [range] : []
    })
  },
  normalize: withoutSeparators,
}

function isLong({ start, end }: TextRange): boolean {
  return end - start >= MIN_DIGITS && end - start <= MAX_DIGITS
}

function findGrouped(text: string, groups: readonly TextRange[], first: number) {
  const group = groups[first]
  if (group === undefined || group.end - group.start !== 4) return undefined
  for (const pattern of GROUPED) {
    const range = joinGroups(text, groups, first, pattern)
    if (range !== undefined && isCard(text, range)) return range
  }
  return undefined
}

function isCard(text: string, range: TextRange): boolean {
  if (!isWholeNumber(text, range)) return false
  const digits = digitsOf(text, range)
  return NETWORKS.some((network) => network.test(digits)) && passesLuhn(digits)
}

/** The check digit of ISO/IEC 7812-1, annex B. */
function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits.charAt(digits.length - 1 - i))
    const doubled = i % 2 === 0 ? digit : digit * 2
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}
