import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileWildcard } from '../../services/ingest/wildcard.ts'

const SEED = { seed: 20_260_103 }

describe('A wildcard', () => {
  test.each([
    ['abc', 'abc', true],
    ['abc', 'abcd', false],
    ['', '', true],
    ['*', '', true],
    ['a*', 'a', true],
    ['*a', 'ba', true],
    ['a*a', 'a', false],
    ['a*b*c', 'a-c-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['a.c', 'abc', false],
  ])('"%s" asked about "%s" says %s', (pattern, text, matches) => {
    expect(compileWildcard(pattern)(text)).toBe(matches)
  })

  test('matches what an expression with .* for each star matches', () => {
    const few = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
    fc.assert(
      fc.property(few, text, (pattern, subject) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*')}$`)
        expect(compileWildcard(pattern)(subject)).toBe(expression.test(subject))
      }),
      { ...SEED, numRuns: 2000 },
    )
  })
})
