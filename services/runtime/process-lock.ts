import { execFileSync } from 'node:child_process'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { z } from 'zod'

/** A process that a lock file names. `started` tells it from a later process with the same pid. */
export interface Holder {
  readonly pid: number
  readonly started: string
}
const holderSchema = z.object({ pid: z.number().int().positive(), started: z.string() })

/** What a lock file stands for, held by this process until it is released or the process is gone. */
export interface Lock {
  release(): void
}

/** Another process holds it. */
export class LockHeldError extends Error {
  override readonly name = 'LockHeldError'
  readonly pid: number

  constructor(file: string, pid: number) {
    super(`${file} is held by ${holderName(pid)}`)
    this.pid = pid
  }

  /** The holder as a person is told of it. */
  get holder(): string {
    return holderName(this.pid)
  }
}

function holderName(pid: number): string {
  return pid === process.pid ? `this process (pid ${pid})` : `the process with pid ${pid}`
}

/** When a living process started, in words that no other process with its pid can have; undefined: none lives. */
export function processStart(pid: number): string | undefined {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (!hasCode(error, 'EPERM')) return undefined
  }
  return process.platform === 'linux' ? startOnLinux(pid) : startFromPs(pid)
}

// Slim containers have no ps, so Linux is read from /proc. A zombie holds nothing any more.
function startOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state === 'Z' || state === 'X') return undefined
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot}:${rest[18]}`
  } catch {
    return undefined
  }
}

function startFromPs(pid: number): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
    const [state = '', ...started] = line.split(/\s+/)
    return state === '' || state.startsWith('Z') ? undefined : started.join(' ')
  } catch {
    return undefined
  }
}

/** The living process that a lock file names; undefined where there is no file or the process is gone. */
export function readHolder(file: string): Holder | undefined {
  const text = readText(file)
  return text === undefined ? undefined : livingHolder(text)
}

/** Writes down that a process holds what the file stands for, whoever held it before. */
export function recordHolder(file: string, pid: number): void {
  const temporary = `${file}.${process.pid}.tmp`
  writeFileSync(temporary, holderText(pid))
  renameSync(temporary, file)
}

/**
 * Takes a lock file for this process. The lock of a dead process is taken over, so nothing needs
 * clearing after kill -9. Throws LockHeldError with the pid of a living holder.
 */
export function acquireLock(file: string): Lock {
  const mine = holderText(process.pid)
  const temporary = `${file}.${process.pid}.tmp`
  writeFileSync(temporary, mine)
  try {
    while (!linkIfFree(temporary, file)) {
      const found = readText(file)
      const holder = found === undefined ? undefined : livingHolder(found)
      if (holder !== undefined) throw new LockHeldError(file, holder.pid)
      if (found !== undefined) removeStale(file, found)
    }
  } finally {
    rmSync(temporary, { force: true })
  }
  return {
    release: () => {
      if (readText(file) === mine) rmSync(file, { force: true })
    },
  }
}

// Two starters may find the same dead lock: the slower one must not remove the lock that the faster one made since.
function removeStale(file: string, stale: string): void {
  const aside = `${file}.${process.pid}.stale`
  try {
    renameSync(file, aside)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return
    throw error
  }
  if (readText(aside) !== stale) linkIfFree(aside, file)
  rmSync(aside, { force: true })
}

function linkIfFree(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
}

function holderText(pid: number): string {
  return `${JSON.stringify({ pid, started: processStart(pid) ?? '' })}\n`
}

function livingHolder(text: string): Holder | undefined {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return undefined
  }
  const holder = holderSchema.safeParse(json)
  if (!holder.success) return undefined
  return processStart(holder.data.pid) === holder.data.started ? holder.data : undefined
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
