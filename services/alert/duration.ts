const DURATION = /^(\d{1,12}(?:\.\d{1,6})?) ?(ms|s|m|h|d|w)$/
const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** Reads `250ms`, `1.5s`, `2m`, `1h`, `30d`: whole milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, digits = '', unit = ''] = DURATION.exec(text.trim()) ?? []
  const ms = Number(digits) * (UNIT_MS[unit] ?? Number.NaN)
  // 1.1s are 1100.0000000000002 ms where doubles are multiplied.
  const rounded = Math.round(ms)
  return digits !== '' && Math.abs(ms - rounded) < 1e-6 ? rounded : undefined
}

/** Milliseconds as people write them, in the largest unit that gives a whole number. */
export function formatDuration(ms: number): string {
  const units = ['d', 'h', 'm', 's'].filter((unit) => ms % (UNIT_MS[unit] ?? 1) === 0)
  const [unit = 'ms'] = ms === 0 ? ['s'] : units
  return `${ms / (UNIT_MS[unit] ?? 1)}${unit}`
}
