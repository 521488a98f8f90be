import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatDuration, parseDuration } from '../../services/alert/duration.ts'

describe('A duration', () => {
  test.each([
    ['250ms', 250],
    ['5s', 5_000],
    ['1.1s', 1_100],
    ['2 m', 120_000],
    ['1h', 3_600_000],
    ['30d', 2_592_000_000],
    ['1w', 604_800_000],
    ['0s', 0],
  ])('%s is read', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  test.each(['', '5', 's', '-5s', '5 seconds', '1h30m', '1e3s', '0.5ms', '5S'])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toBeUndefined()
    },
  )

  test('comes back from its text', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms)
      }),
      { seed: 1 },
    )
  })

  test('is written in the largest unit that fits', () => {
    const written = [86_400_000, 90_000, 120_000, 1_500, 0].map(formatDuration)
    expect(written).toEqual(['1d', '90s', '2m', '1500ms', '0s'])
  })
})
