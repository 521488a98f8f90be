import type { Phase, ThroughputRun } from '../../bench/alerts-throughput.ts'

const MIB = 1_048_576

/** A run over 1,000 spans in each phase, with so much CPU; the broker takes 1 ms in each. */
export function throughputRun({
  coldMs,
  warmMs,
}: {
  readonly coldMs: number
  readonly warmMs: number
}): ThroughputRun {
  return {
    cold: phase(coldMs),
    warm: phase(warmMs),
    peakBytes: 100 * MIB,
    totals: new Map(),
  }
}

function phase(cpuMs: number): Phase {
  return { spans: 1_000, wallMs: 2 * cpuMs, cpuMs, brokerCpuMs: 1, othersShare: 0.25 }
}
