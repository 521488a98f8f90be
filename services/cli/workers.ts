import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Env } from '#runtime/config.ts'
import { type Backoff, backoffMs } from '#runtime/retry.ts'

/** The workers of the pipeline, in the order of the flow. */
export const WORKERS = ['ingest', 'enrich', 'sink', 'alert'] as const
export type WorkerName = (typeof WORKERS)[number]

export interface WorkersOptions {
  readonly env: Env
  /** Those to start; all of them where it is not said. */
  readonly names?: readonly WorkerName[]
  readonly logDir: string
  readonly readyDeadlineMs: number
  /** Pauses before a worker that ended is started again. */
  readonly restart?: Backoff
  /** Told of what a person should know: a worker that ended, and that it is started again. */
  readonly onProgress: (message: string) => void
}

export interface Workers {
  /** Process id of a worker as it runs now. */
  pid(name: WorkerName): number | undefined
  /** Ends all workers cleanly, those at the front of the flow first. */
  stop(): Promise<void>
}

/** A worker ended, or did not come up in time. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError'
}

const DEFAULT_RESTART = { firstMs: 500, maxMs: 30_000 }
const STOP_DEADLINE_MS = 25_000
/** A worker that ran this long starts afresh with its restarts. */
const HEALTHY_MS = 60_000
const EXIT_CONFIG = 78

/**
 * Starts each worker as a process of its own and keeps it running: one that ends is started again
 * after a pause. Resolves when all are ready. Throws WorkerError naming the log of one that is not.
 */
export async function startWorkers(options: WorkersOptions): Promise<Workers> {
  mkdirSync(options.logDir, { recursive: true })
  const stopping = new AbortController()
  const started = await Promise.allSettled(
    (options.names ?? WORKERS).map((name) => keepRunning(name, options, stopping.signal)),
  )
  const running = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const stop = async () => {
    stopping.abort()
    for (const worker of running) await worker.stop()
  }
  const failed = started.find((result) => result.status === 'rejected')
  if (failed !== undefined) {
    await stop()
    throw failed.reason
  }
  return { stop, pid: (name) => running.find((worker) => worker.name === name)?.pid() }
}

interface Kept {
  readonly name: WorkerName
  pid(): number | undefined
  stop(): Promise<void>
}

async function keepRunning(
  name: WorkerName,
  options: WorkersOptions,
  signal: AbortSignal,
): Promise<Kept> {
  let child = startWorker(name, options)
  await whenReady(name, child, options)
  const supervised = supervise()

  async function supervise(): Promise<void> {
    let restarts = 0
    while (!signal.aborted) {
      const startedMs = Date.now()
      const how = await exitOf(child)
      if (signal.aborted) return
      if (Date.now() - startedMs > HEALTHY_MS) restarts = 0
      const waitMs = backoffMs(restarts++, options.restart ?? DEFAULT_RESTART, Math.random)
      options.onProgress(
        `${name} ended (${how}); starting it again. Its log: ${logFile(name, options)}`,
      )
      await delay(waitMs, undefined, { signal }).catch(() => undefined)
      if (!signal.aborted) child = startWorker(name, options)
    }
  }

  return {
    name,
    pid: () => child.pid,
    async stop() {
      child.kill('SIGTERM')
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS)
      await exitOf(child)
      clearTimeout(force)
      await supervised
    },
  }
}

function logFile(name: WorkerName, { logDir }: WorkersOptions): string {
  return join(logDir, `${name}.log`)
}

/** Nearly all that a worker allocates is garbage soon: with more room for the young (MiB), less of it is copied. */
const NODE_FLAGS = ['--max-semi-space-size=32']

/** A process group of its own keeps Ctrl-C of the terminal away; the IPC channel ends it with its parent. */
function startWorker(name: WorkerName, options: WorkersOptions): ChildProcess {
  const log = openSync(logFile(name, options), 'a')
  const main = fileURLToPath(new URL(`../${name}/main.ts`, import.meta.url))
  const child = fork(main, [], {
    // Kept between starts, compiled code makes them quicker.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'spanmeter-compile-cache'), ...options.env },
    execArgv: NODE_FLAGS,
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  })
  closeSync(log)
  return child
}

function exitOf(child: ChildProcess): Promise<string> {
  const describe = () => child.signalCode ?? `exit code ${child.exitCode}`
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(describe())
  return new Promise((resolve) => child.once('exit', () => resolve(describe())))
}

async function whenReady(
  name: WorkerName,
  child: ChildProcess,
  options: WorkersOptions,
): Promise<void> {
  const problem = await Promise.race([
    new Promise<undefined>((resolve) => child.once('message', () => resolve(undefined))),
    exitOf(child).then((how) => `ended at once (${how})`),
    delay(options.readyDeadlineMs, `was not ready after ${options.readyDeadlineMs} ms`, {
      ref: false,
    }),
  ])
  if (problem === undefined) return
  child.kill('SIGKILL')
  const hint = child.exitCode === EXIT_CONFIG ? ' Its configuration is not valid.' : ''
  throw new WorkerError(`${name} ${problem}.${hint} See the end of ${logFile(name, options)}`)
}
