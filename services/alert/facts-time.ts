const NANOS_PER_MS = 1_000_000n

/** Nanoseconds since the epoch as milliseconds, rounded down. */
export function msOfNanos(nanos: bigint): number {
  const ms = nanos / NANOS_PER_MS
  return Number(nanos < ms * NANOS_PER_MS ? ms - 1n : ms)
}
