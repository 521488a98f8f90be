import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Env } from '#runtime/config.ts'

/** The OpenTelemetry Collector as a process that is started again whenever it ends. */
export interface Collector {
  pid(): number | undefined
  stop(): Promise<void>
}

const CONFIG = fileURLToPath(new URL('otelcol-collector.yaml', import.meta.url))
const RESTART_MS = 300
const STOP_MS = 20_000

/** Starts the Collector's program with its variables. */
export function keepCollector(program: string, env: Env, logFile: string): Collector {
  const stopping = new AbortController()
  let child = start()
  const supervised = (async () => {
    while (!stopping.signal.aborted) {
      await exitOf(child)
      await delay(RESTART_MS, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (!stopping.signal.aborted) child = start()
    }
  })()

  function start(): ChildProcess {
    const log = openSync(logFile, 'a')
    const stdio = ['ignore', log, log] as const
    const started = spawn(program, ['--config', CONFIG], { env, stdio: [...stdio] })
    closeSync(log)
    return started
  }

  return {
    pid: () => child.pid,
    async stop() {
      stopping.abort()
      child.kill('SIGCONT')
      child.kill('SIGTERM')
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await exitOf(child)
      clearTimeout(force)
      await supervised
    },
  }
}

function exitOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => child.once('exit', () => resolve()))
}
