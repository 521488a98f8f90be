import type { RunResult } from '../../bench/meter.ts'

const MIB = 1_048_576

/** A run of ours over 1,000 spans; ingest takes `ingestMs` of CPU, and enrich 2 ms. */
export function pipelineRun(wallMs: number, ingestMs: number): RunResult {
  return {
    spans: 1_000,
    wallMs,
    workers: {
      ingest: { cpuMs: ingestMs, peakBytes: 100 * MIB },
      enrich: { cpuMs: 2, peakBytes: 50 * MIB },
    },
    engines: { ClickHouse: { cpuMs: 6, peakBytes: 300 * MIB } },
    othersShare: 0.1,
  }
}

/** A run of the Collector over as many spans. */
export const peerRun: RunResult = {
  spans: 1_000,
  wallMs: 500,
  workers: { collector: { cpuMs: 10, peakBytes: 200 * MIB } },
  engines: { ClickHouse: { cpuMs: 3, peakBytes: 300 * MIB } },
  othersShare: 0,
}
