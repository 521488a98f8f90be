const NANOS_PER_MS = 1_000_000n

/** What is told to be further ahead of when it came counts as from then: the teller's clock is wrong. */
export const MAX_AHEAD_MS = 5 * 60_000

/** Nanoseconds since the epoch as milliseconds, rounded down. */
export function msOfNanos(nanos: bigint): number {
  const ms = nanos / NANOS_PER_MS
  return Number(nanos < ms * NANOS_PER_MS ? ms - 1n : ms)
}
