import { picoUsd } from '#runtime/money.ts'
import type { Source } from './dialect-file.ts'

const MAX_JSON_LENGTH = 256 * 1024

/** JSON in an attribute, or undefined where it holds none, or more than is read. */
export function parseJson(text: string): unknown {
  if (text.length > MAX_JSON_LENGTH) return undefined
  try {
    return JSON.parse(text.startsWith("{'") ? fromPython(text) : text)
  } catch {
    return undefined
  }
}

const PYTHON_WORDS: Readonly<Record<string, string>> = {
  "'": '"',
  None: 'null',
  True: 'true',
  False: 'false',
}

/** Some instrumentations write str() of a Python dict of counts where JSON is meant. Text with quotes in it is not read. */
function fromPython(text: string): string {
  return text.replaceAll(/'|\b(?:None|True|False)\b/g, (word) => PYTHON_WORDS[word] ?? word)
}

/**
 * What a source makes of an attribute's text: a member of its JSON, a sum, a translated value, an
 * amount in pico-USD, a time in nanoseconds after the span's start. Empty where it tells nothing.
 * `json` gives the attribute's JSON.
 */
export function readSource(
  source: Source,
  text: string,
  json: () => unknown,
  startNano: bigint,
): string {
  const scale = source.unit === 'usd' ? picoOf : wholeOf
  if (source.sum !== undefined) return sumOf(json(), source.sum, scale)
  const told = source.path === undefined ? text : textOf(memberOf(json(), source.path))
  const value = source.values === undefined ? told : (source.values[told] ?? '')
  if (source.unit === 'usd') return picoUsd(value)?.toString() ?? ''
  return source.moment === undefined ? value : elapsed(value, startNano)
}

function memberOf(json: unknown, path: readonly string[]): unknown {
  let at = json
  for (const name of path) {
    if (!isObject(at)) return undefined
    at = at[name]
  }
  return at
}

const picoOf = (amount: number): bigint | undefined => picoUsd(String(amount))
const wholeOf = (count: number): bigint | undefined =>
  Number.isSafeInteger(count) ? BigInt(count) : undefined

/** The sum of the numbers of an object whose names begin alike; empty where there are none, or one is wrong. */
function sumOf(
  json: unknown,
  prefix: string,
  scale: (number: number) => bigint | undefined,
): string {
  if (!isObject(json)) return ''
  const numbers = Object.entries(json).flatMap(([name, value]) =>
    name.startsWith(prefix) && typeof value === 'number' ? [scale(value)] : [],
  )
  let sum = 0n
  for (const number of numbers) {
    if (number === undefined) return ''
    sum += number
  }
  return numbers.length === 0 ? '' : String(sum)
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  return JSON.stringify(value)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

const MOMENT = /^"?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?"?$/
const NANOS_PER_MS = 1_000_000n

/** Nanoseconds from the span's start to a moment of ISO 8601; a moment without a zone is UTC. */
function elapsed(moment: string, startNano: bigint): string {
  const found = MOMENT.exec(moment.trim())
  if (found === null) return ''
  const [, seconds = '', fraction = '', zone = 'Z'] = found
  const ms = Date.parse(`${seconds.replace(' ', 'T')}${zone}`)
  if (Number.isNaN(ms)) return ''
  const nanos = BigInt(ms) * NANOS_PER_MS + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
  return nanos < startNano ? '' : String(nanos - startNano)
}
