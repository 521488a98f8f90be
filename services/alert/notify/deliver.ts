import type { ChunkControl } from '#runtime/record-loop.ts'
import { backoffMs } from '#runtime/retry.ts'
import type { Alert } from '#schemas/items.ts'
import type { Sender, Sent } from './sender.ts'

/** The time of a process, and how it waits. */
export interface Clock {
  now(): number
  /** Throws the signal's reason when it aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

/** How a delivery ended. */
export interface Delivered {
  readonly outcome: 'delivered' | 'failed' | 'refused'
  readonly attempts: number
  readonly status: number
  readonly detail: string
}

export interface DeliverOptions {
  readonly sender: Sender
  readonly giveUpAfterMs: number
  readonly control: ChunkControl
  readonly clock: Clock
  readonly random: () => number
  readonly signal: AbortSignal
  /** When the alert's record was appended. */
  readonly recordMs: number
  /** Whether an earlier process may have told this alert. */
  readonly mayHaveArrived: boolean
  /** Whether the note may be taken back: nothing else of the record was told. */
  readonly isAlone: boolean
  readonly onRetry: (sent: Sent, waitMs: number) => void
}

const BACKOFF = { firstMs: 1_000, maxMs: 60_000 }
/** A partition that went elsewhere during a wait is noticed after this long. */
const LOOK_AROUND_MS = 5_000

/**
 * Tells a receiver of one alert, with tries until it takes it, says no, or time is up. Each try is
 * noted beforehand, so that after a crash it is known that the alert may have arrived; where the
 * try says that it has not, the note is taken back. The note is a commit, and so the proof that the
 * partition is still this process's.
 */
export async function deliver(alert: Alert, options: DeliverOptions): Promise<Delivered> {
  const { sender, control, clock, signal, recordMs, giveUpAfterMs, onRetry } = options
  const startMs = clock.now()
  let { mayHaveArrived } = options
  for (let attempts = 1; ; attempts++) {
    signal.throwIfAborted()
    await control.markPending()
    const attempt = { mayHaveArrived, recordMs, nowMs: clock.now(), signal }
    const sent = await control.untilDone(() => sender.send(alert, attempt))
    if (sent.type === 'delivered') {
      return { outcome: 'delivered', attempts, status: sent.status, detail: '' }
    }
    const { status, detail } = sent
    if (sent.type !== 'again') return { outcome: sent.type, attempts, status, detail }
    const waitMs = Math.max(sent.afterMs, backoffMs(attempts - 1, BACKOFF, options.random))
    if (clock.now() + waitMs - startMs > giveUpAfterMs) {
      return { outcome: 'failed', attempts, status, detail: `given up: ${detail}` }
    }
    onRetry(sent, waitMs)
    mayHaveArrived = sent.isUnknown
    await pause(waitMs, mayHaveArrived || !options.isAlone, options)
  }
}

/** Waits with a note that says how things stand; each note fails where the partition is lost. */
async function pause(
  waitMs: number,
  isPending: boolean,
  { control, clock, signal }: DeliverOptions,
): Promise<void> {
  for (let left = waitMs; left > 0; left -= LOOK_AROUND_MS) {
    await (isPending ? control.markPending() : control.clearPending())
    const slice = Math.min(left, LOOK_AROUND_MS)
    await control.untilDone(() => clock.wait(slice, signal))
  }
}
