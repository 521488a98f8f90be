import { readFileSync, writeFileSync } from 'node:fs'
import { BenchError } from './bench-error.ts'

/** What a process has used since it started, or since its peak was reset. */
export interface ProcessUsage {
  /** User and system time of all threads. */
  readonly cpuMs: number
  /** Most memory that was resident at once. */
  readonly peakBytes: number
}

/** CPU time of the whole machine since it started. */
export interface MachineUsage {
  readonly busyMs: number
  readonly totalMs: number
}

const KIB = 1_024
/** Linux tells CPU time in hundredths of a second (USER_HZ) on every architecture that Node runs on. */
const TICK_MS = 10

/** Says why the benchmark cannot measure here. Throws BenchError where there is no /proc. */
export function requireProc(): void {
  if (process.platform === 'linux') return
  throw new BenchError(
    `The benchmark reads CPU time and memory from /proc, which ${process.platform} does not have. Run it on Linux.`,
  )
}

/** Reads a living process. Throws BenchError when it is gone. */
export function readUsage(pid: number): ProcessUsage {
  try {
    return {
      cpuMs: parseCpuTicks(readFileSync(`/proc/${pid}/stat`, 'utf8')) * TICK_MS,
      peakBytes: parsePeakBytes(readFileSync(`/proc/${pid}/status`, 'utf8')),
    }
  } catch (error) {
    throw new BenchError(`The process ${pid} ended while it was measured.`, { cause: error })
  }
}

/** Lets the peak memory of a process start again at what is resident now. */
export function resetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5')
  } catch {
    // Some containers mount /proc read-only; the peak then is that since the process started.
  }
}

/** Reads the machine. */
export function readMachine(): MachineUsage {
  const { busy, total } = parseMachineTicks(readFileSync('/proc/stat', 'utf8'))
  return { busyMs: busy * TICK_MS, totalMs: total * TICK_MS }
}

/** User and system time in /proc/PID/stat, in ticks (proc_pid_stat(5), fields 14 and 15). */
export function parseCpuTicks(stat: string): number {
  // The second field is the name in brackets, which may hold blanks and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  if (Number.isNaN(ticks)) throw new RangeError(`not a line of /proc/PID/stat: ${stat}`)
  return ticks
}

/** VmHWM in /proc/PID/status, in bytes. */
export function parsePeakBytes(status: string): number {
  const peak = /^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]
  if (peak === undefined) throw new RangeError('no VmHWM in /proc/PID/status')
  return Number(peak) * KIB
}

/** The first line of /proc/stat, in ticks (proc_stat(5)). Waiting for a disk counts as idle. */
export function parseMachineTicks(stat: string): { busy: number; total: number } {
  const [line = ''] = stat.split('\n', 1)
  const [name, ...ticks] = line.split(/\s+/)
  // Time of guests, the last two numbers, is in user time already.
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softIrq = 0, steal = 0] =
    ticks.map(Number)
  if (name !== 'cpu') throw new RangeError(`not /proc/stat: ${line}`)
  const busy = user + nice + system + irq + softIrq + steal
  return { busy, total: busy + idle + wait }
}
