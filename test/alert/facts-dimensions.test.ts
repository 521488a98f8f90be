import { expect, test } from 'vitest'
import { DIMENSIONS } from '../../services/alert/dimensions.ts'
import { requireDimension } from '../../services/alert/facts-dimensions.ts'
import type { Source } from '../../services/alert/series.ts'

const SOURCES: readonly Source[] = ['spans', 'evaluations', 'dead_letters', 'system']

test.each(SOURCES)('Every dimension that rules of %s may name is there', (source) => {
  expect(DIMENSIONS[source].length).toBeGreaterThan(2)
  for (const dimension of DIMENSIONS[source]) requireDimension(source, dimension)
})

test.each(SOURCES)('Others of %s are not', (source) => {
  expect(() => requireDimension(source, 'colour')).toThrow('no dimension colour')
})
