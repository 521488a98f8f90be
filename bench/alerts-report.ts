import type { ThroughputRun, Phase } from './alerts-throughput.ts'
import type { WorkerProfile } from './cpu-profile.ts'
import type { Environment } from './report.ts'
import { type Spread, spread } from './stats.ts'

/** All that a benchmark of alerts found; what --alerts --json prints. */
export interface AlertsReport {
  readonly environment: Environment
  readonly workload: AlertsWorkload
  /** The alert worker first, then those that it is compared with. */
  readonly subjects: readonly SubjectSummary[]
  readonly ratios: readonly SubjectRatios[]
  readonly latencies: readonly LatencySummary[]
  readonly profiles?: readonly WorkerProfile[]
}

/** What was counted, in every run. */
export interface AlertsWorkload {
  /** Of each half: one is counted from the start of the process, one after it. */
  readonly spans: number
  readonly records: number
  readonly bytesPerSpan: number
  readonly partitions: number
  readonly seed: number
  readonly rules: number
  /** Series that count spans. */
  readonly series: number
}

/** The runs of one subject together. */
export interface SubjectSummary {
  readonly name: string
  readonly runs: number
  readonly cold: PhaseSummary
  readonly warm: PhaseSummary
  readonly peakBytes: Spread
}

/** One phase over all runs. */
export interface PhaseSummary {
  readonly spansPerCpuSecond: Spread
  readonly cpuUsPerSpan: Spread
  readonly wallMs: Spread
  readonly brokerCpuUsPerSpan: Spread
  readonly othersShare: Spread
}

/** Spans per CPU second of the alert worker, divided by those of another: more is better. */
export interface SubjectRatios {
  readonly name: string
  readonly cold: number
  readonly warm: number
}

/** From a span that decides to the notification. */
export interface LatencySummary {
  /** Where spans were given in. */
  readonly via: string
  readonly samples: number
  readonly spansPerSecond: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const US_PER_MS = 1_000
const MS_PER_S = 1_000

/** Medians and ends over the runs of one subject, of which there must be one at least. */
export function summariseSubject(name: string, runs: readonly ThroughputRun[]): SubjectSummary {
  return {
    name,
    runs: runs.length,
    cold: summarisePhase(runs.map(({ cold }) => cold)),
    warm: summarisePhase(runs.map(({ warm }) => warm)),
    peakBytes: spread(runs.map(({ peakBytes }) => peakBytes)),
  }
}

function summarisePhase(phases: readonly Phase[]): PhaseSummary {
  const over = (value: (phase: Phase) => number) => spread(phases.map(value))
  return {
    spansPerCpuSecond: over(({ spans, cpuMs }) => (spans * MS_PER_S) / cpuMs),
    cpuUsPerSpan: over(({ spans, cpuMs }) => (cpuMs * US_PER_MS) / spans),
    wallMs: over(({ wallMs }) => wallMs),
    brokerCpuUsPerSpan: over(({ spans, brokerCpuMs }) => (brokerCpuMs * US_PER_MS) / spans),
    othersShare: over(({ othersShare }) => othersShare),
  }
}

/** The first subject against each of the others. */
export function compareSubjects(subjects: readonly SubjectSummary[]): readonly SubjectRatios[] {
  const [ours, ...others] = subjects
  if (ours === undefined) return []
  return others.map(({ name, cold, warm }) => ({
    name,
    cold: ratio(ours.cold, cold),
    warm: ratio(ours.warm, warm),
  }))
}

function ratio(own: PhaseSummary, other: PhaseSummary): number {
  return own.spansPerCpuSecond.median / other.spansPerCpuSecond.median
}

/** Percentiles by nearest rank. Throws for no values. */
export function summariseLatencies(
  via: string,
  spansPerSecond: number,
  values: readonly number[],
): LatencySummary {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => {
    const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
    if (value === undefined) throw new RangeError('percentiles need at least one value')
    return value
  }
  return {
    via,
    samples: values.length,
    spansPerSecond,
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    maxMs: at(1),
  }
}
