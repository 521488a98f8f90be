import { setTimeout as delay } from 'node:timers/promises'
import type { ClickHouse } from '#runtime/clickhouse.ts'
import { ClickHouseError } from '#runtime/clickhouse-error.ts'
import { readQuery } from '#runtime/queries.ts'
import { BenchError } from './bench-error.ts'
import type { Metered } from './meter.ts'
import { readUsage } from './process-usage.ts'

const POLL_MS = 100
const STALLED_MS = 60_000
const QUIET_POLL_MS = 500
const QUIET_SHARE = 0.1
const QUIET_DEADLINE_MS = 30_000
/** ClickHouse's codes UNKNOWN_TABLE and UNKNOWN_DATABASE: nothing has been made yet. */
const NOT_THERE = new Set(['60', '81'])

/**
 * Resolves when the table `spans` of the connection's database has `wanted` rows. Throws BenchError
 * when it has more, or when nothing has come for a minute; `where` says where to look then.
 */
export async function waitUntilLanded(
  clickhouse: ClickHouse,
  wanted: number,
  where: string,
  signal: AbortSignal,
): Promise<void> {
  let landed = 0
  let lastChangeMs = Date.now()
  for (;;) {
    const now = await countSpans(clickhouse)
    signal.throwIfAborted()
    if (now === wanted) return
    if (now > wanted) {
      throw new BenchError(`${now} spans have landed, although only ${wanted} were sent. ${where}`)
    }
    if (now !== landed) lastChangeMs = Date.now()
    landed = now
    if (Date.now() - lastChangeMs > STALLED_MS) {
      throw new BenchError(
        `Only ${landed} of ${wanted} spans have landed, and none for a minute. ${where}`,
      )
    }
    await delay(POLL_MS, undefined, { signal })
  }
}

async function countSpans(clickhouse: ClickHouse): Promise<number> {
  try {
    const [row] = await clickhouse.query<{ spans: string }>(readQuery('count_spans'))
    return Number(row?.spans ?? 0)
  } catch (error) {
    if (error instanceof ClickHouseError && NOT_THERE.has(error.code)) return 0
    throw error
  }
}

/**
 * Waits until the engines have done what earlier writes left them to do, such as merges, so that a
 * run is not billed for it. Goes on after half a minute in any case.
 */
export async function waitUntilQuiet(
  engines: readonly Metered[],
  signal: AbortSignal,
): Promise<void> {
  const cpuMs = () => engines.reduce((sum, { pid }) => sum + readUsage(pid).cpuMs, 0)
  const deadline = Date.now() + QUIET_DEADLINE_MS
  let before = cpuMs()
  while (Date.now() < deadline) {
    await delay(QUIET_POLL_MS, undefined, { signal })
    const now = cpuMs()
    if (now - before < QUIET_SHARE * QUIET_POLL_MS) return
    before = now
  }
}
