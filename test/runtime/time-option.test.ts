import { describe, expect, test } from 'vitest'
import { readTime } from '../../services/runtime/time-option.ts'

describe('A time', () => {
  test.each([
    ['2026-11-01', Date.UTC(2026, 10, 1)],
    ['2026-11-01T08:30:00Z', Date.UTC(2026, 10, 1, 8, 30)],
    ['2026-11-01T08:30:00', Date.UTC(2026, 10, 1, 8, 30)],
    ['2026-11-01T08:30:00+02:00', Date.UTC(2026, 10, 1, 6, 30)],
  ])('%s is read', (text, timeMs) => {
    expect(readTime(text)).toBe(timeMs)
  })

  test.each(['yesterday', '', '2026-13-01', '1h'])('"%s" is refused', (text) => {
    expect(() => readTime(text)).toThrow('ISO 8601')
  })
})
