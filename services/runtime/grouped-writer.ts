import type { NewRecord, RecordWriter } from './records.ts'

/** The writer has as much to do as it may hold: what was given to it was not written. */
export class OverloadedError extends Error {
  override readonly name = 'OverloadedError'
}

export interface GroupedWriterOptions {
  readonly writer: RecordWriter
  /** Bytes that may wait or be under way. */
  readonly maxQueuedBytes: number
  /** One write holds no more than this, unless a single call does. */
  readonly maxWriteBytes: number
  /** Once a call has waited this long for its turn, no more are taken; 2 s unless given. */
  readonly maxWaitMs?: number
  /** A clock that never goes back, in milliseconds. */
  readonly now?: () => number
}

/** Well below the 10 s after which OTLP's exporters give up, and send again what is then written twice. */
const DEFAULT_MAX_WAIT_MS = 2_000

interface Waiting {
  readonly topic: string
  readonly records: readonly NewRecord[]
  readonly bytes: number
  readonly sinceMs: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Puts the writes of many callers together: while one write is under way, what arrives waits for the
 * next. Each call resolves when its own records are durable; all of one call go in one write. What waits
 * is bound by bytes, for the memory, and by time, as callers of a slow writer would give up meanwhile.
 */
export function createGroupedWriter(options: GroupedWriterOptions): RecordWriter {
  const { maxWaitMs = DEFAULT_MAX_WAIT_MS, now = () => performance.now() } = options
  const queue: Waiting[] = []
  let queuedBytes = 0
  let running = false

  async function run(): Promise<void> {
    running = true
    while (queue.length > 0) {
      const group = takeGroup(queue, options.maxWriteBytes)
      try {
        await options.writer.write(
          group[0]?.topic ?? '',
          group.flatMap(({ records }) => records),
        )
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
      for (const { bytes } of group) queuedBytes -= bytes
    }
    running = false
  }

  return {
    write(topic, records) {
      const bytes = records.reduce((sum, { value }) => sum + value.length, 0)
      if (queuedBytes > 0 && queuedBytes + bytes > options.maxQueuedBytes) {
        return Promise.reject(new OverloadedError(`${queuedBytes} bytes wait to be written`))
      }
      const sinceMs = now()
      const waitedMs = sinceMs - (queue[0]?.sinceMs ?? sinceMs)
      if (waitedMs > maxWaitMs) {
        const message = `${queue.length} calls wait to be written, one of them for ${waitedMs} ms`
        return Promise.reject(new OverloadedError(message))
      }
      queuedBytes += bytes
      return new Promise((resolve, reject) => {
        queue.push({ topic, records, bytes, sinceMs, resolve, reject })
        if (!running) void run()
      })
    },
  }
}

/** The first calls of the queue that share a topic and fit into one write. */
function takeGroup(queue: Waiting[], maxBytes: number): readonly Waiting[] {
  const topic = queue[0]?.topic
  let bytes = 0
  let count = 0
  for (const waiting of queue) {
    bytes += waiting.bytes
    if (waiting.topic !== topic || (count > 0 && bytes > maxBytes)) break
    count++
  }
  return queue.splice(0, count)
}
