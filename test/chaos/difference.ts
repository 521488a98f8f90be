/** What a table lacks, and what it has too much, each by its line and how often. */
export interface Difference {
  readonly what: string
  readonly lost: readonly string[]
  readonly doubled: readonly string[]
  readonly lostCount: number
  readonly doubledCount: number
  /** How many there had to be. */
  readonly expected: number
}

const MAX_SHOWN = 20

/** Compares two lists regardless of order; what stands in one twice must stand twice in the other. */
export function compareLines(
  what: string,
  expected: Iterable<string>,
  actual: Iterable<string>,
): Difference {
  const counts = new Map<string, number>()
  let total = 0
  for (const line of expected) {
    counts.set(line, (counts.get(line) ?? 0) + 1)
    total++
  }
  for (const line of actual) counts.set(line, (counts.get(line) ?? 0) - 1)
  const lost = [...counts].filter(([, count]) => count > 0)
  const doubled = [...counts].filter(([, count]) => count < 0)
  return {
    what,
    lost: lost.slice(0, MAX_SHOWN).map(show),
    doubled: doubled.slice(0, MAX_SHOWN).map(show),
    lostCount: lost.reduce((sum, [, count]) => sum + count, 0),
    doubledCount: doubled.reduce((sum, [, count]) => sum - count, 0),
    expected: total,
  }
}

function show([line, count]: readonly [string, number]): string {
  return Math.abs(count) === 1 ? line : `${Math.abs(count)} × ${line}`
}

export function isDifferent({ lostCount, doubledCount }: Difference): boolean {
  return lostCount + doubledCount > 0
}
