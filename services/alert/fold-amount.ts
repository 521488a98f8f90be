import { SUM_BASE } from './series.ts'

/** An Avro long has 28 bits in each four of its bytes; half of the first is the sign. */
const GROUP_BITS = 28
const TWO_27 = 2 ** 27
const TWO_26 = 2 ** 26
/** Powers of two by SUM_BASE, to add up halves without leaving the whole numbers of a double. */
const TWO_41_HIGH = 2_199
const TWO_41_LOW = 23_255_552
const TWO_55_HIGH = 36_028_797
const TWO_55_LOW = 18_963_968
/** Below this, high * SUM_BASE + low is exact. */
const MAX_EXACT_HIGH = 9_007_199
const BIG_BASE = BigInt(SUM_BASE)
/** Two longs, added or taken from one another, are within. */
const LIMIT = 2n ** 65n

/**
 * A whole number of 64 bits and some more as high * SUM_BASE + low, with low never negative: what a double cannot
 * hold, without a bigint for each. Written over from record to record.
 */
export class Amount {
  high = 0
  low = 0

  /** The number as a double, rounded once where it does not fit. */
  get units(): number {
    const { high, low } = this
    if (high < MAX_EXACT_HIGH && high > -MAX_EXACT_HIGH) return high * SUM_BASE + low
    return Number(BigInt(high) * BIG_BASE + BigInt(low))
  }

  /** Takes a number; false, and nothing taken, for one beyond 2^65. Fractions are cut off. */
  set(units: number | bigint): boolean {
    if (typeof units === 'number' && !Number.isFinite(units)) return false
    if (Number.isSafeInteger(units)) {
      this.#setExact(Number(units))
      return true
    }
    const whole = typeof units === 'bigint' ? units : BigInt(Math.trunc(units))
    if (whole < -LIMIT || whole > LIMIT) return false
    const low = ((whole % BIG_BASE) + BIG_BASE) % BIG_BASE
    this.high = Number((whole - low) / BIG_BASE)
    this.low = Number(low)
    return true
  }

  copy(other: Amount): true {
    this.high = other.high
    this.low = other.low
    return true
  }

  /** Adds, or with a sign of -1 takes away, high * SUM_BASE + low. */
  addHalves(high: number, low: number): void {
    this.high += high
    this.low += low
    if (this.low >= SUM_BASE) {
      this.low -= SUM_BASE
      this.high++
    } else if (this.low < 0) {
      this.low += SUM_BASE
      this.high--
    }
  }

  isAbove(other: Amount): boolean {
    return this.high > other.high || (this.high === other.high && this.low > other.low)
  }

  /** Reads an Avro long where it stands; its bytes were stepped over before. */
  read(buffer: Uint8Array, start: number): void {
    let at = start
    let byte = buffer[at++] ?? 0
    let first = byte & 0x7f
    for (let shift = 7; byte >= 0x80 && shift < GROUP_BITS; shift += 7) {
      byte = buffer[at++] ?? 0
      first |= (byte & 0x7f) << shift
    }
    let second = 0
    for (let shift = 0; byte >= 0x80 && shift < GROUP_BITS; shift += 7) {
      byte = buffer[at++] ?? 0
      second |= (byte & 0x7f) << shift
    }
    let third = 0
    for (let shift = 0; byte >= 0x80 && shift < 14; shift += 7) {
      byte = buffer[at++] ?? 0
      third |= (byte & 0x7f) << shift
    }
    this.#setGroups(first >>> 1, second, third & 0xff)
    if ((first & 1) === 1) this.#complement()
  }

  #setExact(units: number): void {
    // A negative zero becomes a zero.
    this.high = Math.floor(units / SUM_BASE) + 0
    this.low = units - this.high * SUM_BASE + 0
  }

  /** Takes first + second * 2^27 + third * 2^55. */
  #setGroups(first: number, second: number, third: number): void {
    if (third === 0 && second < TWO_26) return this.#setExact(second * TWO_27 + first)
    const upper = second >>> 14
    const rest = first + (second & 0x3fff) * TWO_27 + upper * TWO_41_LOW + third * TWO_55_LOW
    const carry = Math.floor(rest / SUM_BASE)
    this.high = upper * TWO_41_HIGH + third * TWO_55_HIGH + carry
    this.low = rest - carry * SUM_BASE
  }

  /** Turns n into -n - 1. */
  #complement(): void {
    this.high = -this.high - 1
    this.low = SUM_BASE - 1 - this.low
  }
}
