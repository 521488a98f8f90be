import { describe, expect, test } from 'vitest'
import { keyOf, partitionOfKey } from '../../services/alert/delta-partition.ts'
import { joinGroup } from '../../services/alert/series.ts'

describe('The key of a group', () => {
  const group = joinGroup(['acme', '', 'chat'])
  const by = ['tenant', 'user', 'feature']

  test.each([
    [0, ''],
    [1, 'acme'],
    [2, joinGroup(['acme', ''])],
    [3, group],
  ])('is its first %i values', (keyLength, key) => {
    expect(keyOf({ by, keyLength }, group)).toBe(key)
  })

  test('is empty for a series without dimensions', () => {
    expect(keyOf({ by: [], keyLength: 0 }, '')).toBe('')
  })
})

describe('The partition of a key', () => {
  test('never changes', () => {
    const keys = ['', 'a', 'acme', joinGroup(['acme', 'chat']), 'größer', '日本']
    expect(keys.map((key) => partitionOfKey(key, 2 ** 32))).toMatchInlineSnapshot(`
      [
        2872998923,
        444641715,
        2019603394,
        1418579983,
        342462605,
        4026831135,
      ]
    `)
  })

  test.each([2, 3, 4, 6, 8, 12, 16])('spreads keys over %i partitions', (partitions) => {
    for (const prefix of ['user-', 'tenant/', 'x'.repeat(40)]) {
      const counts = Array.from({ length: partitions }, () => 0)
      for (let i = 0; i < 12_000; i++) {
        const partition = partitionOfKey(`${prefix}${i}`, partitions)
        counts[partition] = (counts[partition] ?? 0) + 1
      }
      const even = 12_000 / partitions
      expect(counts).toHaveLength(partitions)
      // Five times the deviation that chance has: of 750, 26.
      const allowed = 5 * Math.sqrt(even)
      expect(counts.filter((count) => Math.abs(count - even) > allowed)).toEqual([])
    }
  })
})
