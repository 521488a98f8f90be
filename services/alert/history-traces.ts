/** A trace to look at: the worst of its bucket. */
export interface Worst {
  readonly offset: number
  readonly value: number
  readonly traceId: string
}

/** The worst first; ids and buckets tell equal ones apart, so that order never matters. */
export function compareWorst(a: Omit<Worst, 'offset'>, b: Omit<Worst, 'offset'>): number {
  if (a.value !== b.value) return b.value - a.value
  if (a.traceId === b.traceId) return 0
  return a.traceId < b.traceId ? -1 : 1
}

/**
 * Worst traces of a block, the worst first, one for each bucket at most. Where all but the first
 * `limit` are let go each time, those that are left are the same for every order of adding: what was
 * let go had `limit` worse ones beside it, and these only ever get worse.
 */
export function withTrace(traces: readonly Worst[], added: Worst, limit: number): readonly Worst[] {
  const other = traces.find(({ offset }) => offset === added.offset)
  if (other !== undefined && compareWorst(other, added) <= 0) return traces
  return sortedWorst([...traces.filter((trace) => trace !== other), added], limit)
}

/** The first `limit` of them, the worst first. */
export function sortedWorst(traces: readonly Worst[], limit: number): readonly Worst[] {
  return traces.toSorted((a, b) => compareWorst(a, b) || a.offset - b.offset).slice(0, limit)
}
