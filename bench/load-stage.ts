import { join } from 'node:path'
import type { Env } from '#runtime/config.ts'
import { createRandom } from '../services/cli/replay/random.ts'
import { type Client, createClient } from './load-client.ts'
import { createLedger, judge, type Ledger, sumVerdicts, type Verdict } from './load-ledger.ts'
import { type LoadLimits, readLimits } from './load-limits.ts'
import { closedLoop, type Load } from './load-loops.ts'
import { createRequestMaker, type RequestMaker } from './load-requests.ts'
import { type LoadRound, waitUntilRead, withLoadRound } from './load-round.ts'
import type { Environment } from './report.ts'
import { readEnvironment, startStage, type Tell, withDataFolder } from './stage.ts'

/** What both benchmarks under load are asked. */
export interface LoadOptions {
  readonly minutes: number
  readonly spansPerRequest: number
  readonly seed: number
}

/** What both work with: a pipeline, and what is sent to it. */
export interface LoadBench {
  readonly round: LoadRound
  readonly limits: LoadLimits
  readonly tell: Tell
  /** What is sent from here on is noted by itself. */
  readonly startPhase: () => Load
  /** What became of all that was sent, in every phase. To be asked when nothing is to be read. */
  readonly judge: () => Promise<Verdict>
}

/** The part that both reports have. */
export interface LoadReport {
  readonly environment: Environment
  readonly minutes: number
  readonly spansPerRequest: number
  readonly bytesPerSpan: number
  /** Spans a second that the pipeline takes, from the first request until the last span is read. */
  readonly capacity: number
  /** Spans a second that were sent. */
  readonly offered: number
  /** How much later than due the latest request was sent. */
  readonly latestMs: number
  readonly verdict: Verdict
}

const CONNECTIONS = 16
const WARM_UP_MS = 10_000
const CAPACITY_MS = 20_000

/** Starts engines and workers as small as docker-compose.yml has them; `env` goes before that. */
export function withLoadBench<T>(
  options: LoadOptions,
  env: Env,
  signal: AbortSignal,
  tell: Tell,
  use: (bench: LoadBench) => Promise<T>,
): Promise<T & Pick<LoadReport, 'environment' | 'minutes' | 'spansPerRequest' | 'bytesPerSpan'>> {
  return withDataFolder(signal, tell, async (dataDir) => {
    const environment = readEnvironment()
    const { spansPerRequest, seed, minutes } = options
    const maker = createRequestMaker(spansPerRequest, seed)
    const limits = readLimits()
    tell('Starting Kafka, ClickHouse and all workers.')
    const given = { ...limits.engines, ...env }
    const stage = await startStage(given, dataDir, tell, { withClickHouse: true })
    const envOf: LoadLimits['envOf'] = (worker) => ({ ...limits.envOf(worker), ...env })
    try {
      const result = await withLoadRound(
        { stage, logDir: join(dataDir, 'logs'), envOf, signal },
        async (round) => {
          const client = createClient(round.otlpPort)
          try {
            return await use({ round, limits, tell, ...phasesOf(round, maker, client, seed) })
          } finally {
            client.close()
          }
        },
      )
      return {
        environment,
        minutes,
        spansPerRequest,
        bytesPerSpan: maker.bytes / spansPerRequest,
        ...result,
      }
    } finally {
      tell('Stopping Kafka and ClickHouse.')
      await stage.engines.stop()
    }
  })
}

function phasesOf(
  round: LoadRound,
  maker: RequestMaker,
  client: Client,
  seed: number,
): Pick<LoadBench, 'startPhase' | 'judge'> {
  const phases: { readonly first: number; readonly ledger: Ledger }[] = []
  return {
    startPhase() {
      const first = phases.at(-1)?.ledger.end() ?? 0
      const ledger = createLedger(first)
      phases.push({ first, ledger })
      const random = createRandom([seed, phases.length, 0])
      return { client, maker, ledger, random, signal: round.signal }
    },
    async judge() {
      const verdicts: Verdict[] = []
      for (const { first, ledger } of phases) {
        const landed = round.landed(first, ledger.end())
        verdicts.push(await judge(ledger, maker.spansPerRequest, landed))
      }
      return sumVerdicts(verdicts)
    },
  }
}

/**
 * What the pipeline takes over HTTP, in spans a second: as much as a few connections send one request after the
 * other, by the time until all of it is read by every worker.
 */
export async function measureCapacity({ round, tell, startPhase }: LoadBench): Promise<number> {
  tell('Measuring what it takes over HTTP.')
  await closedLoop(startPhase(), CONNECTIONS, WARM_UP_MS)
  await waitUntilAllRead(round)
  const load = startPhase()
  const startedMs = performance.now()
  const accepted = await closedLoop(load, CONNECTIONS, CAPACITY_MS)
  const acceptedMs = performance.now() - startedMs
  await waitUntilAllRead(round)
  const spans = accepted * load.maker.spansPerRequest
  const rate = (spans * 1_000) / (performance.now() - startedMs)
  const acceptedRate = (spans * 1_000) / acceptedMs
  tell(`It takes ${Math.round(rate)} spans a second, and let in ${Math.round(acceptedRate)}.`)
  return rate
}

/** Waits until every worker has read all there is. */
export async function waitUntilAllRead(round: LoadRound): Promise<void> {
  await waitUntilRead(round, 'spans')
  await waitUntilRead(round, 'alerts')
}
