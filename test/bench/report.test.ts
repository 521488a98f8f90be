import { describe, expect, test } from 'vitest'
import { compare, summariseRuns, TOGETHER } from '../../bench/report.ts'
import { peerRun, pipelineRun } from './runs.ts'

describe('summariseRuns', () => {
  const summary = summariseRuns([
    pipelineRun(1_000, 4),
    pipelineRun(2_000, 6),
    pipelineRun(1_500, 3),
  ])

  test('gives medians, least and most over the runs', () => {
    expect(summary.runs).toBe(3)
    expect(summary.wallMs).toEqual({ median: 1_500, min: 1_000, max: 2_000 })
    expect(summary.spansPerSecond.max).toBe(1_000)
    expect(summary.cpuUsPerSpan['ingest']).toEqual({ median: 4, min: 3, max: 6 })
  })

  test('adds the workers up within each run, without broker and ClickHouse', () => {
    expect(summary.cpuUsPerSpan[TOGETHER]).toEqual({ median: 6, min: 5, max: 8 })
    expect(summary.peakBytes[TOGETHER]?.median).toBe(150 * 1_048_576)
    expect(Object.keys(summary.cpuUsPerSpan)).toEqual(['ingest', 'enrich', TOGETHER, 'ClickHouse'])
  })
})

test('compare divides medians of ours by those of the peer', () => {
  const ratios = compare(summariseRuns([pipelineRun(1_000, 3)]), summariseRuns([peerRun]))
  expect(ratios).toEqual({ spansPerCpuSecond: 2, wall: 2, peakMemory: 0.75, clickhouseCpu: 2 })
})
