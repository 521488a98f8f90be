import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Env } from '#runtime/config.ts'
import { startWorkers, type WorkerName } from '../services/cli/workers.ts'
import { BenchError } from './bench-error.ts'

/** A process under test, ready for work. It ends with this process at the latest. */
export interface BenchProcess {
  readonly pid: number
  /** Aborts, with a BenchError as its reason, when the process ends before it is stopped. */
  readonly ended: AbortSignal
  /** Lets it stand still until it is resumed. */
  pause(): void
  resume(): void
  stop(): Promise<void>
}

/** One that answers each line with a line. */
export interface TalkingProcess extends BenchProcess {
  ask(line: string): Promise<string>
}

/** What is started, and where its log goes. */
interface ProcessOptions<Name extends string> {
  readonly name: Name
  readonly env: Env
  readonly logDir: string
  readonly signal: AbortSignal
}

const READY_DEADLINE_MS = 60_000
const STOP_DEADLINE_MS = 25_000

/** Starts a worker of this project. Throws WorkerError naming its log when it does not come up. */
export async function startWorker(options: ProcessOptions<WorkerName>): Promise<BenchProcess> {
  const { name, env, logDir } = options
  const ending = new AbortController()
  const workers = await startWorkers({
    names: [name],
    env,
    logDir,
    readyDeadlineMs: READY_DEADLINE_MS,
    // A worker that ends spoils the run, although it would be started again.
    onProgress: (message) => ending.abort(new BenchError(message)),
  })
  const pid = workers.pid(name)
  if (pid === undefined) throw new BenchError(`${name} does not run.`)
  return controlled(pid, ending.signal, () => workers.stop())
}

/**
 * Starts a program that says `ready` on standard output, and ends when its standard input does.
 * Throws BenchError naming its log when it ends before.
 */
export async function startTalking(
  options: ProcessOptions<string> & { readonly command: readonly string[] },
): Promise<TalkingProcess> {
  const { name, env, logDir, command } = options
  const logFile = join(logDir, `${name}.log`)
  mkdirSync(logDir, { recursive: true })
  const [program = '', ...args] = command
  const child = spawn(program, args, { env, detached: true })
  child.stderr.pipe(createWriteStream(logFile, { flags: 'a' }))
  const ending = new AbortController()
  const exited = new Promise<void>((resolve) => {
    const end = (how: string) => {
      ending.abort(new BenchError(`${name} ended (${how}). See the end of ${logFile}`))
      resolve()
    }
    child.once('error', ({ message }) => end(message))
    child.once('exit', (code, by) => end(by ?? `exit code ${code}`))
  })
  const stop = () => stopTalking(child, exited)
  const lines = createInterface({ input: child.stdout })
  const nextLine = () => new Promise<string>((resolve) => lines.once('line', resolve))
  try {
    await unlessAborted(AbortSignal.any([options.signal, ending.signal]), nextLine())
  } catch (error) {
    await stop()
    throw error
  }
  return {
    ...controlled(child.pid ?? 0, ending.signal, stop),
    async ask(line) {
      const answer = nextLine()
      child.stdin.write(`${line}\n`)
      return unlessAborted(ending.signal, answer)
    },
  }
}

function controlled(pid: number, ended: AbortSignal, stop: () => Promise<void>): BenchProcess {
  return {
    pid,
    ended,
    pause: () => void process.kill(pid, 'SIGSTOP'),
    resume: () => void process.kill(pid, 'SIGCONT'),
    async stop() {
      // One that stands still does not hear that it is to end.
      if (!ended.aborted) process.kill(pid, 'SIGCONT')
      await stop()
    },
  }
}

async function stopTalking(
  child: ChildProcessWithoutNullStreams,
  exited: Promise<void>,
): Promise<void> {
  child.stdin.end()
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS)
  await exited
  clearTimeout(force)
}

/** Settles as `task` does, unless the signal aborts before; then it rejects with the signal's reason. */
async function unlessAborted<T>(signal: AbortSignal, task: Promise<T>): Promise<T> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort)
  try {
    return await Promise.race([task, aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
