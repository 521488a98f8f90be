import { setTimeout as delay } from 'node:timers/promises'

/** How often and how long to wait between tries. */
export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
}

export interface RetryOptions {
  readonly backoff: Backoff
  readonly isTransient: (error: unknown) => boolean
  /** Called before each wait; may throw to give up. */
  readonly onRetry: (error: unknown, waitMs: number) => Promise<void>
  readonly signal: AbortSignal
  readonly random?: () => number
}

/** Waits twice as long each time, capped, with up to half of it taken off by chance. */
export function backoffMs(
  attempt: number,
  { firstMs, maxMs }: Backoff,
  random: () => number,
): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30))
  return Math.round(full * (1 - random() / 2))
}

/** Calls `task` until it succeeds, fails for good, or the signal aborts. */
export async function retry<T>(task: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { backoff, isTransient, onRetry, signal, random = Math.random } = options
  for (let attempt = 0; ; attempt++) {
    try {
      return await task()
    } catch (error) {
      if (signal.aborted || !isTransient(error)) throw error
      const waitMs = backoffMs(attempt, backoff, random)
      await onRetry(error, waitMs)
      await delay(waitMs, undefined, { signal })
    }
  }
}
