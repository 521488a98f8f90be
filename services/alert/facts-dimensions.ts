import { createLayout } from '#schemas/layout.ts'
import { schemas } from '#schemas/topics.ts'
import type { Source } from './series.ts'
import { placeOf } from './span-facts.ts'

/** Texts that rows of a source have; of spans it is all that their bytes tell. */
const TEXTS: Readonly<Record<Exclude<Source, 'spans'>, ReadonlySet<string>>> = {
  evaluations: createLayout(schemas.evaluation).strings,
  dead_letters: new Set(['worker', 'source', 'reason', 'format']),
  system: new Set(['observation', 'group', 'topic', 'partition']),
}

/** Throws for a dimension that records of a source do not have. */
export function requireDimension(source: Source, dimension: string): void {
  if (source === 'spans') placeOf(dimension)
  else if (!TEXTS[source].has(dimension)) {
    throw new Error(`${source} have no dimension ${dimension}`)
  }
}
