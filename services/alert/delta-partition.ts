import { joinGroup, type SeriesSpec, splitGroup } from './series.ts'

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** What chooses the partition of a group: its first keyLength values. */
export function keyOf(
  { by, keyLength }: Pick<SeriesSpec, 'by' | 'keyLength'>,
  group: string,
): string {
  if (keyLength >= by.length) return group
  return joinGroup(splitGroup(group, by.length).slice(0, keyLength))
}

/**
 * The partition of a key: the 32-bit FNV-1a hash (Fowler, Noll and Vo) of its UTF-8 bytes, with the
 * bits mixed by the last step of MurmurHash3 (Appleby), modulo the number of partitions. It must never change: groups would
 * move from one evaluator to another.
 */
export function partitionOfKey(key: string, partitions: number): number {
  let hash = FNV_OFFSET
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, FNV_PRIME)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) % partitions
}
