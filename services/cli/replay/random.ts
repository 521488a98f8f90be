/** A stream of random numbers. The same key gives the same stream. */
export interface Random {
  /** A whole number in [0, 2³²). */
  readonly uint32: () => number
  /** A number in [0, 1). */
  readonly next: () => number
}

/** Three 32-bit words that name a stream, for example seed, row and purpose. */
type StreamKey = readonly [number, number, number]

const warmUpRounds = 15

/**
 * The generator sfc32 by Chris Doty-Humphrey (public domain, part of PractRand 0.95), whose three
 * words of state take the key as it is. Its author discards 12 numbers after seeding, we 15.
 */
export function createRandom([first, second, third]: StreamKey): Random {
  let a = first | 0
  let b = second | 0
  let c = third | 0
  let counter = 1
  const uint32 = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    c |= 0
    return sum >>> 0
  }
  for (let round = 0; round < warmUpRounds; round++) uint32()
  return { uint32, next: () => uint32() / 4_294_967_296 }
}

/** True with the given probability. */
export function chance(random: Random, probability: number): boolean {
  return random.next() < probability
}

/** A whole number in [min, max]. */
export function between(random: Random, min: number, max: number): number {
  return min + Math.floor(random.next() * (max - min + 1))
}

/** One of the items, all equally likely. */
export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[Math.floor(random.next() * items.length)]
  if (item === undefined) throw new RangeError('pick needs at least one item')
  return item
}

/** One of the items by its weight; the weights need not add up to 1. */
export function pickWeighted<T extends { readonly weight: number }>(
  random: Random,
  items: readonly T[],
): T {
  const total = items.reduce((sum, item) => sum + item.weight, 0)
  let rest = random.next() * total
  for (const item of items) {
    rest -= item.weight
    if (rest < 0) return item
  }
  // Rounding may leave a rest of about 1e-17, which belongs to the last item.
  const last = items.at(-1)
  if (last === undefined) throw new RangeError('pickWeighted needs at least one item')
  return last
}

/** Normal noise around 0, by Box and Muller (1958). */
export function normal(random: Random, sigma: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()))
  return sigma * radius * Math.cos(2 * Math.PI * random.next())
}

/** Log-normal noise with median 1: exp(sigma × N(0, 1)). */
export function logNormal(random: Random, sigma: number): number {
  return Math.exp(normal(random, sigma))
}

/** Lower-case hexadecimal digits; their number must be a multiple of eight. */
export function hexDigits(random: Random, digits: number): string {
  let text = ''
  while (text.length < digits) text += random.uint32().toString(16).padStart(8, '0')
  return text
}

/** A 32-bit hash of a text: FNV-1a, finished as in MurmurHash3 (fmix32) so that all bits mix. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
