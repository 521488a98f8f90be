/** Finds byte strings among a fixed set without making JavaScript strings of them. */
export interface KeyTable {
  /** Index of the key that stands at start…end, or -1. */
  find(buffer: Buffer, start: number, end: number): number
  /** The same, where the bytes' hashBytes is known. */
  findHashed(hash: number, buffer: Buffer, start: number, end: number): number
}

const LARGE_PRIME = 0x9e3779b1

/**
 * Builds the table: an open-addressing hash over the keys' UTF-8 bytes, which lie side by side with
 * their hashes, so that a look-up touches little memory.
 */
export function createKeyTable(keys: readonly string[]): KeyTable {
  const stored = keys.map((key) => Buffer.from(key))
  const bytes = new Uint8Array(Buffer.concat(stored))
  const ends = new Uint32Array(stored.length)
  stored.reduce((end, key, index) => (ends[index] = end + key.length), 0)
  const hashes = Uint32Array.from(stored, (key) => hashBytes(key, 0, key.length))
  const size = 2 ** Math.ceil(Math.log2(Math.max(4, keys.length * 4)))
  const buckets = new Int16Array(size).fill(-1)
  hashes.forEach((hash, index) => {
    let bucket = hash & (size - 1)
    while ((buckets[bucket] ?? -1) >= 0) bucket = (bucket + 1) & (size - 1)
    buckets[bucket] = index
  })
  const isAt = (index: number, buffer: Buffer, start: number, end: number): boolean => {
    const from = index === 0 ? 0 : (ends[index - 1] ?? 0)
    let at = (ends[index] ?? 0) - 1
    if (at - from + 1 !== end - start) return false
    for (let other = end - 1; other >= start; other--)
      if (bytes[at--] !== buffer[other]) return false
    return true
  }
  const findHashed: KeyTable['findHashed'] = (hash, buffer, start, end) => {
    let bucket = hash & (size - 1)
    for (;;) {
      const index = buckets[bucket] ?? -1
      if (index < 0) return -1
      if (hashes[index] === hash && isAt(index, buffer, start, end)) return index
      bucket = (bucket + 1) & (size - 1)
    }
  }
  return {
    findHashed,
    find: (buffer, start, end) => findHashed(hashBytes(buffer, start, end), buffer, start, end),
  }
}

const HASHED_BYTES = 16

/** A 32-bit hash of the length and the last bytes: keys differ at their ends, and begin alike. */
export function hashBytes(buffer: Buffer, start: number, end: number): number {
  let hash = (end - start) | 0
  for (let at = Math.max(start, end - HASHED_BYTES); at < end; at++)
    hash = Math.imul(hash ^ (buffer[at] ?? 0), LARGE_PRIME)
  return (hash ^ (hash >>> 15)) >>> 0
}
