const NANOS_PER_MS = 1_000_000n

/** Milliseconds since the epoch as nanoseconds; a fraction of a millisecond is cut off. */
export function toNanos(timeMs: number): bigint {
  return BigInt(Math.trunc(timeMs)) * NANOS_PER_MS
}
