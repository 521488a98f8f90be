import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { constants } from 'node:os'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { processStart, readHolder, recordHolder } from '#runtime/process-lock.ts'
import { EmbeddedError } from './embedded-error.ts'
import { openLogTail, type LogTail } from './log-tail.ts'

/** A running Kafka or ClickHouse. It ends with this process at the latest, even if that is killed with -9. */
export interface Engine {
  readonly name: string
  /** Of the engine itself (java, or the Node process that is ClickHouse), not of its guard. */
  readonly pid: number
  readonly logFile: string
  /** Settles when the engine has ended, whoever ended it; never rejects. */
  readonly exited: Promise<EngineExit>
  /** Ends the engine cleanly, or by force after a deadline; resolves when it has ended. */
  stop(): Promise<void>
}
interface EngineExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** Told what takes long enough for a person to wonder. */
export type Progress = (engine: string, message: string) => void

/** What startEngine needs to know about one engine. */
export interface EngineSpec {
  readonly name: string
  /** The engine's own folder; its pid stands beside it. */
  readonly folder: string
  readonly logDir: string
  /** The log that the engine writes; what it prints beside it goes to the console file of the same name. */
  readonly logFile: string
  readonly command: readonly string[]
  /** How the guard asks the engine to end: a signal, or nothing where the engine reads standard input. */
  readonly stopBy: 'SIGTERM' | 'closed-stdin'
  /** Never rejects; called every 50 ms until it gives true. */
  readonly isReady: () => Promise<boolean>
  readonly startDeadlineMs: number
}

const GUARD = fileURLToPath(new URL('guard.sh', import.meta.url))
const GRACE_SECONDS = 20
const FORCE_AFTER_MS = (GRACE_SECONDS + 5) * 1_000
const POLL_MS = 50

/**
 * Starts an engine behind its guard and resolves when it is ready. Throws EmbeddedError with the end
 * of its log when it ends early or is not ready in time.
 */
export async function startEngine(spec: EngineSpec): Promise<Engine> {
  mkdirSync(spec.logDir, { recursive: true })
  const consoleFile = spec.logFile.replace(/\.log$/, '-console.log')
  const output = openSync(consoleFile, 'w')
  const tail = openLogTail([spec.logFile, consoleFile])
  // A session of its own keeps Ctrl-C of the terminal away: the supervisor decides who ends when.
  const guard = spawn(
    '/bin/sh',
    [GUARD, spec.stopBy === 'SIGTERM' ? 'TERM' : '0', String(GRACE_SECONDS), ...spec.command],
    { detached: true, stdio: ['pipe', output, output, 'pipe'] },
  )
  closeSync(output)
  const guardExit = exitOf(guard)
  const pid = await readPid(guard, spec.name)
  const started = processStart(pid)
  recordHolder(pidFile(spec.folder), pid)
  const runs = (): boolean => started !== undefined && processStart(pid) === started
  const exited = guardExit.then((exit) => whenGone(runs, exit))
  const stop = async (): Promise<void> => {
    guard.stdin?.end()
    await Promise.race([exited, delay(FORCE_AFTER_MS, undefined, { ref: false })])
    if (runs()) process.kill(pid, 'SIGKILL')
    await exited
    rmSync(pidFile(spec.folder), { force: true })
  }
  const engine = { name: spec.name, pid, logFile: spec.logFile, exited, stop }
  await waitUntilReady(engine, spec, tail)
  return engine
}

/**
 * Waits for an engine that an earlier, killed supervisor left behind: its guard is about to end it.
 * Throws EmbeddedError with its pid when it stays.
 */
export async function waitForEarlierEngine(
  name: string,
  folder: string,
  onProgress: Progress,
): Promise<void> {
  const deadline = Date.now() + FORCE_AFTER_MS
  let holder = readHolder(pidFile(folder))
  if (holder !== undefined)
    onProgress(name, `waiting for an earlier one (pid ${holder.pid}) to stop`)
  while (holder !== undefined) {
    if (Date.now() > deadline) {
      throw new EmbeddedError(
        `${name} of an earlier start still runs in ${folder} (pid ${holder.pid}). ` +
          `End it with: kill -9 ${holder.pid}`,
      )
    }
    await delay(POLL_MS)
    holder = readHolder(pidFile(folder))
  }
}

async function waitUntilReady(engine: Engine, spec: EngineSpec, tail: LogTail): Promise<void> {
  const deadline = Date.now() + spec.startDeadlineMs
  let ended: EngineExit | undefined
  const end = engine.exited.then((exit) => {
    ended = exit
    return exit
  })
  while (!(await spec.isReady())) {
    if (ended !== undefined || Date.now() > deadline) {
      await engine.stop()
      const how =
        ended === undefined
          ? `was not ready after ${spec.startDeadlineMs / 1_000} s (SPANMETER_EMBEDDED_START_SECONDS)`
          : `ended while starting (${describeExit(ended)})`
      throw new EmbeddedError(`${spec.name} ${how}.\n${tail.describe()}`)
    }
    await Promise.race([end, delay(POLL_MS)])
  }
}

function describeExit({ code, signal }: EngineExit): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`
}

function pidFile(folder: string): string {
  return `${folder}.pid`
}

async function readPid(guard: ChildProcess, name: string): Promise<number> {
  const pipe = guard.stdio[3]
  if (!(pipe instanceof Readable)) throw new Error('the guard has a pipe at 3')
  let text = ''
  for await (const chunk of pipe) text += String(chunk)
  const pid = Number.parseInt(text, 10)
  if (!(pid > 0))
    throw new EmbeddedError(`${name} could not be started: /bin/sh did not run ${GUARD}.`)
  return pid
}

// Somebody may kill the guard; its watcher then ends the engine a moment later.
async function whenGone(runs: () => boolean, exit: EngineExit): Promise<EngineExit> {
  while (runs()) await delay(POLL_MS)
  return exit
}

// A shell gives the signal that ended its child as 128 plus the signal's number.
async function exitOf(guard: ChildProcess): Promise<EngineExit> {
  try {
    await once(guard, 'exit')
  } catch {
    return { code: null, signal: null }
  }
  const { exitCode, signalCode } = guard
  const bySignal = Object.entries(constants.signals).find(([, number]) => number + 128 === exitCode)
  return bySignal !== undefined && isSignal(bySignal[0])
    ? { code: null, signal: bySignal[0] }
    : { code: exitCode, signal: signalCode }
}

function isSignal(name: string): name is NodeJS.Signals {
  return name in constants.signals
}
