import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { WORKERS } from '../services/cli/workers.ts'
import { BenchError } from './bench-error.ts'

/** Time that a function spent itself, without what it called. */
interface FunctionTime {
  readonly name: string
  /** Inside the project or its package; empty for the engine's own work, such as collecting garbage. */
  readonly file: string
  readonly selfMs: number
  /** Of the time that the worker was not idle. */
  readonly share: number
}

/** Where a worker's time went. */
export interface WorkerProfile {
  readonly worker: string
  readonly busyMs: number
  readonly top: readonly FunctionTime[]
}

/** The part of V8's .cpuprofile that is read here. */
const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string() }),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
})

/** A parsed .cpuprofile. */
export type CpuProfile = z.infer<typeof profileSchema>

const ENDING = '.cpuprofile'
const WORKER = new RegExp(`/services/(${WORKERS.join('|')})/`)
const US_PER_MS = 1_000

/** Files of a folder that hold a profile. */
export function listProfiles(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name.endsWith(ENDING))
}

/** Reads the profiles of a run. Throws BenchError where one is missing or cannot be read. */
export function readProfiles(
  folder: string,
  files: readonly string[],
  top: number,
): readonly WorkerProfile[] {
  const profiles = files.map((file) => summarise(readProfile(join(folder, file)), top))
  const ofWorkers = profiles.filter(({ worker }) => worker !== '')
  if (ofWorkers.length > 0) return ofWorkers
  throw new BenchError(`No profile of a worker was written to ${folder}.`)
}

function readProfile(file: string): CpuProfile {
  try {
    return profileSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    throw new BenchError(`${file} is no CPU profile.`, { cause: error })
  }
}

/** The functions with most self time, those of one name and file taken together. */
export function summarise(profile: CpuProfile, top: number): WorkerProfile {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  const times = new Map<string, { name: string; file: string; selfMs: number }>()
  let busyMs = 0
  profile.samples.forEach((id, index) => {
    const frame = frames.get(id)
    if (frame === undefined || frame.functionName === '(idle)') return
    // V8 now and then tells a time before the last one.
    const ms = Math.max(0, profile.timeDeltas[index] ?? 0) / US_PER_MS
    const name = frame.functionName === '' ? '(anonymous)' : frame.functionName
    const file = shortFile(frame.url)
    const key = `${file} ${name}`
    const time = times.get(key) ?? { name, file, selfMs: 0 }
    time.selfMs += ms
    busyMs += ms
    times.set(key, time)
  })
  const sorted = [...times.values()].sort((a, b) => b.selfMs - a.selfMs).slice(0, top)
  return {
    worker: workerOf(profile),
    busyMs,
    top: sorted.map((time) => ({ ...time, share: busyMs === 0 ? 0 : time.selfMs / busyMs })),
  }
}

/** The worker whose own code runs in the profile, or nothing. */
function workerOf({ nodes }: CpuProfile): string {
  for (const { callFrame } of nodes) {
    const name = WORKER.exec(callFrame.url)?.[1]
    if (name !== undefined) return name
  }
  return ''
}

/** A path inside the project or a package, without what lies above it. */
function shortFile(url: string): string {
  const inPackage = url.lastIndexOf('/node_modules/')
  if (inPackage >= 0) return url.slice(inPackage + '/node_modules/'.length)
  return /\/((?:services|schemas)\/.+)$/.exec(url)?.[1] ?? url
}
