import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Lags, LoadRound, MeteredWorker } from './load-round.ts'
import type { Metered } from './meter.ts'

/** What a process holds at a moment. */
export interface Holding {
  readonly rssBytes: number
  readonly threads: number
  readonly files: number
}

/** What a worker tells of itself beside that; undefined where it did not answer in time. */
export interface WorkerHolding extends Holding {
  readonly heapBytes: number | undefined
  /** Sockets, timers and other handles that keep Node's event loop going. */
  readonly handles: number | undefined
  /** Longest that the event loop was late since it was asked before. */
  readonly loopDelayMs: number | undefined
}

/** All processes of a round at a moment. */
export interface Sample {
  /** Since sampling began. */
  readonly atMs: number
  readonly lags: Lags
  readonly workers: Readonly<Record<string, WorkerHolding>>
  readonly engines: Readonly<Record<string, Holding>>
}

/** Sampling under way. */
export interface Sampling {
  /** Gives all samples. Rejects where one could not be taken. */
  stop(): Promise<readonly Sample[]>
}

const KIB = 1_024
const ANSWER_MS = 5_000

/** Takes samples of a round until it is stopped. */
export function startSampling(round: LoadRound, everyMs: number): Sampling {
  const stopping = new AbortController()
  const signal = AbortSignal.any([stopping.signal, round.signal])
  const startedMs = performance.now()
  const samples: Sample[] = []
  const running = run()
  // Whoever never stops it hears of a failure by what the round does.
  running.catch(() => undefined)

  async function run(): Promise<void> {
    while (!signal.aborted) {
      samples.push({ atMs: performance.now() - startedMs, ...(await readSample(round)) })
      await delay(everyMs, undefined, { signal }).catch(() => undefined)
    }
  }

  return {
    async stop() {
      stopping.abort()
      await running
      return samples
    },
  }
}

async function readSample(round: LoadRound): Promise<Omit<Sample, 'atMs'>> {
  const workers = await Promise.all(
    round.workers.map(async (worker) => [worker.name, await readWorker(worker)] as const),
  )
  return {
    lags: await round.lags(),
    workers: Object.fromEntries(workers),
    engines: Object.fromEntries(round.engines.map((one) => [one.name, readHolding(one)])),
  }
}

/** Reads a living process from /proc. */
function readHolding({ pid }: Metered): Holding {
  const { rssBytes, threads } = parseHolding(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return { rssBytes, threads, files: readdirSync(`/proc/${pid}/fd`).length }
}

/** Reads a worker from /proc and from its own metrics. */
async function readWorker(worker: MeteredWorker): Promise<WorkerHolding> {
  const told = parseTold(await readMetrics(worker.metricsPort))
  return { ...readHolding(worker), ...told }
}

/** VmRSS and Threads in /proc/PID/status. */
export function parseHolding(status: string): Omit<Holding, 'files'> {
  const rss = /^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]
  const threads = /^Threads:\s*(\d+)$/m.exec(status)?.[1]
  if (rss === undefined || threads === undefined) throw new RangeError('not /proc/PID/status')
  return { rssBytes: Number(rss) * KIB, threads: Number(threads) }
}

/** What a worker's metrics say of its process. */
export function parseTold(
  metrics: string,
): Pick<WorkerHolding, 'heapBytes' | 'handles' | 'loopDelayMs'> {
  const sum = (name: string) => {
    const found = [...metrics.matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'gm'))]
    if (found.length === 0) return undefined
    return found.reduce((total, [, value]) => total + Number(value), 0)
  }
  const delayS = sum('spanmeter_nodejs_eventloop_lag_max_seconds')
  return {
    heapBytes: sum('spanmeter_nodejs_heap_size_used_bytes'),
    handles: sum('spanmeter_nodejs_active_handles'),
    loopDelayMs: delayS === undefined ? undefined : delayS * 1_000,
  }
}

/** Nothing where a worker is too busy to answer. */
async function readMetrics(port: number): Promise<string> {
  try {
    const signal = AbortSignal.timeout(ANSWER_MS)
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal })
    return await response.text()
  } catch {
    return ''
  }
}
