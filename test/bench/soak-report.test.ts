import { describe, expect, test } from 'vitest'
import type { Sample } from '../../bench/load-samples.ts'
import { summariseSamples } from '../../bench/soak-report.ts'

const MIB = 2 ** 20
const MINUTE_MS = 60_000

/** 40 minutes in which ingest grows by 1 MiB a minute, and does not always tell its heap. */
const samples = Array.from({ length: 41 }, (_, minute): Sample => {
  const rest = { threads: 11, files: 40 }
  return {
    atMs: minute * MINUTE_MS,
    lags: { spans: minute === 30 ? 90 : 1, alerts: 0 },
    workers: {
      ingest: {
        ...rest,
        rssBytes: (100 + minute) * MIB,
        heapBytes: minute % 2 === 0 ? undefined : 50 * MIB,
        handles: undefined,
        loopDelayMs: 3,
      },
    },
    // Before the warm-up is over it does not count.
    engines: { Kafka: { ...rest, rssBytes: (minute < 10 ? 9 : 400) * MIB } },
  }
})

describe('Trends', () => {
  const trends = summariseSamples(samples, 40 * MINUTE_MS)
  const [ingest, kafka] = trends.processes

  test('leave the first quarter away', () => {
    expect(trends.warmUpMs).toBe(10 * MINUTE_MS)
    expect(trends.samples).toBe(31)
    expect(kafka?.rssBytes).toEqual({
      mean: 400 * MIB,
      max: 400 * MIB,
      growthPerHour: 0,
      error: 0,
    })
  })

  test('tell growth by the hour', () => {
    expect(ingest?.rssBytes.growthPerHour).toBeCloseTo(60 * MIB, 0)
    expect(ingest?.rssBytes.mean).toBe(125 * MIB)
    expect(ingest?.threads).toMatchObject({ mean: 11, growthPerHour: 0 })
  })

  test('go without what was not told', () => {
    expect(ingest?.heapBytes?.mean).toBe(50 * MIB)
    expect(ingest?.handles).toBeNull()
    expect(kafka?.heapBytes).toBeNull()
  })

  test('know the most that was to be read', () => {
    expect(trends.lag.spans.max).toBe(90)
    expect(trends.lag.alerts).toMatchObject({ mean: 0, max: 0 })
  })

  test('need three samples', () => {
    expect(() => summariseSamples(samples.slice(0, 2), 0)).toThrow(RangeError)
  })
})
