import { setTimeout as delay } from 'node:timers/promises'
import type { AlertRound } from './alerts-round.ts'
import type { Counting, Subject } from './alerts-subjects.ts'
import type { Totals } from './alerts-totals.ts'
import { BenchError } from './bench-error.ts'
import { type Metered, shareOfOthers } from './meter.ts'
import { readMachine, readUsage } from './process-usage.ts'

/** What it took to count one half of the spans. */
export interface Phase {
  readonly spans: number
  readonly wallMs: number
  readonly cpuMs: number
  readonly brokerCpuMs: number
  /** Share of the machine's CPU time that went to processes that are not measured. */
  readonly othersShare: number
}

/** One run of a subject. */
export interface ThroughputRun {
  /** From the start of the process. */
  readonly cold: Phase
  /** The same process again, over as many other spans. */
  readonly warm: Phase
  readonly peakBytes: number
  readonly totals: Totals
}

/** Records of spans.enriched, in two lots of as many spans. */
export interface Halves {
  readonly spans: number
  readonly first: readonly Buffer[]
  readonly second: readonly Buffer[]
}

interface ThroughputOptions {
  readonly subject: Subject
  readonly round: AlertRound
  readonly halves: Halves
  readonly broker: readonly Metered[]
  readonly logDir: string
  readonly signal: AbortSignal
}

const POLL_MS = 100
const STALLED_MS = 60_000
/** However slow the machine is. */
const DEADLINE_MS = 30 * 60_000

/**
 * Starts a subject on a topic that holds the first half, and measures until all of it is counted.
 * Then the process stands still while the second half is written, and is measured over that.
 */
export async function measureThroughput(options: ThroughputOptions): Promise<ThroughputRun> {
  const { subject, round, halves, logDir } = options
  const startCold = startPhase(options, undefined)
  const counting = await subject.start({ round, logDir, signal: options.signal })
  const signal = AbortSignal.any([options.signal, counting.process.ended])
  try {
    await waitUntilCounted(counting, subject.name, signal)
    const cold = startCold(counting.process.pid)
    counting.process.pause()
    await round.write(halves.second, signal)
    const endWarm = startPhase(options, counting.process.pid)
    counting.process.resume()
    await waitUntilCounted(counting, subject.name, signal)
    const warm = endWarm(counting.process.pid)
    const { peakBytes } = readUsage(counting.process.pid)
    return { cold, warm, peakBytes, totals: await counting.totals() }
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    await counting.process.stop()
  }
}

/** Starts the clock of a phase; gives what ends it. A process that is not there yet has used nothing. */
function startPhase({ broker, halves }: ThroughputOptions, pid: number | undefined) {
  const brokers = broker.map((engine) => engine.pid)
  const before = { own: pid === undefined ? 0 : cpuOf([pid]), broker: cpuOf(brokers) }
  const machine = readMachine()
  const startedMs = performance.now()
  return (endPid: number): Phase => {
    const wallMs = performance.now() - startedMs
    const cpuMs = cpuOf([endPid]) - before.own
    const brokerCpuMs = cpuOf(brokers) - before.broker
    const used = [cpuMs, brokerCpuMs].map((ms) => ({ cpuMs: ms, peakBytes: 0 }))
    const othersShare = shareOfOthers(machine, readMachine(), used)
    return { spans: halves.spans, wallMs, cpuMs, brokerCpuMs, othersShare }
  }
}

function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + readUsage(pid).cpuMs, 0)
}

async function waitUntilCounted(
  counting: Counting,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  let before: bigint | undefined
  const startedMs = performance.now()
  let lastChangeMs = startedMs
  for (;;) {
    const lag = await counting.lag()
    signal.throwIfAborted()
    if (lag === 0n) return
    const nowMs = performance.now()
    // It may grow: what is read of the one topic is written to the other.
    if (lag !== before) lastChangeMs = nowMs
    before = lag
    if (nowMs - lastChangeMs > STALLED_MS || nowMs - startedMs > DEADLINE_MS) {
      throw new BenchError(`${name} still has ${lag} records to read, and does not get on.`)
    }
    await delay(POLL_MS, undefined, { signal })
  }
}
