import { parseDuration } from './duration.ts'

/** Units of what rules measure. */
export type Unit = 'USD' | 's' | 'tokens' | 'ratio' | 'score' | ''

const NUMBER = /^\d{1,15}(?:\.\d{1,12})?$/
const AMOUNT = /^(\d{1,15}(?:\.\d{1,12})?) ?USD$/
const PERCENT = /^(\d{1,6}(?:\.\d{1,9})?) ?%$/
const TIMES = /^(\d{1,6}(?:\.\d{1,9})?) ?x$/
const TOKENS = /^(\d{1,15}) ?(?:tokens)?$/

interface Kind {
  /** What is expected, for messages. */
  readonly what: string
  read(text: string): number | undefined
}

/** Texts become the nearest double of their digits: comparisons take it as those digits again. */
const KINDS: Readonly<Record<Unit, Kind>> = {
  USD: { what: 'an amount such as 100 USD', read: (text) => numberIn(AMOUNT, text) },
  s: {
    what: 'a duration such as 250ms, 5s or 2m',
    read(text) {
      const ms = parseDuration(text)
      return ms === undefined ? undefined : ms / 1_000
    },
  },
  tokens: { what: 'a number of tokens such as 100000', read: (text) => numberIn(TOKENS, text) },
  ratio: { what: 'a share such as 5% or 0.05, at most 100%', read: readShare },
  score: {
    what: 'a score from 0 to 1',
    read: (text) => atMostOne(parseNumber(text)),
  },
  '': { what: 'a number without a unit', read: parseNumber },
}

/** Reads a value of a unit; undefined where the text is none. */
export function parseQuantity(text: string, unit: Unit): number | undefined {
  return KINDS[unit].read(text.trim())
}

/** What a quantity of a unit looks like. */
export function describeQuantity(unit: Unit): string {
  return KINDS[unit].what
}

/** Reads `5%` as 0.05. */
export function parsePercent(text: string): number | undefined {
  const [, digits] = PERCENT.exec(text.trim()) ?? []
  return digits === undefined ? undefined : Number(`${digits}e-2`)
}

/** Reads `1.5x`. */
export function parseTimes(text: string): number | undefined {
  return numberIn(TIMES, text.trim())
}

export function parseNumber(text: string): number | undefined {
  return NUMBER.test(text.trim()) ? Number(text) : undefined
}

/** A sum or difference without what doubles add to it: 1 - 0.999 is 0.001. */
export function tidy(value: number): number {
  return Number(value.toFixed(12))
}

function numberIn(pattern: RegExp, text: string): number | undefined {
  const [, digits] = pattern.exec(text) ?? []
  return digits === undefined ? undefined : Number(digits)
}

function readShare(text: string): number | undefined {
  return atMostOne(parsePercent(text) ?? parseNumber(text))
}

function atMostOne(value: number | undefined): number | undefined {
  return value !== undefined && value <= 1 ? value : undefined
}
