import { parseTime } from '#runtime/iso-time.ts'
import { toNanos } from '#runtime/time.ts'

const NANOS_PER_SECOND = 1_000_000_000n
const MS_PER_SECOND = 1_000
const FRACTION_DIGITS = 9
const FIRST = toNanos(Date.UTC(2000, 0, 1))
const LAST = toNanos(Date.UTC(2262, 0, 1))

/** A time in nanoseconds since the epoch, or what is wrong with it. */
export type TimeReading = bigint | { readonly problem: string }

/**
 * Reads the time of an evaluation: an RFC 3339 time, UTC where it has no offset, or nanoseconds since
 * the epoch as a number or as text. A number of JSON is exact to 256 nanoseconds.
 */
export function readEvaluationTime(value: unknown): TimeReading {
  if (typeof value === 'number' && Number.isInteger(value)) return within(BigInt(value))
  if (typeof value === 'string') {
    if (/^\d{1,19}$/.test(value)) return within(BigInt(value))
    const timeMs = parseTime(value)
    if (timeMs !== undefined) return within(nanosOf(value, timeMs))
  }
  return { problem: 'must be an RFC 3339 time, or nanoseconds since the epoch' }
}

/** A time that was read to the millisecond, with all the digits of its text. */
function nanosOf(text: string, timeMs: number): bigint {
  const [, fraction = ''] = /\.(\d+)/.exec(text) ?? []
  const seconds = BigInt(Math.floor(timeMs / MS_PER_SECOND))
  return seconds * NANOS_PER_SECOND + BigInt(fraction.padEnd(FRACTION_DIGITS, '0'))
}

function within(nanos: bigint): TimeReading {
  if (nanos >= FIRST && nanos < LAST) return nanos
  return {
    problem: 'lies before the year 2000 or after 2261; a number counts nanoseconds since the epoch',
  }
}
