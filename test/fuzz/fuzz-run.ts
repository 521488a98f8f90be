import { createRandom } from '../alert/random.ts'
import { canary, type Target, TARGETS } from './targets.ts'

/** Bytes that did what no bytes may do. */
export interface Finding {
  readonly target: string
  readonly input: Buffer
  readonly problem: string
}

/** What became of the inputs of one target. */
export interface Tally {
  inputs: number
  bytes: number
  /** How often each came about, by its word. */
  readonly outcomes: Map<string, number>
  slowestMs: number
}

export interface FuzzOptions {
  readonly inputs: number
  readonly seed: number
  readonly onFinding: (finding: Finding) => void
  /** Called now and then, with the number of inputs so far. */
  readonly onProgress?: (inputs: number) => void
}

/** An input may take this long, and longer the larger it is; on a busy machine what counts is its CPU. */
const BASE_MS = 50
const MS_PER_KIB = 1
const TRIES = 3
const CANARY_EVERY = 2_000

/** Makes inputs and reads them, and tells of what should never happen. */
export function fuzz({
  inputs,
  seed,
  onFinding,
  onProgress,
}: FuzzOptions): ReadonlyMap<string, Tally> {
  const random = createRandom(seed)
  const turns = TARGETS.flatMap((target) => Array.from({ length: target.share }, () => target))
  const tallies = new Map<string, Tally>()
  const healthy = canary()
  for (let number = 0; number < inputs; number++) {
    const target = turns[number % turns.length]
    if (target === undefined) break
    const input = target.make(random)
    const problem = tryInput(target, input, tallyOf(tallies, target.name))
    if (problem !== undefined) onFinding({ target: target.name, input, problem })
    if (number % CANARY_EVERY !== 0) continue
    onProgress?.(number)
    if (canary() !== healthy) {
      onFinding({ target: target.name, input, problem: 'what follows is read otherwise' })
    }
  }
  return tallies
}

/** Reads one input; gives what is wrong, if something is. */
export function tryInput(target: Target, input: Buffer, tally: Tally): string | undefined {
  const startedMs = performance.now()
  try {
    const outcome = target.read(input)
    tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1)
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error)
  }
  const tookMs = performance.now() - startedMs
  tally.inputs++
  tally.bytes += input.length
  const maxMs = BASE_MS + (MS_PER_KIB * input.length) / 1_024
  if (tookMs > maxMs) {
    const leastMs = fastestOf(target, input)
    if (leastMs > maxMs) return `took ${leastMs.toFixed(0)} ms for ${input.length} bytes`
    tally.slowestMs = Math.max(tally.slowestMs, leastMs)
  } else tally.slowestMs = Math.max(tally.slowestMs, tookMs)
  return undefined
}

function fastestOf(target: Target, input: Buffer): number {
  const times = Array.from({ length: TRIES }, () => {
    const before = process.cpuUsage()
    target.read(input)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1_000
  })
  return Math.min(...times)
}

export const emptyTally = (): Tally => ({ inputs: 0, bytes: 0, outcomes: new Map(), slowestMs: 0 })

function tallyOf(tallies: Map<string, Tally>, name: string): Tally {
  const tally = tallies.get(name) ?? emptyTally()
  tallies.set(name, tally)
  return tally
}
