/** A straight line through points, by least squares. */
export interface LineFit {
  readonly mean: number
  /** By which y grows where x grows by one. */
  readonly slope: number
  /** Standard error of the slope, as if the points were independent: a sawtooth's is larger. */
  readonly slopeError: number
}

/** Fits a line. Throws for fewer than three points, or where all have the same x. */
export function fitLine(points: readonly (readonly [x: number, y: number])[]): LineFit {
  const count = points.length
  if (count < 3) throw new RangeError('a line with an error needs three points')
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count
  const mean = points.reduce((sum, [, y]) => sum + y, 0) / count
  const squares = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  if (squares === 0) throw new RangeError('a line needs points of different x')
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - mean), 0) / squares
  const rest = points.reduce((sum, [x, y]) => sum + (y - mean - slope * (x - meanX)) ** 2, 0)
  return { mean, slope, slopeError: Math.sqrt(rest / (count - 2) / squares) }
}
