const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193
const TWO_32 = 2 ** 32

/**
 * Whether the content of a trace's spans is kept, at a rate from 0 to 1: by a hash of the trace id
 * (FNV-1a, 32 bits, then mixed), so that all spans of a trace, and all workers, decide alike.
 */
export function keepsContent(buffer: Buffer, start: number, end: number, rate: number): boolean {
  let hash = FNV_OFFSET
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (buffer[at] ?? 0), FNV_PRIME)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / TWO_32 < rate
}
