/** The middle of several runs, and how far they lie apart. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Median (the mean of the middle two of an even number), least and most. Throws for no values. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]
  const min = sorted[0]
  const max = sorted.at(-1)
  if (upper === undefined || lower === undefined || min === undefined || max === undefined)
    throw new RangeError('a median needs at least one value')
  return { median: (lower + upper) / 2, min, max }
}
