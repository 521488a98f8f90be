import type { Clock } from './clock.ts'
import type { OtlpRequest } from './otlp.ts'

/** Takes OTLP request bodies to where they are wanted. */
export interface OtlpSender {
  /** Resolves when all bodies are accepted for good; retries are its own affair. */
  send(bodies: readonly Uint8Array[]): Promise<void>
  close(): Promise<void>
}

/** How fast a replay runs and how much it sends at once. */
export interface ReplayOptions {
  /** Event time ÷ wall time; Infinity sends as fast as the receiver takes it. */
  readonly speed: number
  /** The event time that counts as the start, in milliseconds since the epoch. */
  readonly originMs: number
  /** Calls of `send` that may be under way together. */
  readonly concurrency: number
  /** Bodies, and their bytes together, that one call of `send` gets; one body always goes. */
  readonly maxBodies: number
  readonly maxBytes: number
}

/** What a replay needs from outside. */
export interface ReplayDependencies {
  readonly send: OtlpSender['send']
  /** Called once for each request that was accepted. */
  readonly onSent: (request: OtlpRequest) => void
  /** Aborting stops the replay: nothing new is sent, what is under way is waited for. */
  readonly signal: AbortSignal
  readonly clock: Clock
}

/** Whether a replay came to its end or was stopped by its signal. */
export type ReplayOutcome = 'complete' | 'stopped'

/**
 * Sends requests in order, each no earlier than its event time divided by the speed. Rejects with
 * the first error of `send`, once everything under way has settled.
 */
export async function replay(
  requests: Iterable<OtlpRequest>,
  options: ReplayOptions,
  { send, onSent, signal, clock }: ReplayDependencies,
): Promise<ReplayOutcome> {
  const startMs = clock.now()
  const lane = createLane(options.concurrency, signal)
  const dispatch = async (group: readonly OtlpRequest[]): Promise<void> => {
    if (group.length === 0) return
    await lane.run(async () => {
      await send(group.map(({ body }) => body))
      for (const request of group) onSent(request)
    })
  }
  let group: OtlpRequest[] = []
  let groupBytes = 0
  for (const request of requests) {
    const dueMs = startMs + (request.sendTimeMs - options.originMs) / options.speed
    const waitMs = dueMs - clock.now()
    const isFull =
      group.length >= options.maxBodies || groupBytes + request.body.length > options.maxBytes
    if (waitMs > 0 || isFull) {
      await dispatch(group)
      group = []
      groupBytes = 0
    }
    if (waitMs > 0) await clock.sleep(waitMs, lane.signal)
    if (lane.signal.aborted) break
    group.push(request)
    groupBytes += request.body.length
  }
  if (!lane.signal.aborted) await dispatch(group)
  await lane.settle()
  return signal.aborted ? 'stopped' : 'complete'
}

/** Runs at most `width` tasks at once. The first failure aborts the lane's signal. */
function createLane(width: number, outer: AbortSignal) {
  const failed = new AbortController()
  const signal = AbortSignal.any([outer, failed.signal])
  const running = new Set<Promise<void>>()
  const start = (task: () => Promise<void>): void => {
    const run = task()
      .catch((error: unknown) => failed.abort(error))
      .finally(() => running.delete(run))
    running.add(run)
  }
  return {
    signal,
    /** Waits for a free place and starts the task, unless the signal has aborted meanwhile. */
    async run(task: () => Promise<void>): Promise<void> {
      while (running.size >= width) await Promise.race(running)
      if (!signal.aborted) start(task)
    },
    /** Waits for all tasks and throws the first failure, unless the replay was stopped anyway. */
    async settle(): Promise<void> {
      await Promise.all(running)
      if (failed.signal.aborted && !outer.aborted) throw failed.signal.reason
    },
  }
}
