import type { IANAZone } from 'luxon'

const MINUTE_MS = 60_000

/** By how much the clocks of a zone are ahead of UTC at a time, milliseconds. */
export function offsetMs(zone: IANAZone, timeMs: number): number {
  return Math.round(zone.offset(timeMs) * MINUTE_MS)
}

/** When the clocks change in from..to, if they do: the first millisecond of the new offset. */
export function findChange(zone: IANAZone, fromMs: number, toMs: number): number | undefined {
  const before = zone.offset(fromMs)
  if (zone.offset(toMs) === before) return undefined
  let [low, high] = [fromMs, toMs]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (zone.offset(middle) === before) low = middle
    else high = middle
  }
  return high
}

/** Day of the week, 1 (Monday) to 7, of a date in days since 1970-01-01, which was a Thursday. */
export function weekdayOf(date: number): number {
  return ((((date + 3) % 7) + 7) % 7) + 1
}
