const PICO_DIGITS = 12
const AMOUNT = /^\+?(\d+)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?$/i

/**
 * An amount in USD, as decimal text, in whole pico-USD (10^-12 USD); digits beyond are rounded half
 * up. Undefined for what is no amount, and for a negative one.
 */
export function picoUsd(usd: string): bigint | undefined {
  const found = AMOUNT.exec(usd.trim())
  if (found === null) return undefined
  const [, whole = '0', fraction = '', exponent = '0'] = found
  const digits = BigInt(whole + fraction)
  const shift = PICO_DIGITS + Number(exponent) - fraction.length
  if (shift >= 0) return digits * 10n ** BigInt(shift)
  const divisor = 10n ** BigInt(-shift)
  return (digits + divisor / 2n) / divisor
}

/** Pico-USD as decimal text of USD, exact, with all twelve digits. */
export function exactUsd(pico: bigint): string {
  return decimalText(pico, PICO_DIGITS)
}

/** A number of units as a decimal with so many places, at least one. */
export function decimalText(units: bigint, places: number): string {
  const sign = units < 0n ? '-' : ''
  const digits = String(units < 0n ? -units : units).padStart(places + 1, '0')
  return `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`
}
