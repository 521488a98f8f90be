/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** From 0 to 1 (exclusive). */
  next(): number
  /** A whole number from..to, both included. */
  whole(from: number, to: number): number
  /** One of them. */
  pick<T>(values: readonly [T, ...T[]]): T
}

/** The generator Mulberry32 (Tommy Ettinger): a counter, and its bits mixed. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const whole = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  return { next, whole, pick: (values) => values[whole(0, values.length - 1)] ?? values[0] }
}
