/** Milliseconds as a person reads them: with a decimal where there are few. */
export function ms(value: number): string {
  const digits = value !== 0 && Math.abs(value) < 10 ? 1 : 0
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}

/** A share as a percentage. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

/** A whole number with its thousands apart. */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}

/** A number with what it counts, in the plural where it is not one. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`
}

/** Cost as it is stored, with the calls that have no price; `-` where no call could have one. */
export function usd(cost: string | null, unpriced: number): string {
  const more = unpriced === 0 ? '' : `${count(unpriced)} unpriced`
  if (cost === null) return more === '' ? '-' : more
  return more === '' ? cost : `${cost} + ${more}`
}
