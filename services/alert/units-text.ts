const DIGITS = 3
/** Seconds from which on another unit reads better, and seconds of that unit. */
const TIMES: readonly (readonly [fromSeconds: number, unit: string, seconds: number])[] = [
  [172_800, 'd', 86_400],
  [7_200, 'h', 3_600],
  [120, 'min', 60],
  [1, 's', 1],
]

const cents = new Intl.NumberFormat('en-US', {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
  trailingZeroDisplay: 'stripIfInteger',
  signDisplay: 'negative',
})
/** Made once: it takes longer to make one than to use it. */
const short = significant(DIGITS)
const longer = significant(DIGITS + 1)
const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0, signDisplay: 'negative' })

/**
 * A measured value as people read it: `12.30 USD`, `850 ms`, `6.25%`, `14.6x`. Units are those of
 * measures, and x for burn rates. Null is not known, which is not 0.
 */
export function formatValue(value: number | null, unit: string): string {
  if (value === null) return 'no data'
  switch (unit) {
    case 'USD':
      // Single calls cost less than a cent.
      return `${Math.abs(value) < 0.01 ? short.format(value) : cents.format(value)} USD`
    case 's':
      return formatSeconds(value)
    case 'ratio':
      return `${short.format(value * 100)}%`
    case 'x':
      return `${short.format(value)}x`
    case 'score':
      return short.format(value)
    case '':
      return longer.format(value)
    default:
      return `${longer.format(value)} ${unit}`
  }
}

/** A number of records. */
export function formatCount(count: number): string {
  return whole.format(count)
}

function formatSeconds(value: number): string {
  // Rounded first: 999.9 ms is a second.
  const seconds = Number(value.toPrecision(DIGITS))
  const found = TIMES.find(([fromSeconds]) => Math.abs(seconds) >= fromSeconds)
  if (found === undefined) return seconds === 0 ? '0 s' : `${short.format(seconds * 1_000)} ms`
  const [, unit, unitSeconds] = found
  return `${short.format(value / unitSeconds)} ${unit}`
}

/** So many digits that say something; before the point, all of them. */
function significant(digits: number): Intl.NumberFormat {
  return new Intl.NumberFormat('en-US', {
    maximumSignificantDigits: digits,
    maximumFractionDigits: 0,
    roundingPriority: 'morePrecision',
    signDisplay: 'negative',
  })
}
