import { type Detector, matchesOf, withoutSeparators } from './detector.ts'
import { HAS_DIGITS, HAS_LETTERS_AND_DIGITS } from './feature-scan.ts'
import {
  digitGroups,
  digitsOf,
  endsWord,
  type GroupPattern,
  isWholeNumber,
  joinGroups,
  startsWord,
  type TextRange,
} from './text-edges.ts'

/** Ids that are digits alone: how they are written, and their check. */
interface NumericId {
  readonly patterns: readonly GroupPattern[]
  readonly isValid: (digits: string) => boolean
}

const one = (length: number): GroupPattern => ({ lengths: [length], between: /^$/ })
const NUMERIC: readonly NumericId[] = [
  {
    // United States: a social security number has no check digit, so only the usual way to write it counts.
    patterns: [{ lengths: [3, 2, 4], between: /^[ \u2011-]$/ }],
    isValid: (digits) => /^(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}$/.test(digits),
  },
  {
    // Poland: PESEL.
    patterns: [one(11)],
    isValid: (digits) =>
      isPeselDate(digits) && weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0,
  },
  { patterns: [one(11)], isValid: isCpf },
  {
    // France: numéro d'inscription au répertoire.
    patterns: [one(15), { lengths: [1, 2, 2, 2, 3, 3, 2], between: /^[ \u00a0]$/ }],
    isValid: (digits) =>
      /^[12]\d\d(?:0[1-9]|1[0-2]|[2-4]\d)/.test(digits) &&
      97 - (Number(digits.slice(0, 13)) % 97) === Number(digits.slice(13)),
  },
  { patterns: [one(18)], isValid: isChinese },
]

const SPANISH_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE'
const SPANISH = /(?:\d{8}|[XYZ]-?\d{7})-?[A-Z]/gi
const ITALIAN = /[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]/gi
const BRAZILIAN = /\d{3}\.\d{3}\.\d{3}-\d{2}/g
const CHINESE_WITH_X = /\d{17}X/gi
/** What a character in an odd place of an Italian code is worth, for 0 to 9 (and A to J), then K to Z. */
const ITALIAN_ODD = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
]

/** National ids: those of seven countries whose form or check digits tell them from other numbers. */
export const nationalId: Detector = {
  name: 'national_id',
  features: HAS_DIGITS | HAS_LETTERS_AND_DIGITS,
  literals: [],
  find(text) {
    const groups = digitGroups(text)
    const found = groups.flatMap((_group, i) => findNumeric(text, groups, i) ?? [])
    return [
      ...found,
      ...wordsOf(text, SPANISH, isSpanish),
      ...wordsOf(text, ITALIAN, isItalian),
      ...wordsOf(text, BRAZILIAN, isCpf),
      ...wordsOf(text, CHINESE_WITH_X, isChinese),
    ]
  },
  normalize: withoutSeparators,
}

function findNumeric(text: string, groups: readonly TextRange[], first: number) {
  for (const { patterns, isValid } of NUMERIC) {
    for (const pattern of patterns) {
      const range = joinGroups(text, groups, first, pattern)
      if (range === undefined || !isWholeNumber(text, range)) continue
      if (isValid(digitsOf(text, range))) return range
    }
  }
  return undefined
}

function wordsOf(text: string, pattern: RegExp, isValid: (id: string) => boolean) {
  return matchesOf(text, pattern, (match, start) => {
    const end = start + match.length
    if (!startsWord(text, start) || !endsWord(text, end)) return undefined
    return isValid(withoutSeparators(match)) ? { start, end } : undefined
  })
}

function weighted(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, i) => sum + weight * Number(digits.charAt(i)), 0)
}

/** The century is told by the month: 80, 20, 40 or 60 is added to it. */
function isPeselDate(digits: string): boolean {
  const month = Number(digits.slice(2, 4)) % 20
  const day = Number(digits.slice(4, 6))
  return month >= 1 && month <= 12 && day >= 1 && day <= 31
}

/** Brazil: Cadastro de Pessoas Físicas, two check digits. */
function isCpf(digits: string): boolean {
  if (/^(\d)\1{10}$/.test(digits)) return false
  return [9, 10].every((count) => {
    let sum = 0
    for (let i = 0; i < count; i++) sum += Number(digits.charAt(i)) * (count + 1 - i)
    return ((sum * 10) % 11) % 10 === Number(digits.charAt(count))
  })
}

/** China: resident identity card (GB 11643), a date of birth and a check character. */
function isChinese(id: string): boolean {
  if (!/^[1-9]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])/.test(id)) return false
  const weights = Array.from({ length: 17 }, (_, i) => 2 ** (17 - i) % 11)
  return '10X98765432'.charAt(weighted(id, weights) % 11) === id.charAt(17)
}

/** Spain: DNI and NIE, a letter from the rest of a division by 23. */
function isSpanish(id: string): boolean {
  const number = id.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter)))
  return SPANISH_LETTERS.charAt(Number(number) % 23) === id.slice(-1)
}

/** Italy: codice fiscale, a check letter. */
function isItalian(id: string): boolean {
  let sum = 0
  for (let i = 0; i < 15; i++) {
    const value = Number.parseInt(id.charAt(i), 36)
    const index = value > 9 ? value - 10 : value
    sum += i % 2 === 0 ? (ITALIAN_ODD[index] ?? 0) : index
  }
  return String.fromCharCode(65 + (sum % 26)) === id.charAt(15)
}
