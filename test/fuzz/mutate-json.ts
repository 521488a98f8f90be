import type { Random } from '../alert/random.ts'
import { mutateBytes } from './mutate-bytes.ts'

/** JSON values as texts, as some of them have no place in JavaScript. */
const ODD = [
  'null',
  'true',
  '-0',
  '0.1',
  '1e999',
  '-1',
  '18446744073709551615',
  '18446744073709551616',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775809',
  '9007199254740993',
  '""',
  '"NaN"',
  '"Infinity"',
  '"0x10"',
  '" 1"',
  '"1e3"',
  '"\\ud800"',
  '"\\u0000"',
  '"__proto__"',
  '[]',
  '{}',
  '[[]]',
  '[null]',
  '{"":0}',
  '{"__proto__":{"a":1}}',
  '{"constructor":1}',
  '{"stringValue":"a","intValue":1}',
  '{"arrayValue":{}}',
  '{"kvlistValue":{"values":[{}]}}',
] as const

const KEYS = [
  '',
  '__proto__',
  'constructor',
  'toString',
  'spans',
  'trace_id',
  'attributes',
] as const
/** A text in a value that stands for JSON as it is. */
const RAW = /"@raw:((?:[^"\\]|\\.)*)"/g
/** Of a hundred, so many have their text changed and not their values. */
const TEXT_SHARE = 15

/** Changes one place of a JSON value, and writes it. */
export function mutateJson(input: unknown, random: Random): Buffer {
  const text = write(changeValue(input, random, 0))
  return random.whole(1, 100) <= TEXT_SHARE
    ? mutateBytes(Buffer.from(text), random)
    : Buffer.from(text)
}

function write(value: unknown): string {
  return JSON.stringify(value).replace(RAW, (_, raw: string) => String(JSON.parse(`"${raw}"`)))
}

const odd = (random: Random): string => `@raw:${random.pick(ODD)}`

function changeValue(value: unknown, random: Random, depth: number): unknown {
  if (Array.isArray(value) && value.length > 0) return changeArray(value, random, depth)
  if (isObject(value) && Object.keys(value).length > 0) return changeObject(value, random, depth)
  const kind = random.whole(0, 5)
  if (kind === 0) return { stringValue: value }
  if (kind === 1) return [value]
  if (kind === 2) return deep(value, random.whole(1, 100))
  if (kind === 3 && typeof value === 'string') return value.repeat(random.whole(0, 300))
  return odd(random)
}

function changeArray(value: readonly unknown[], random: Random, depth: number): unknown {
  const at = random.whole(0, value.length - 1)
  const kind = random.whole(0, 12)
  if (kind === 0) return value.toSpliced(at, 1)
  if (kind === 1) return value.toSpliced(at, 0, ...Array.from({ length: 20 }, () => value[at]))
  if (kind === 2) return odd(random)
  return value.with(at, changeValue(value[at], random, depth + 1))
}

function changeObject(
  value: Readonly<Record<string, unknown>>,
  random: Random,
  depth: number,
): unknown {
  const entries = Object.entries(value)
  const at = random.whole(0, entries.length - 1)
  const [key = '', inner] = entries[at] ?? []
  const kind = random.whole(0, 14)
  if (kind === 0) return Object.fromEntries(entries.toSpliced(at, 1))
  if (kind === 1) return Object.fromEntries(entries.with(at, [random.pick(KEYS), inner]))
  if (kind === 2) return Object.fromEntries([...entries, [random.pick(KEYS), odd(random)]])
  if (kind === 3) return odd(random)
  if (kind === 4) return Object.fromEntries(entries.with(at, [snake(key), inner]))
  return Object.fromEntries(entries.with(at, [key, changeValue(inner, random, depth + 1)]))
}

/** OTLP's JSON has keys in camel case alone. */
const snake = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

function deep(value: unknown, levels: number): unknown {
  let inner = value
  for (let i = 0; i < levels; i++)
    inner = i % 2 === 0 ? { arrayValue: { values: [inner] } } : [inner]
  return inner
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
