import { mkdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Env } from '#runtime/config.ts'
import { startWorkers, WORKERS, type WorkerName } from '../../services/cli/workers.ts'
import type { Slot } from './plan.ts'

/** A worker that is started again whenever it ends. */
export interface RunningSlot {
  readonly name: Slot
  /** Sends a signal to the process as it is now; false where there is none just now. */
  signal(signal: NodeJS.Signals): boolean
  /** Stops the process, and lets the same process go on after a while. */
  freeze(lastMs: number): Promise<void>
  /** Ends it for good. */
  stop(): Promise<void>
  onStopped(listener: () => void): void
}

export interface SlotOptions {
  readonly name: Slot
  readonly env: Env
  readonly logDir: string
}

const READY_DEADLINE_MS = 120_000
const RESTART = { firstMs: 200, maxMs: 1_000 }
const CLOCK = new URL('./clock.ts', import.meta.url).href

/** Starts a worker with a clock that can be shifted. Throws WorkerError when it does not come up. */
export async function startSlot({ name, env, logDir }: SlotOptions): Promise<RunningSlot> {
  const worker = workerOf(name)
  mkdirSync(logDir, { recursive: true })
  const options = [env['NODE_OPTIONS'], `--import=${CLOCK}`].filter(Boolean).join(' ')
  const workers = await startWorkers({
    env: { ...env, NODE_OPTIONS: options },
    names: [worker],
    logDir,
    readyDeadlineMs: READY_DEADLINE_MS,
    restart: RESTART,
    onProgress: () => undefined,
  })
  const listeners: (() => void)[] = []
  let stopping: Promise<void> | undefined
  return {
    name,
    signal: (signal) => sendSignal(workers.pid(worker), signal),
    async freeze(lastMs) {
      const pid = workers.pid(worker)
      if (!sendSignal(pid, 'SIGSTOP')) return
      await delay(lastMs)
      sendSignal(pid, 'SIGCONT')
    },
    stop() {
      stopping ??= (async () => {
        await workers.stop()
        for (const listener of listeners) listener()
      })()
      return stopping
    },
    onStopped: (listener) => listeners.push(listener),
  }
}

function workerOf(name: Slot): WorkerName {
  const worker = WORKERS.find((one) => one === name || `${one}-2` === name)
  if (worker === undefined) throw new Error(`${name} is no worker`)
  return worker
}

/** A process that was killed a moment ago may not be back yet. */
export function sendSignal(pid: number | undefined, signal: NodeJS.Signals): boolean {
  if (pid === undefined) return false
  try {
    process.kill(pid, signal)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}
