import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WorkerName } from '../services/cli/workers.ts'
import { LIMIT_USD } from './alerts-decider.ts'
import { createToEnriched } from './alerts-enriched.ts'
import { enrichedEntrance, type Entrance, measureLatency, otlpEntrance } from './alerts-latency.ts'
import { type BenchProcess, startWorker } from './alerts-process.ts'
import { type Receiver, startReceiver } from './alerts-receiver.ts'
import type { LatencySummary } from './alerts-report.ts'
import { type AlertRound, openAlertRound } from './alerts-round.ts'
import type { Stage, Tell } from './stage.ts'

export interface LatenciesOptions {
  readonly stage: Stage
  /** Where rule and channel files are written. */
  readonly dataDir: string
  readonly logDir: string
  readonly samples: number
  readonly load: number
  readonly spansPerRecord: number
  readonly seed: number
  readonly signal: AbortSignal
  readonly tell: Tell
}

/** A way in: the workers that spans go through, and how they are sent. */
interface Way {
  readonly workers: readonly WorkerName[]
  readonly entrance: (round: AlertRound) => Entrance
}

const RULE = 'bench-user-spend'

const WAYS: readonly Way[] = [
  {
    workers: ['alert'],
    entrance: (round) => enrichedEntrance(round, createToEnriched(round.env)),
  },
  { workers: ['alert', 'enrich', 'ingest'], entrance: otlpEntrance },
]

/** How long notifications take, for each way in; nothing where no samples are asked for. */
export async function measureLatencies(
  options: LatenciesOptions,
): Promise<readonly LatencySummary[]> {
  if (options.samples === 0) return []
  const receiver = await startReceiver()
  try {
    const latencies: LatencySummary[] = []
    for (const way of WAYS) latencies.push(await measureWay(options, way, receiver))
    return latencies
  } finally {
    receiver.close()
  }
}

async function measureWay(
  options: LatenciesOptions,
  way: Way,
  receiver: Receiver,
): Promise<LatencySummary> {
  const { stage, dataDir, samples, load: spansPerSecond, spansPerRecord, seed, tell } = options
  const round = await openAlertRound(stage)
  const env = { ...round.env, ...writeFiles(dataDir, receiver.url, round.env) }
  const logDir = join(options.logDir, round.id)
  const processes: BenchProcess[] = []
  try {
    for (const name of way.workers) {
      processes.push(await startWorker({ name, env, logDir, signal: options.signal }))
    }
    const signal = AbortSignal.any([options.signal, ...processes.map(({ ended }) => ended)])
    const entrance = way.entrance(round)
    tell(
      `Waiting for ${samples} notifications ${entrance.via}, at ${spansPerSecond} spans a second.`,
    )
    const rest = { samples, spansPerSecond, spansPerRecord, seed, signal }
    return await measureLatency({ entrance, receiver, ...rest }).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error
    })
  } finally {
    for (const process of processes.toReversed()) await process.stop()
    await round.close()
  }
}

/** The rule that decides, beside all others, and the channel that is told of it. */
function writeFiles(dataDir: string, url: string, env: AlertRound['env']) {
  const rules = join(dataDir, 'bench-rules.yaml')
  const channels = join(dataDir, 'bench-channels.yaml')
  writeFileSync(rules, ruleFile())
  writeFileSync(channels, channelFile(url))
  const given = env['SPANMETER_ALERT_RULES']
  return {
    SPANMETER_ALERT_RULES: given === undefined ? rules : `${given},${rules}`,
    SPANMETER_ALERT_CHANNELS: channels,
  }
}

function channelFile(url: string): string {
  return `channels:
  - name: bench
    type: webhook
    url: ${url}
    allow_private: true
    rules: [${RULE}]
`
}

function ruleFile(): string {
  return `rules:
  - name: ${RULE}
    metric: sum(cost)
    by: [user]
    max_groups: 100000
    condition:
      budget: { limit: ${LIMIT_USD} USD, period: hour }
`
}
