import { setTimeout as delay } from 'node:timers/promises'
import { makeRecords } from './records.ts'

/** Takes OTLP requests in, one after the other. */
export type SendRequests = (bodies: readonly Uint8Array[]) => Promise<void>

export interface LoadOptions {
  readonly spansPerSecond: number
  readonly spansPerRecord: number
  readonly seed: number
  readonly send: SendRequests
  readonly signal: AbortSignal
}

/** Spans that are sent all the time, while something else is measured. */
export interface Load {
  /** Rejects when spans can no longer be sent. */
  readonly failed: Promise<never>
  /** Stops sending; gives the spans that were sent each second. */
  stop(): Promise<number>
}

const TICK_MS = 20
/** Calls of the benchmark's records last up to nine seconds, and have ended when they are sent. */
const LONGEST_CALL_MS = 10_000

/** Sends spans that have just ended at a steady rate; what is late is made up for. */
export function startLoad(options: LoadOptions): Load {
  const { spansPerSecond, spansPerRecord, send, signal } = options
  const stopping = new AbortController()
  const failed = Promise.withResolvers<never>()
  const startedMs = performance.now()
  let records = 0
  const running = run().catch((error: unknown) => failed.reject(error))
  // Whoever never waits for it hears of a failure by what then does not come.
  failed.promise.catch(() => undefined)

  async function run(): Promise<void> {
    while (!stopping.signal.aborted && !signal.aborted) {
      const due = Math.floor(
        ((performance.now() - startedMs) / 1_000) * (spansPerSecond / spansPerRecord),
      )
      const bodies: Uint8Array[] = []
      while (records < due) bodies.push(...makeRecord(options, records++))
      if (bodies.length > 0) await send(bodies)
      await delay(TICK_MS)
    }
  }

  return {
    failed: failed.promise,
    async stop() {
      stopping.abort()
      await running
      return (records * spansPerRecord * 1_000) / (performance.now() - startedMs)
    },
  }
}

/** One record, unlike all others. */
function makeRecord({ spansPerRecord, seed }: LoadOptions, number: number): Iterable<Uint8Array> {
  const firstStartMs = Date.now() - LONGEST_CALL_MS
  return makeRecords({
    spans: spansPerRecord,
    spansPerRecord,
    seed: seed + 1 + number,
    firstStartMs,
  })
}
