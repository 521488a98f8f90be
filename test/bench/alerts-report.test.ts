import { describe, expect, test } from 'vitest'
import { compareSubjects, summariseLatencies, summariseSubject } from '../../bench/alerts-report.ts'
import { throughputRun } from './alert-runs.ts'

describe('summariseSubject', () => {
  const summary = summariseSubject('Spanmeter', [
    throughputRun({ coldMs: 10, warmMs: 4 }),
    throughputRun({ coldMs: 40, warmMs: 2 }),
    throughputRun({ coldMs: 20, warmMs: 5 }),
  ])

  test('tells both phases apart', () => {
    expect(summary.cold.spansPerCpuSecond).toEqual({ median: 50_000, min: 25_000, max: 100_000 })
    expect(summary.warm.spansPerCpuSecond).toEqual({ median: 250_000, min: 200_000, max: 500_000 })
    expect(summary.warm.cpuUsPerSpan).toEqual({ median: 4, min: 2, max: 5 })
  })

  test('counts the broker for itself', () => {
    expect(summary.warm.brokerCpuUsPerSpan.median).toBe(1)
  })
})

test('compareSubjects divides the first by each other, so that more is better', () => {
  const ours = summariseSubject('Spanmeter', [throughputRun({ coldMs: 10, warmMs: 8 })])
  const peer = summariseSubject('Kafka Streams', [throughputRun({ coldMs: 20, warmMs: 4 })])
  expect(compareSubjects([ours, peer])).toEqual([{ name: 'Kafka Streams', cold: 2, warm: 0.5 }])
})

describe('summariseLatencies', () => {
  test('takes percentiles by nearest rank, in whatever order values come', () => {
    const values = Array.from({ length: 200 }, (_, i) => (i * 7) % 200).map((value) => value + 1)
    expect(summariseLatencies('from there', 5_000, values)).toEqual({
      via: 'from there',
      samples: 200,
      spansPerSecond: 5_000,
      p50Ms: 100,
      p95Ms: 190,
      p99Ms: 198,
      maxMs: 200,
    })
  })

  test('gives the one value for all percentiles', () => {
    const { p50Ms, p99Ms } = summariseLatencies('from there', 1, [3])
    expect([p50Ms, p99Ms]).toEqual([3, 3])
  })

  test('refuses to make percentiles of nothing', () => {
    expect(() => summariseLatencies('from there', 1, [])).toThrow(RangeError)
  })
})
