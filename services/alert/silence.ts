import { z } from 'zod'
import type { Rule } from './rule.ts'

/** Header of records of span.aggregates: a silence that begins, changes or ends. */
export const SILENCE_HEADER = 'silence'

/** A stretch of event time in which channels are not told of some alerts. */
export interface Silence {
  readonly id: string
  /** Name or id of a rule; empty for every rule. */
  readonly rule: string
  /** Dimensions and the values that a group must have; none for every group. */
  readonly matchers: Readonly<Record<string, string>>
  /** From fromMs to untilMs (exclusive). One that is over takes the place of one that is on. */
  readonly fromMs: number
  readonly untilMs: number
  readonly createdBy: string
  readonly comment: string
}

/** The text holds no silence; the message says what is wrong with it. */
export class SilenceError extends Error {
  override readonly name = 'SilenceError'
}

const MAX_MATCHERS = 16
const text = z.string().max(1_000)
const time = z.int().min(0)
const shape: z.ZodType<Silence> = z
  .object({
    id: z.string().regex(/^[\w-]{1,100}$/, 'must be letters, digits, _ and -'),
    rule: text,
    matchers: z
      .record(text, text)
      .refine((all) => Object.keys(all).length <= MAX_MATCHERS, `has more than ${MAX_MATCHERS}`),
    fromMs: time,
    untilMs: time,
    createdBy: text,
    comment: text,
  })
  .refine(({ fromMs, untilMs }) => fromMs <= untilMs, {
    path: ['untilMs'],
    message: 'is before fromMs',
  })

/** Text for a Silence. */
export function formatSilence(silence: Silence): string {
  return JSON.stringify(silence)
}

/** Reads formatSilence's text. Throws SilenceError for anything else. */
export function parseSilence(given: string): Silence {
  const result = shape.safeParse(readJson(given))
  if (result.success) return result.data
  const mistakes = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new SilenceError(`The silence is not valid: ${mistakes.join('; ')}`, {
    cause: result.error,
  })
}

function readJson(given: string): unknown {
  try {
    return JSON.parse(given)
  } catch (cause) {
    throw new SilenceError(`The silence is not JSON: ${String(cause)}`, { cause })
  }
}

/** Id of the first silence that holds for a rule and a group at a time; empty for none. */
export function isSilenced(
  silences: readonly Silence[],
  rule: Pick<Rule, 'id' | 'name'>,
  group: Readonly<Record<string, string>>,
  timeMs: number,
): string {
  const found = silences.find(
    (silence) =>
      silence.fromMs <= timeMs &&
      timeMs < silence.untilMs &&
      ['', rule.name, rule.id].includes(silence.rule) &&
      Object.entries(silence.matchers).every(([dimension, value]) => group[dimension] === value),
  )
  return found?.id ?? ''
}
