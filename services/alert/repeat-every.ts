import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '#runtime/log.ts'
import { TransientError } from '#runtime/records.ts'

export interface Repeating {
  /** Waits for a task under way. */
  stop(): Promise<void>
}

/** Does a task again and again, with a pause after each; what a dependency did not answer is tried next time. */
export function repeatEvery(pauseMs: number, logger: Logger, task: () => Promise<void>): Repeating {
  const stopping = new AbortController()
  const { signal } = stopping
  const done = run()

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await delay(pauseMs, undefined, { signal })
        await task()
      } catch (error) {
        if (signal.aborted) return
        if (!(error instanceof TransientError)) throw error
        logger.warn({ err: error }, 'A dependency did not answer. Trying again.')
      }
    }
  }

  return {
    async stop() {
      stopping.abort()
      await done
    },
  }
}
