import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { spanAggregates } from '#schemas/topics.ts'
import type { ChaosStack } from './chaos-stack.ts'

/** What was there at a moment. */
export interface Progress {
  readonly atMs: number
  /** Spans in ClickHouse, and records of what alerts count. */
  readonly landed: number
  readonly aggregates: number
}

export interface Monitor {
  readonly seen: readonly Progress[]
  stop(): Promise<void>
}

const EVERY_MS = 400
const ASK_MS = 5_000

/** Looks again and again how far things have come; what does not answer has not come further. */
export function startMonitor({ clickhouse, kafka }: ChaosStack): Monitor {
  const seen: Progress[] = []
  const stopping = new AbortController()
  const nobody = `nobody-${randomUUID()}`
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      const last = seen.at(-1) ?? { landed: 0, aggregates: 0 }
      const [landed, aggregates] = await Promise.all([
        within(countSpans(clickhouse), last.landed),
        within(kafka.lag(nobody, spanAggregates.name).then(Number), last.aggregates),
      ])
      seen.push({ atMs: performance.now(), landed, aggregates })
      await delay(EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  })()
  return {
    seen,
    async stop() {
      stopping.abort()
      await watching
    },
  }
}

async function within(asked: Promise<number>, otherwise: number): Promise<number> {
  return Promise.race([asked.catch(() => otherwise), delay(ASK_MS, otherwise, { ref: false })])
}

async function countSpans(clickhouse: ChaosStack['clickhouse']): Promise<number> {
  const [row] = await clickhouse.query<{ n: number }>('SELECT toUInt32(count()) AS n FROM spans')
  return row?.n ?? 0
}
