import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka } from '#runtime/kafka.ts'
import { priceCorrections } from '#schemas/topics.ts'
import { RepriceError } from './reprice-error.ts'

/** Consumer group in which sink lands the corrections. */
const SINK_GROUP = 'sink-price-corrections'
const POLL_MS = 200
/** A wait that is over at once is not worth a word. */
const QUIET_POLLS = 5

export interface LandingOptions {
  readonly kafka: Pick<Kafka, 'lag'>
  /** The wait is given up when nothing has landed for this long. */
  readonly quietMs: number
  readonly say: (text: string) => void
  readonly signal: AbortSignal
}

/**
 * Waits until sink has landed every record of corrections there is. Throws RepriceError when nothing
 * moves any more, as when no sink runs.
 */
export async function waitUntilLanded(options: LandingOptions): Promise<void> {
  const { kafka, quietMs, say, signal } = options
  let left: bigint | undefined
  let quietSinceMs = performance.now()
  for (let poll = 0; ; poll++) {
    const now = await kafka.lag(SINK_GROUP, priceCorrections.name)
    if (now === 0n) return
    if (now !== left) quietSinceMs = performance.now()
    left = now
    if (poll === QUIET_POLLS) say(`Waiting until sink has landed ${left} records of corrections.`)
    if (performance.now() - quietSinceMs > quietMs) throw stuck(left, quietMs)
    await delay(POLL_MS, undefined, { signal })
  }
}

function stuck(left: bigint, quietMs: number): RepriceError {
  return new RepriceError(
    `${left} records of corrections wait in Kafka and none has landed for ${quietMs / 1_000} s. ` +
      'Is sink running? Start the pipeline (npm start), or look at the log of sink, and run this again: ' +
      'what was written counts once.',
  )
}
