import { UNITS_PER_ONE, type ValueField } from './series.ts'

/** num / den, exactly; den is above 0. Limits are compared as fractions, so that no rounding decides. */
export interface Fraction {
  readonly num: bigint
  readonly den: bigint
}

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/

/** The number that stands in a rule, as it was written: 0.05 is 5 / 100, which no double is. */
export function exactly(value: number): Fraction {
  if (Number.isSafeInteger(value)) return whole(value)
  const [, sign = '', integer = '', fraction = '', exponent = '0'] =
    DECIMAL.exec(String(value)) ?? []
  if (integer === '') throw new RangeError(`${value} is no number that can be compared with`)
  const digits = BigInt(`${sign}${integer}${fraction}`)
  const shift = Number(exponent) - fraction.length
  const power = 10n ** BigInt(Math.abs(shift))
  return shift >= 0 ? { num: digits * power, den: 1n } : { num: digits, den: power }
}

export function whole(num: number | bigint): Fraction {
  return { num: BigInt(num), den: 1n }
}

export function times(a: Fraction, b: Fraction): Fraction {
  return { num: a.num * b.num, den: a.den * b.den }
}

/** Below 0, 0 or above 0, as a is to b. */
export function compare(a: Fraction, b: Fraction): number {
  const difference = a.num * b.den - b.num * a.den
  if (difference === 0n) return 0
  return difference < 0n ? -1 : 1
}

/** For people alone: the nearest double or one beside it. */
export function toNumber({ num, den }: Fraction): number {
  return Number(num) / Number(den)
}

/** Units to one of what people read. */
export function unitsOf(field: ValueField | undefined): bigint {
  return field === undefined ? 1n : BigInt(UNITS_PER_ONE[field])
}
