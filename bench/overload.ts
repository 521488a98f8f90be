import { setTimeout as delay } from 'node:timers/promises'
import type { Env } from '#runtime/config.ts'
import { isAccepted } from './load-client.ts'
import type { LedgerTotals } from './load-ledger.ts'
import { type Load, openLoop, sendOne } from './load-loops.ts'
import { type LoadRound, waitUntilRead } from './load-round.ts'
import { type Sample, startSampling } from './load-samples.ts'
import {
  type LoadBench,
  type LoadOptions,
  type LoadReport,
  measureCapacity,
  waitUntilAllRead,
  withLoadBench,
} from './load-stage.ts'
import { readUsage, resetPeak } from './process-usage.ts'
import type { Tell } from './stage.ts'
import { spread } from './stats.ts'

export interface OverloadOptions extends LoadOptions {
  /** How many times of what the pipeline takes is sent. */
  readonly factor: number
}

export interface OverloadReport extends LoadReport {
  readonly factor: number
  /** Share of senders that send again what was refused, when they are told to. */
  readonly retryShare: number
  readonly totals: LedgerTotals
  readonly acceptedPerSecond: number
  readonly processes: readonly ProcessReport[]
  /** Most records that were still to be read. */
  readonly mostLag: { readonly spans: number; readonly alerts: number }
  readonly recovery: Recovery
}

/** A process under overload. */
export interface ProcessReport {
  readonly name: string
  readonly peakBytes: number
  readonly limitBytes: number
  /** Longest that a worker's event loop was late; null for an engine, or where it never told. */
  readonly loopDelayMs: number | null
}

/** How long each took after the last request was sent. */
interface Recovery {
  /** Of a single request before, at rest, in the middle. */
  readonly normalMs: number
  /** Until single requests are accepted as fast again, three in a row; null where they were not. */
  readonly answeringMs: number | null
  readonly spansReadMs: number
  readonly alertsReadMs: number
}

const RETRY_SHARE = 0.2
/** Fewer connections than ingest takes, and than the files that a process may usually open. */
const SENDERS = 4_000
const SAMPLE_MS = 2_000
const PROBES = 20
const PROBE_MS = 100
/** An answer is normal that takes no longer than so many times of what it took at rest, or than this. */
const NORMAL_TIMES = 3
const NORMAL_MS = 100
const NORMAL_IN_A_ROW = 3
const ANSWER_DEADLINE_MS = 10 * 60_000

/** Sends several times of what the pipeline takes, and watches what it does then and afterwards. */
export async function runOverloadBench(
  options: OverloadOptions,
  env: Env,
  signal: AbortSignal,
  tell: Tell,
): Promise<OverloadReport> {
  return withLoadBench(options, env, signal, tell, (bench) => overload(bench, options))
}

async function overload(bench: LoadBench, { minutes, factor }: OverloadOptions) {
  const { round, tell } = bench
  const capacity = await measureCapacity(bench)
  const normalMs = await probeAtRest(bench.startPhase())
  const processes = [...round.workers, ...round.engines]
  for (const { pid } of processes) resetPeak(pid)
  const sampling = startSampling(round, SAMPLE_MS)
  const offered = capacity * factor
  tell(`Sending ${Math.round(offered)} spans a second for ${minutes} min.`)
  const load = bench.startPhase()
  const { spansPerRequest } = load.maker
  const { wallMs, latestMs, settled } = await openLoop(load, {
    requestsPerSecond: offered / spansPerRequest,
    forMs: minutes * 60_000,
    senders: SENDERS,
    retryShare: RETRY_SHARE,
  })
  tell('Watching how it recovers.')
  const recovery = { normalMs, ...(await recover(round, bench.startPhase(), normalMs)) }
  await settled
  const samples = await sampling.stop()
  await waitUntilAllRead(round)
  const totals = load.ledger.totals()
  return {
    capacity,
    factor,
    retryShare: RETRY_SHARE,
    offered,
    latestMs,
    totals,
    acceptedPerSecond: (totals.accepted * spansPerRequest * 1_000) / wallMs,
    processes: processes.map(({ name, pid }) => ({
      name,
      peakBytes: readUsage(pid).peakBytes,
      limitBytes: bench.limits.memoryBytes[name.toLowerCase()] ?? 0,
      loopDelayMs: longestDelay(samples, name),
    })),
    mostLag: {
      spans: Math.max(...samples.map(({ lags }) => lags.spans)),
      alerts: Math.max(...samples.map(({ lags }) => lags.alerts)),
    },
    recovery,
    verdict: await bench.judge(),
  }
}

function longestDelay(samples: readonly Sample[], name: string): number | null {
  const delays = samples.flatMap(({ workers }) => workers[name]?.loopDelayMs ?? [])
  return delays.length === 0 ? null : Math.max(...delays)
}

async function probeAtRest(load: Load): Promise<number> {
  const times: number[] = []
  while (times.length < PROBES) {
    const answer = await sendOne(load)
    if (answer.type === 'answered') times.push(answer.ms)
    await delay(PROBE_MS, undefined, { signal: load.signal })
  }
  return spread(times).median
}

async function recover(
  round: LoadRound,
  load: Load,
  normalMs: number,
): Promise<Omit<Recovery, 'normalMs'>> {
  const [answeringMs, spansReadMs, alertsReadMs] = await Promise.all([
    probeUntilNormal(load, normalMs),
    waitUntilRead(round, 'spans'),
    waitUntilRead(round, 'alerts'),
  ])
  return { answeringMs, spansReadMs, alertsReadMs }
}

/** Gives when the first of three requests in a row that are answered normally was answered. */
async function probeUntilNormal(load: Load, normalMs: number): Promise<number | null> {
  const boundMs = Math.max(NORMAL_MS, NORMAL_TIMES * normalMs)
  const startedMs = performance.now()
  let firstMs = 0
  for (let inARow = 0; inARow < NORMAL_IN_A_ROW;) {
    const answer = await sendOne(load)
    const nowMs = performance.now() - startedMs
    const isNormal = isAccepted(answer) && answer.type === 'answered' && answer.ms <= boundMs
    inARow = isNormal ? inARow + 1 : 0
    if (inARow === 1) firstMs = nowMs
    if (nowMs > ANSWER_DEADLINE_MS) return null
    await delay(PROBE_MS, undefined, { signal: load.signal })
  }
  return firstMs
}
