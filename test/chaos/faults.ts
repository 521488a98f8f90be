import { writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Engines } from '../../services/embedded/engines.ts'
import type { ChaosStack } from './chaos-stack.ts'
import { COPIES, type EngineTarget, type Fault, type Slot } from './plan.ts'
import type { Poison } from './poison.ts'
import { sendSignal } from './slots.ts'

/** How a fault went. */
export interface Done {
  readonly fault: Fault
  /** False where there was nothing to hit: a copy that was not there. */
  readonly hit: boolean
  readonly startedMs: number
  /** When nothing of it was left: an engine runs again, a link carries bytes again. */
  readonly endedMs: number
}

export interface FaultRunner {
  /** Resolves when the fault is over. */
  run(fault: Fault): Promise<Done>
}

const RESTART_PAUSE_MS = 1_000
const RESTART_TRIES = 120
const ENGINES: readonly string[] = ['kafka', 'clickhouse'] satisfies readonly EngineTarget[]

function isEngine(target: Slot | EngineTarget): target is EngineTarget {
  return ENGINES.includes(target)
}

/** What does to a stack what a plan says. Faults of one engine wait for one another. */
export function createFaultRunner(stack: ChaosStack, poison: Poison): FaultRunner {
  const queues: Record<EngineTarget, Promise<unknown>> = {
    kafka: Promise.resolve(),
    clickhouse: Promise.resolve(),
  }
  const inTurn = (target: EngineTarget, task: () => Promise<boolean>): Promise<boolean> => {
    const turn = queues[target].then(task)
    queues[target] = turn.catch(() => undefined)
    return turn
  }
  const onProcess = (fault: Fault & { kind: 'kill' | 'terminate' | 'freeze' }) => {
    const { target } = fault
    return isEngine(target)
      ? inTurn(target, () => hitEngine(stack, target, fault))
      : hitSlot(stack, target, fault)
  }
  const carryOut = (fault: Fault): Promise<boolean> => {
    switch (fault.kind) {
      case 'kill':
      case 'terminate':
      case 'freeze':
        return onProcess({ ...fault, kind: fault.kind, target: fault.target })
      case 'fill-disk':
        return fillDisk(stack, fault)
      case 'jump-clock':
        return jumpClock(stack, fault)
      case 'copy':
        return runCopy(stack, fault)
      case 'poison':
        return poison.send(fault.target, fault.number).then(() => true)
      default:
        return trouble(stack, fault)
    }
  }
  return {
    async run(fault) {
      const startedMs = performance.now()
      const hit = await carryOut(fault)
      return { fault, hit, startedMs, endedMs: performance.now() }
    },
  }
}

async function hitSlot(stack: ChaosStack, target: Slot, { kind, lastMs }: Fault): Promise<boolean> {
  const slot = stack.slot(target)
  if (slot === undefined) return false
  if (kind === 'freeze') {
    await slot.freeze(lastMs)
    return true
  }
  return slot.signal(kind === 'kill' ? 'SIGKILL' : 'SIGTERM')
}

async function hitEngine(
  { engines }: ChaosStack,
  target: EngineTarget,
  { kind, lastMs }: Fault,
): Promise<boolean> {
  const pid = engines.current(target)?.pid
  if (kind === 'freeze') {
    if (!sendSignal(pid, 'SIGSTOP')) return false
    await delay(lastMs)
    return sendSignal(pid, 'SIGCONT')
  }
  if (kind === 'kill') sendSignal(pid, 'SIGKILL')
  await restartEngine(engines, target)
  return true
}

/** Starts an engine again, and again where it does not come up: its disk may be full just then. */
export async function restartEngine(engines: Engines, target: EngineTarget): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await engines.restart(target)
      return
    } catch (error) {
      if (tries >= RESTART_TRIES) throw error
      await delay(RESTART_PAUSE_MS)
    }
  }
}

async function fillDisk(
  { disk }: ChaosStack,
  { lastMs, leaveBytes }: Fault & { kind: 'fill-disk' },
): Promise<boolean> {
  const free = await disk?.fill(leaveBytes)
  if (free === undefined) return false
  await delay(lastMs)
  await free()
  return true
}

async function jumpClock(
  stack: ChaosStack,
  { target, lastMs, byMs }: Fault & { kind: 'jump-clock' },
): Promise<boolean> {
  await writeFile(stack.clockFile(target), String(byMs))
  await delay(lastMs)
  await writeFile(stack.clockFile(target), '0')
  return true
}

async function runCopy(
  stack: ChaosStack,
  { target, lastMs, isKilled }: Fault & { kind: 'copy' },
): Promise<boolean> {
  const slot = await stack.startCopy(target)
  if (slot === undefined) return false
  await delay(lastMs)
  const stopped = slot.stop()
  if (isKilled) slot.signal('SIGKILL')
  await stopped
  return true
}

async function trouble(
  stack: ChaosStack,
  {
    kind,
    target,
    lastMs,
  }: Fault & { kind: 'refuse' | 'hold' | 'swallow' | 'lose-answers' | 'throttle' },
): Promise<boolean> {
  const copy = COPIES.find((name) => target.startsWith(`${name}>`))
  if (copy !== undefined && stack.slot(copy) === undefined) return false
  const end = stack.link(target).trouble(kind)
  await delay(lastMs)
  end()
  return true
}
