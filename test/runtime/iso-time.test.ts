import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseTime, toDateTime64 } from '../../services/runtime/iso-time.ts'

describe('parseTime', () => {
  test.each([
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['2026-01-31T10:20', '2026-01-31T10:20:00.000Z'],
    ['2026-01-31 10:20:30', '2026-01-31T10:20:30.000Z'],
    ['2026-01-31T10:20:30.5Z', '2026-01-31T10:20:30.500Z'],
    ['2026-01-31t10:20:30z', '2026-01-31T10:20:30.000Z'],
    ['2026-01-31T10:20:30+02:00', '2026-01-31T08:20:30.000Z'],
    [' 2024-02-29 ', '2024-02-29T00:00:00.000Z'],
  ])('reads %s', (text, iso) => {
    const timeMs = parseTime(text)
    expect(timeMs === undefined ? undefined : new Date(timeMs).toISOString()).toBe(iso)
  })

  test.each([
    '',
    'yesterday',
    '2026',
    '2026-1-1',
    '2026-02-30',
    '2026-13-01',
    '2026-01-01T25:00',
    '2026-01-01+02:00',
    '01/02/2026',
    '1700000000',
    '1969-12-31',
    '2300-01-01',
  ])('refuses %j', (text) => {
    expect(parseTime(text)).toBeUndefined()
  })

  test('reads what a date writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(2262, 0, 1) }), (timeMs) => {
        const iso = new Date(timeMs).toISOString()
        expect(parseTime(iso)).toBe(timeMs)
        expect(parseTime(toDateTime64(timeMs))).toBe(timeMs)
      }),
      { seed: 11 },
    )
  })
})
