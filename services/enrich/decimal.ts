/** A decimal number that is not negative, exact: digits / 10^scale, without zeros at its end. */
export interface Decimal {
  readonly digits: bigint
  readonly scale: number
}

const DECIMAL = /^\+?(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?$/i
/** More digits than a price or a percentage has. */
const MAX_DIGITS = 60
const TEN = 10n

/** Reads a number by its digits; undefined for what is none, for a negative one, and for endless ones. */
export function parseDecimal(text: string): Decimal | undefined {
  const found = DECIMAL.exec(text.trim())
  if (found === null) return undefined
  const [, whole = '', fraction = '', exponent = '0'] = found
  const shift = Number(exponent)
  if (whole + fraction === '' || whole.length + fraction.length + Math.abs(shift) > MAX_DIGITS) {
    return undefined
  }
  return decimal(BigInt(whole + fraction), fraction.length - shift)
}

/** digits / 10^scale. */
export function decimal(digits: bigint, scale: number): Decimal {
  if (digits === 0n) return { digits, scale: 0 }
  if (scale < 0) return { digits: digits * TEN ** BigInt(-scale), scale: 0 }
  let [short, places] = [digits, scale]
  while (places > 0 && short % TEN === 0n) {
    short /= TEN
    places--
  }
  return { digits: short, scale: places }
}

/** The number without an exponent, such as 0.075. */
export function decimalText({ digits, scale }: Decimal): string {
  if (scale === 0) return String(digits)
  const padded = String(digits).padStart(scale + 1, '0')
  return `${padded.slice(0, -scale)}.${padded.slice(-scale)}`
}

/** So many percent of a number, exactly. */
export function percentOf(value: Decimal, percent: Decimal): Decimal {
  return decimal(value.digits * percent.digits, value.scale + percent.scale + 2)
}

/** What is left of a hundred percent; zero where nothing is. */
export function percentLeft(percent: Decimal): Decimal {
  const left = 100n * TEN ** BigInt(percent.scale) - percent.digits
  return decimal(left < 0n ? 0n : left, percent.scale)
}

/** A number with at most so many decimals, rounded half up. */
export function rounded(value: Decimal, places: number): Decimal {
  if (value.scale <= places) return value
  const divisor = TEN ** BigInt(value.scale - places)
  return decimal((value.digits + divisor / 2n) / divisor, places)
}
