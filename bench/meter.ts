import {
  type MachineUsage,
  type ProcessUsage,
  readMachine,
  readUsage,
  resetPeak,
} from './process-usage.ts'

/** A process to be measured, by the name that the report gives it. */
export interface Metered {
  readonly name: string
  readonly pid: number
}

/** What one run took, from the start of its processes until its last span was queryable. */
export interface RunResult {
  readonly spans: number
  readonly wallMs: number
  /** The processes that the run is about, which started with it. */
  readonly workers: Readonly<Record<string, ProcessUsage>>
  /** Broker and ClickHouse, which ran before. */
  readonly engines: Readonly<Record<string, ProcessUsage>>
  /** Share of the machine's CPU time that went to processes that are not measured. */
  readonly othersShare: number
}

/** A run under way. */
export interface Meter {
  /** To be called at the very moment when the last span is there. */
  stop(workers: readonly Metered[], spans: number): RunResult
}

/** Starts the clock. Workers are to be started after it: all that they use counts. */
export function startMeter(engines: readonly Metered[]): Meter {
  for (const { pid } of engines) resetPeak(pid)
  const before = new Map(engines.map(({ name, pid }) => [name, readUsage(pid).cpuMs]))
  const machine = readMachine()
  const startedMs = performance.now()
  return {
    stop(workers, spans) {
      const wallMs = performance.now() - startedMs
      const ofWorkers = readAll(workers)
      const ofEngines = Object.fromEntries(
        engines.map(({ name, pid }) => {
          const { cpuMs, peakBytes } = readUsage(pid)
          return [name, { cpuMs: cpuMs - (before.get(name) ?? 0), peakBytes }]
        }),
      )
      const measured = [...Object.values(ofWorkers), ...Object.values(ofEngines)]
      const othersShare = shareOfOthers(machine, readMachine(), measured)
      return { spans, wallMs, workers: ofWorkers, engines: ofEngines, othersShare }
    },
  }
}

function readAll(processes: readonly Metered[]): Readonly<Record<string, ProcessUsage>> {
  return Object.fromEntries(processes.map(({ name, pid }) => [name, readUsage(pid)]))
}

/** What is busy on the machine beside the measured processes, as a share of all CPU time. */
export function shareOfOthers(
  before: MachineUsage,
  after: MachineUsage,
  measured: readonly ProcessUsage[],
): number {
  const totalMs = after.totalMs - before.totalMs
  if (totalMs <= 0) return 0
  const ours = measured.reduce((sum, { cpuMs }) => sum + cpuMs, 0)
  return Math.max(0, after.busyMs - before.busyMs - ours) / totalMs
}
