import type { WorkerProfile } from './cpu-profile.ts'
import type { RunResult } from './meter.ts'
import { type Spread, spread } from './stats.ts'

/** All that a benchmark found; what --json prints. */
export interface Report {
  readonly environment: Environment
  readonly workload: Workload
  readonly pipeline: Summary
  readonly peer?: Summary
  readonly ratios?: Ratios
  readonly profiles?: readonly WorkerProfile[]
}

/** The machine. */
export interface Environment {
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly node: string
  /** Load average over a minute before the first run. */
  readonly load: number
}

/** What was sent, in every run. */
export interface Workload {
  readonly spans: number
  readonly records: number
  readonly attributesPerSpan: number
  readonly bytesPerSpan: number
  readonly partitions: number
  readonly seed: number
}

/** The runs of one subject together. */
export interface Summary {
  readonly runs: number
  readonly wallMs: Spread
  readonly spansPerSecond: Spread
  /** By process; `together` are all that are not broker or ClickHouse. */
  readonly cpuUsPerSpan: Readonly<Record<string, Spread>>
  readonly peakBytes: Readonly<Record<string, Spread>>
  readonly othersShare: Spread
}

/** Medians of Spanmeter divided by those of the peer. */
export interface Ratios {
  readonly spansPerCpuSecond: number
  readonly wall: number
  readonly peakMemory: number
  readonly clickhouseCpu: number
}

/** Key of the sum over the processes under test. */
export const TOGETHER = 'together'
/** Key of ClickHouse's process. */
export const CLICKHOUSE = 'ClickHouse'

const US_PER_MS = 1_000
const MS_PER_S = 1_000

/** Medians and ends over the runs of one subject, of which there must be one at least. */
export function summariseRuns(runs: readonly RunResult[]): Summary {
  const over = (value: (run: RunResult) => number) => spread(runs.map(value))
  return {
    runs: runs.length,
    wallMs: over(({ wallMs }) => wallMs),
    spansPerSecond: over(({ spans, wallMs }) => (spans * MS_PER_S) / wallMs),
    cpuUsPerSpan: byProcess(runs, ({ cpuMs }, { spans }) => (cpuMs * US_PER_MS) / spans),
    peakBytes: byProcess(runs, ({ peakBytes }) => peakBytes),
    othersShare: over(({ othersShare }) => othersShare),
  }
}

type Use = RunResult['workers'][string]

function byProcess(
  runs: readonly RunResult[],
  value: (use: Use, run: RunResult) => number,
): Readonly<Record<string, Spread>> {
  const all = runs.map((run) => {
    const valuesOf = (uses: RunResult['workers']) =>
      Object.entries(uses).map(([name, use]) => [name, value(use, run)] as const)
    const workers = valuesOf(run.workers)
    const sum = workers.reduce((total, [, one]) => total + one, 0)
    return new Map([...workers, [TOGETHER, sum] as const, ...valuesOf(run.engines)])
  })
  const names = [...new Set(all.flatMap((values) => [...values.keys()]))]
  return Object.fromEntries(
    names.map((name) => [name, spread(all.map((values) => values.get(name) ?? 0))]),
  )
}

/** Ours against the peer's. More is better for spans per CPU second, less for all others. */
export function compare(pipeline: Summary, peer: Summary): Ratios {
  const ratio = (value: (summary: Summary) => number | undefined) =>
    (value(pipeline) ?? Number.NaN) / (value(peer) ?? Number.NaN)
  return {
    spansPerCpuSecond: 1 / ratio(({ cpuUsPerSpan }) => cpuUsPerSpan[TOGETHER]?.median),
    wall: ratio(({ wallMs }) => wallMs.median),
    peakMemory: ratio(({ peakBytes }) => peakBytes[TOGETHER]?.median),
    clickhouseCpu: ratio(({ cpuUsPerSpan }) => cpuUsPerSpan[CLICKHOUSE]?.median),
  }
}
