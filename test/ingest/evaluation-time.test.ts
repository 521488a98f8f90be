import { describe, expect, test } from 'vitest'
import { readEvaluationTime } from '../../services/ingest/evaluation-time.ts'

const NANOS = 1_767_323_045_123_456_789n

describe('The time of an evaluation', () => {
  test.each<[unknown, bigint]>([
    ['2026-01-02T03:04:05.123456789Z', NANOS],
    ['2026-01-02t03:04:05.123456789z', NANOS],
    ['2026-01-02T04:04:05.123456789+01:00', NANOS],
    ['2026-01-02 03:04:05', 1_767_323_045_000_000_000n],
    ['2026-01-02T03:04:05.1Z', 1_767_323_045_100_000_000n],
    ['2026-01-02T03:04:05.0001Z', 1_767_323_045_000_100_000n],
    ['2026-01-02', 1_767_312_000_000_000_000n],
    ['1767323045123456789', NANOS],
    [1_767_323_045_123_456_768, 1_767_323_045_123_456_768n],
    ['2000-01-01T00:00:00Z', 946_684_800_000_000_000n],
  ])('%j is taken to the nanosecond', (value, nanos) => {
    expect(readEvaluationTime(value)).toBe(nanos)
  })

  test.each<[string, unknown]>([
    ['a word', 'yesterday'],
    ['a day that is none', '2026-02-30T00:00:00Z'],
    ['an hour that is none', '2026-01-02T25:00:00Z'],
    ['more than nanoseconds', '2026-01-02T03:04:05.1234567891Z'],
    ['a fraction', 1_767_323_045.5],
    ['a sign', '-1767323045123456789'],
    ['a flag', true],
    ['a list', ['2026-01-02']],
    ['more digits than a time has', '17673230451234567890'],
  ])('may not be %s', (_, value) => {
    expect(readEvaluationTime(value)).toEqual({ problem: expect.stringContaining('RFC 3339') })
  })

  test.each<[string, unknown]>([
    ['seconds', 1_767_323_045],
    ['milliseconds', '1767323045123'],
    ['microseconds', 1_767_323_045_123_456],
    ['before the year 2000', '1999-12-31T23:59:59Z'],
    ['after 2261', '9223372036854775807'],
    ['far below zero', -1e18],
  ])('that counts %s is told of nanoseconds', (_, value) => {
    expect(readEvaluationTime(value)).toEqual({ problem: expect.stringContaining('nanoseconds') })
  })
})
