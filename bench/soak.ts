import type { Env } from '#runtime/config.ts'
import type { LedgerTotals } from './load-ledger.ts'
import { openLoop } from './load-loops.ts'
import { waitUntilRead } from './load-round.ts'
import { startSampling } from './load-samples.ts'
import {
  type LoadBench,
  type LoadOptions,
  type LoadReport,
  measureCapacity,
  waitUntilAllRead,
  withLoadBench,
} from './load-stage.ts'
import { type SoakTrends, summariseSamples } from './soak-report.ts'
import type { Tell } from './stage.ts'

export interface SoakReport extends LoadReport {
  readonly totals: LedgerTotals
  readonly trends: SoakTrends
  /** How long after the last request nothing was to be read. */
  readonly readMs: number
}

const SHARE_OF_CAPACITY = 0.5
const SAMPLE_MS = 10_000
const SENDERS = 200

/** Sends half of what the pipeline takes, and watches what its processes hold. */
export async function runSoakBench(
  options: LoadOptions,
  env: Env,
  signal: AbortSignal,
  tell: Tell,
): Promise<SoakReport> {
  return withLoadBench(options, env, signal, tell, (bench) => soak(bench, options))
}

async function soak(bench: LoadBench, { minutes }: LoadOptions) {
  const { round, tell } = bench
  const capacity = await measureCapacity(bench)
  const offered = capacity * SHARE_OF_CAPACITY
  tell(`Sending ${Math.round(offered)} spans a second for ${minutes} min.`)
  const load = bench.startPhase()
  const sampling = startSampling(round, SAMPLE_MS)
  const { wallMs, latestMs, settled } = await openLoop(load, {
    requestsPerSecond: offered / load.maker.spansPerRequest,
    forMs: minutes * 60_000,
    senders: SENDERS,
    retryShare: 1,
  })
  const samples = await sampling.stop()
  const readMs = await waitUntilRead(round, 'spans')
  await settled
  await waitUntilAllRead(round)
  return {
    capacity,
    offered,
    latestMs,
    totals: load.ledger.totals(),
    trends: summariseSamples(samples, wallMs),
    readMs,
    verdict: await bench.judge(),
  }
}
