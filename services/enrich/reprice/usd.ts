import { decimalText } from '#runtime/money.ts'

/** Pico-USD as USD for a person: to a millionth, rounded half away from zero, with its thousands apart. */
export function shortUsd(picoUsd: bigint): string {
  const [whole = '', fraction = ''] = decimalText(rounded(picoUsd), 6).split('.')
  return `${whole.replaceAll(/(?<=\d)(?=(?:\d{3})+$)/g, ',')}.${fraction}`
}

function rounded(picoUsd: bigint): bigint {
  const half = picoUsd < 0n ? -500_000n : 500_000n
  return (picoUsd + half) / 1_000_000n
}
