import type { Admit } from './api-keys.ts'
import { OVERLOAD_RETRY_MS } from './receiver-limits.ts'

export interface ShedOptions {
  /** Longest that one turn of the event loop may be at work on what has arrived; the rest is refused. */
  readonly maxBusyMs: number
  /** A clock that never goes back, in milliseconds. */
  readonly now: () => number
  /** Runs a task after all that has arrived by now: `setImmediate`. */
  readonly afterTurn: (task: () => void) => void
}

/**
 * Refuses requests that have waited for long because ingest is busy with others, before their keys are
 * checked and their bodies read. Requests are translated as they come, one after the other, so what
 * waits lies in sockets, where nobody counts it: without this, more load than the processor can bear
 * makes every request slow until its client gives up, and it is translated all the same.
 */
export function shedLoad(admit: Admit, { maxBusyMs, now, afterTurn }: ShedOptions): Admit {
  let turnStartedMs: number | undefined
  return (key, scope) => {
    if (turnStartedMs === undefined) {
      turnStartedMs = now()
      afterTurn(() => {
        turnStartedMs = undefined
      })
    } else if (now() - turnStartedMs > maxBusyMs) {
      const message = 'More arrives than can be taken in; send the request again later'
      return { type: 'refused', reason: 'overloaded', message, retryAfterMs: OVERLOAD_RETRY_MS }
    }
    return admit(key, scope)
  }
}
