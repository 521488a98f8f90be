import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sliceRange, widen } from '../../../services/enrich/reprice/time-range.ts'

const at = (text: string) => Date.parse(text)
const hour = (text: string, calls: number) => ({ hour: at(text) / 1_000, calls })

describe('sliceRange', () => {
  const range = { fromMs: at('2026-01-30T12:30:00Z'), toMs: at('2026-02-01T06:00:00Z') }

  test('cuts a range into days, and busy days into hours', () => {
    const hours = [
      hour('2026-01-30T12:00:00Z', 3),
      hour('2026-01-30T23:00:00Z', 4),
      hour('2026-02-01T04:00:00Z', 8),
      hour('2026-02-01T05:00:00Z', 20),
    ]
    expect(sliceRange(range, hours, 10)).toEqual([
      { fromMs: range.fromMs, toMs: at('2026-01-31T00:00:00Z'), calls: 7 },
      { fromMs: at('2026-02-01T04:00:00Z'), toMs: at('2026-02-01T05:00:00Z'), calls: 8 },
      { fromMs: at('2026-02-01T05:00:00Z'), toMs: range.toMs, calls: 20 },
    ])
  })

  test('covers every hour with calls once, and nothing outside of the range', () => {
    const counts = fc.uniqueArray(
      fc.record({ hour: fc.nat(200), calls: fc.integer({ min: 1, max: 9 }) }),
      {
        selector: (each) => each.hour,
      },
    )
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 50 }), (all, maxCalls) => {
        const hours = all
          .toSorted((a, b) => a.hour - b.hour)
          .map(({ hour: n, calls }) => ({ hour: n * 3_600, calls }))
        const whole = { fromMs: 1_000, toMs: 201 * 3_600_000 - 1_000 }
        const slices = sliceRange(whole, hours, maxCalls)
        expect(slices.reduce((sum, { calls }) => sum + calls, 0)).toBe(
          hours.reduce((sum, { calls }) => sum + calls, 0),
        )
        for (const [i, slice] of slices.entries()) {
          expect(slice.fromMs).toBeGreaterThanOrEqual(slices[i - 1]?.toMs ?? whole.fromMs)
          expect(slice.toMs).toBeLessThanOrEqual(whole.toMs)
          expect(slice.toMs).toBeGreaterThan(slice.fromMs)
        }
      }),
      { seed: 16 },
    )
  })
})

test('widen adds an hour to whole hours', () => {
  expect(widen({ fromMs: at('2026-01-30T12:30:00Z'), toMs: at('2026-01-30T12:40:00Z') })).toEqual({
    fromMs: at('2026-01-30T11:00:00Z'),
    toMs: at('2026-01-30T14:00:00Z'),
  })
  expect(widen({ fromMs: 0, toMs: 1 }).fromMs).toBe(0)
})
