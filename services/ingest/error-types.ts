import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { parseYaml, requireShape } from '#runtime/yaml.ts'
import { compileWildcard } from './wildcard.ts'

/** What a span tells of its error. */
export interface ErrorEvidence {
  /** error.type as it was told, empty where there is none. */
  readonly errorType: string
  readonly httpStatus: number | undefined
  /** Other codes and classes, such as exception.type or a finish reason that means failure. */
  readonly codes: readonly string[]
  /** The status message, then those of the exceptions, a line each. */
  readonly message: string
}

/** Tells the kind of an error, see docs/errors.md. */
export interface ErrorTypes {
  classify(evidence: ErrorEvidence): string
}

const TYPES = [
  'rate_limit',
  'context_overflow',
  'timeout',
  'safety_filter',
  'authentication',
  'provider_error',
  'cancelled',
  'other',
] as const
type ErrorType = (typeof TYPES)[number]

const FILE = 'error-types.yaml'
/** Of a code that is longer the end counts: the class stands behind its packages. */
const MAX_CODE_LENGTH = 200
const MAX_CODES = 8
const MAX_MESSAGE_LENGTH = 2048
/** Kinds of evidence, and messages, that are remembered, before all are forgotten. */
const MAX_KNOWN = 2000
/** Longer messages are seldom said twice. */
const MAX_KNOWN_LENGTH = 256
/** Shorter texts stand in too many messages. */
const MIN_PATTERN_LENGTH = 4

const codes = z.array(z.union([z.string(), z.int()]).transform(String)).default([])
const statuses = z
  .union([z.int().transform(String), z.string()])
  .refine((text) => /^[1-5]\d\d(?:-[1-5]\d\d)?$/.test(text), 'a status is such as 429 or 500-599')
  .transform((text) => {
    const [low = '', high = low] = text.split('-')
    return { low: Number(low), high: Number(high) }
  })
  .refine(({ low, high }) => low <= high, 'a range ends where it begins, or later')
const errorTypesFile = z.strictObject({
  rules: z
    .array(
      z.strictObject({
        type: z.enum(TYPES),
        codes,
        message: z.array(z.string()).default([]),
        http_status: z.array(statuses).default([]),
        broad_codes: codes,
      }),
    )
    .min(1),
})
type Rule = z.output<typeof errorTypesFile>['rules'][number]

/**
 * Parses rules for the kinds of errors. The file's own comment says how rules are written.
 * Throws an Error that names the file and the place.
 */
export function parseErrorTypes(text: string, file: string): ErrorTypes {
  const complaint = `${file} does not hold error types`
  const { rules } = requireShape(errorTypesFile, parseYaml(text, file), complaint)
  checkForRepeats(rules, file)
  return createErrorTypes(rules, file)
}

/** The rules that ship. */
export function loadErrorTypes(): ErrorTypes {
  return parseErrorTypes(readFileSync(new URL(FILE, import.meta.url), 'utf8'), FILE)
}

/** What codes and status make of an error, and whether its message can change that. */
interface Verdict {
  readonly type: string
  readonly isSettled: boolean
}

function createErrorTypes(rules: readonly Rule[], file: string): ErrorTypes {
  const specific = compileCodes(rules, 'codes', file)
  const broad = compileCodes(rules, 'broad_codes', file)
  const inMessage = compileMessages(rules, specific.listed, file)
  const typeOf = (rank: number): ErrorType => rules[rank]?.type ?? 'other'

  const judge = (told: readonly string[], status: number | undefined): Verdict => {
    const rank = specific.find(told)
    if (rank < rules.length) return { type: typeOf(rank), isSettled: true }
    const all = [status, ...told.filter((code) => /^[1-5]\d\d$/.test(code)).map(Number)]
    const byStatus = rules.findIndex((rule) =>
      rule.http_status.some(({ low, high }) =>
        all.some((one) => one !== undefined && one >= low && one <= high),
      ),
    )
    return { type: typeOf(byStatus < 0 ? broad.find(told) : byStatus), isSettled: false }
  }

  const verdicts = remember<Verdict>()
  const ranks = remember<number>()
  return {
    classify({ errorType, httpStatus, codes: others, message }) {
      const told = [errorType, ...others.slice(0, MAX_CODES)].map((code) =>
        code.slice(-MAX_CODE_LENGTH),
      )
      const key = `${httpStatus ?? ''}\0${told.join('\0')}`
      const verdict = verdicts(key, () => judge(told, httpStatus))
      if (verdict.isSettled || message === '') return verdict.type
      const text = message.slice(0, MAX_MESSAGE_LENGTH)
      const rank =
        text.length > MAX_KNOWN_LENGTH ? inMessage(text) : ranks(text, () => inMessage(text))
      return rank < rules.length ? typeOf(rank) : verdict.type
    },
  }
}

/** What was found for a key once, so that errors of one cause, which come in thousands, cost little. */
function remember<Value>() {
  const known = new Map<string, Value>()
  return (key: string, find: () => Value): Value => {
    const before = known.get(key)
    if (before !== undefined) return before
    const value = find()
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(key, value)
    return value
  }
}

interface Codes {
  /** Codes without a star, as `fold` has them, with their rules' places. */
  readonly listed: ReadonlyMap<string, number>
  /** Place of the first rule that one of the codes matches; the number of rules where there is none. */
  find(told: readonly string[]): number
}

function compileCodes(rules: readonly Rule[], part: 'codes' | 'broad_codes', file: string): Codes {
  const listed = new Map<string, number>()
  const globs: { rank: number; isWhole: boolean; matches: (text: string) => boolean }[] = []
  for (const [rank, rule] of rules.entries()) {
    for (const [index, code] of rule[part].entries()) {
      const pattern = fold(code)
      if (/^\**$/.test(pattern)) {
        throw new Error(`${file}: rules.${rank}.${part}.${index}: "${code}" would match any code`)
      }
      if (!pattern.includes('*')) {
        if (!listed.has(pattern)) listed.set(pattern, rank)
      } else {
        globs.push({ rank, isWhole: /[.:]/.test(pattern), matches: compileWildcard(pattern) })
      }
    }
  }
  const findOne = (code: string): number => {
    const whole = fold(code)
    const name = fold(lastName(code))
    const rank = Math.min(listed.get(whole) ?? rules.length, listed.get(name) ?? rules.length)
    const glob = globs.find(({ isWhole, matches }) => matches(isWhole ? whole : name))
    return Math.min(rank, glob?.rank ?? rules.length)
  }
  return { listed, find: (told) => Math.min(...told.map(findOne)) }
}

/** Case, spaces, `_` and `-` do not count: RATE_LIMIT is RateLimit. */
function fold(code: string): string {
  return code.toLowerCase().replace(/[\s_-]/g, '')
}

/** The class's own name in `openai.RateLimitError`, `Errors::RateLimit` or `<class 'a.B'>`. */
function lastName(code: string): string {
  return code.split(/[.:$/#'"<>()[\]*]+/).findLast((part) => part !== '') ?? ''
}

/** Words of a message that may be codes; a word of plain English never is. */
const WORD = /[A-Za-z][\w-]{5,63}/g
const IS_CODE = /_|[a-z][A-Z]/

/** Place of the first rule that a message matches, by a pattern or by a code that stands in it. */
function compileMessages(
  rules: readonly Rule[],
  listed: ReadonlyMap<string, number>,
  file: string,
): (message: string) => number {
  const patterns = rules.map((rule, rank) => {
    for (const [index, pattern] of rule.message.entries()) {
      if (pattern.split('*').some((part) => part.length >= MIN_PATTERN_LENGTH)) continue
      const place = `rules.${rank}.message.${index}`
      throw new Error(`${file}: ${place}: "${pattern}" would match too many messages`)
    }
    return { rank, matches: compileTexts(rule.message.map((pattern) => pattern.toLowerCase())) }
  })
  return (message) => {
    let byCode = rules.length
    for (const [word] of message.matchAll(WORD)) {
      if (IS_CODE.test(word)) byCode = Math.min(byCode, listed.get(fold(word)) ?? byCode)
    }
    const text = message.toLowerCase()
    const found = patterns.find(({ rank, matches }) => rank >= byCode || matches(text))
    return Math.min(byCode, found?.rank ?? byCode)
  }
}

/** Whether one of the patterns stands in a text. Plain ones are one expression: it is ten times as fast. */
function compileTexts(patterns: readonly string[]): (text: string) => boolean {
  const plain = patterns.filter((pattern) => !pattern.includes('*'))
  const starred = patterns.filter((pattern) => pattern.includes('*'))
  const anyPlain = new RegExp(plain.map((pattern) => RegExp.escape(pattern)).join('|'))
  const wildcards = starred.map((pattern) => compileWildcard(`*${pattern}*`))
  return (text) =>
    (plain.length > 0 && anyPlain.test(text)) || wildcards.some((matches) => matches(text))
}

/** Of a code that stands in two lists only one would ever count, and nobody would see which. */
function checkForRepeats(rules: readonly Rule[], file: string): void {
  const lists = new Map<string, string>()
  for (const [rank, rule] of rules.entries()) {
    for (const part of ['codes', 'broad_codes'] as const) {
      const list = `rules.${rank}.${part} (${rule.type})`
      for (const code of rule[part]) {
        const other = lists.get(fold(code)) ?? list
        if (other !== list) throw new Error(`${file}: "${code}" stands in ${other} and in ${list}`)
        lists.set(fold(code), list)
      }
    }
  }
}
