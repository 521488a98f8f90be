import { setTimeout as wait } from 'node:timers/promises'

/** Time as the replay sees it, so that tests can give their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after the time, or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      await wait(ms, undefined, { signal })
    } catch {
      // The only rejection is the abort, and that ends the sleep as the contract says.
    }
  },
}
