import { type Detector, matchesOf, withoutSeparators } from './detector.ts'
import { HAS_LETTERS_AND_DIGITS } from './feature-scan.ts'
import { endsWord, isAlphanumeric, startsWord, type TextRange } from './text-edges.ts'

/** How long the numbers of each country are (SWIFT's registry of IBANs). */
const LENGTHS: ReadonlyMap<string, number> = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 ' +
    'DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 ' +
    'IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 ' +
    'MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 ' +
    'SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)
const START = /[A-Za-z]{2}\d\d/g
const SEPARATOR = /[ \u00a0\u202f.-]/

/** Numbers of bank accounts. */
export const iban: Detector = {
  name: 'iban',
  features: HAS_LETTERS_AND_DIGITS,
  literals: [],
  find: (text) =>
    matchesOf(text, START, (match, start) => {
      const length = LENGTHS.get(match.slice(0, 2).toUpperCase())
      if (length === undefined || !startsWord(text, start)) return undefined
      const range = collect(text, start, length)
      if (range === undefined || !endsWord(text, range.end)) return undefined
      return passesCheck(withoutSeparators(text.slice(range.start, range.end))) ? range : undefined
    }),
  normalize: withoutSeparators,
}

/** So many letters and digits from here on, with one separator between two at most. */
function collect(text: string, start: number, length: number): TextRange | undefined {
  let at = start
  for (let count = 0; count < length; count++) {
    if (count > 0 && SEPARATOR.test(text.charAt(at))) at++
    if (!isAlphanumeric(text.charCodeAt(at))) return undefined
    at++
  }
  return { start, end: at }
}

/** The check digits of ISO 13616: what is left of a division by 97 is 1. */
function passesCheck(number: string): boolean {
  let rest = 0
  for (const character of number.slice(4) + number.slice(0, 4)) {
    const value = Number.parseInt(character, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}
