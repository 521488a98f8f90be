const PICO_DIGITS = 12

/** Pico-USD as decimal text of USD, exact, with all twelve digits. */
export function exactUsd(picoUsd: bigint): string {
  return decimal(picoUsd, PICO_DIGITS)
}

/** Pico-USD as USD for a person: to a millionth, rounded half away from zero, with its thousands apart. */
export function shortUsd(picoUsd: bigint): string {
  const [whole = '', fraction = ''] = decimal(rounded(picoUsd), 6).split('.')
  return `${whole.replaceAll(/(?<=\d)(?=(?:\d{3})+$)/g, ',')}.${fraction}`
}

function rounded(picoUsd: bigint): bigint {
  const half = picoUsd < 0n ? -500_000n : 500_000n
  return (picoUsd + half) / 1_000_000n
}

function decimal(units: bigint, places: number): string {
  const sign = units < 0n ? '-' : ''
  const digits = String(units < 0n ? -units : units).padStart(places + 1, '0')
  return `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`
}
