import { describe, expect, test } from 'vitest'
import { LabelSets } from '../../services/alert/llm-label-sets.ts'

const NONE = -1

function setsOf(max: number): LabelSets<{ times: number }> {
  return new LabelSets(max, () => ({ times: 0 }))
}

describe('Label sets', () => {
  test('are found again by their values', () => {
    const sets = setsOf(10)
    expect(sets.of(['a', 'b'], NONE)).toBe(sets.of(['a', 'b'], NONE))
    expect(sets.of(['a,b', ''], NONE)).not.toBe(sets.of(['a', 'b,'], NONE))
    expect(sets.size).toBe(3)
  })

  test('that find no room are one, and those that were there stay', () => {
    const sets = setsOf(4)
    const [first, second] = [sets.of(['a', 'x'], NONE), sets.of(['b', 'x'], NONE)]
    const third = sets.of(['c', 'x'], NONE)
    expect([first.isOther, second.isOther, third.isOther]).toEqual([false, false, true])
    expect(third.values).toEqual(['(other)', '(other)'])
    expect(sets.of(['d', 'y'], NONE)).toBe(third)
    expect(sets.of(['a', 'x'], NONE)).toBe(first)
  })

  test('without room still tell an empty value from others, where that is asked for', () => {
    const sets = setsOf(3)
    sets.of(['a', ''], 1)
    expect(sets.of(['b', ''], 1).values).toEqual(['(other)', ''])
    expect(sets.of(['b', 'timeout'], 1).values).toEqual(['(other)', '(other)'])
    expect(sets.of(['', 'timeout'], 1).values).toEqual(['(other)', '(other)'])
    expect(sets.size).toBe(3)
  })

  test('whose values are named as those without room are the same', () => {
    const sets = setsOf(3)
    const own = sets.of(['(other)'], NONE)
    expect(sets.of(['b'], NONE)).toBe(own)
    expect([...sets.all()]).toEqual([own])
  })

  test('cut long values, and never within a character', () => {
    const sets = setsOf(10)
    const { values } = sets.of([`${'x'.repeat(199)}😀`, 'y'.repeat(300)], NONE)
    expect(values).toEqual([`${'x'.repeat(199)}\uFFFD`, 'y'.repeat(200)])
    expect(sets.of([`${'x'.repeat(199)}😁`, 'y'.repeat(201)], NONE).values).toBe(values)
  })
})
