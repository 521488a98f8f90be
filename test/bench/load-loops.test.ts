import { describe, expect, test } from 'vitest'
import { parseRetryAfter } from '../../bench/load-client.ts'
import { dueAtMs, requestsDue, retryDelayMs } from '../../bench/load-loops.ts'

const randomOf = (value: number) => ({ next: () => value, uint32: () => 0 })

describe('The schedule', () => {
  test('has the first request at once, and the last of a second before the next begins', () => {
    expect(requestsDue(0, 10)).toBe(1)
    expect(requestsDue(99.9, 10)).toBe(1)
    expect(requestsDue(100, 10)).toBe(2)
    expect(requestsDue(999.9, 10)).toBe(10)
  })

  test('makes up for what is late', () => {
    expect(requestsDue(5_000, 300) - requestsDue(0, 300)).toBe(1_500)
  })

  test('has a request due when it says', () => {
    for (let index = 0; index < 1_000; index++) {
      const atMs = dueAtMs(index, 64)
      expect(requestsDue(atMs, 64)).toBe(index + 1)
    }
  })
})

describe('A sender that comes again', () => {
  const refused = { type: 'answered', status: 429, retryAfterS: 3, ms: 1 } as const

  test('waits as long as it is told at least, and half as long again at most', () => {
    expect(retryDelayMs(refused, randomOf(0))).toBe(3_000)
    expect(retryDelayMs(refused, randomOf(0.999))).toBeCloseTo(4_498.5)
  })

  test('waits a second where nothing is said', () => {
    expect(retryDelayMs({ type: 'unanswered', why: 'timed out' }, randomOf(0))).toBe(1_000)
    expect(retryDelayMs({ ...refused, retryAfterS: undefined }, randomOf(0))).toBe(1_000)
  })

  test('reads whole seconds alone', () => {
    expect(parseRetryAfter('5')).toBe(5)
    expect(parseRetryAfter('Wed, 21 Oct 2026 07:28:00 GMT')).toBeUndefined()
    expect(parseRetryAfter(undefined)).toBeUndefined()
  })
})
