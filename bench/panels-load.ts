import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { ClickHouse } from '#runtime/clickhouse.ts'
import { fillVariables } from '#runtime/migrations.ts'
import type { Tell } from './stage.ts'

export interface PanelsLoad {
  readonly spans: number
  /** End of the 30 days, milliseconds since the epoch. */
  readonly untilMs: number
}

const DAYS = 30
const DAY_NS = 86_400_000_000_000n
const SPANS_PER_TRACE = 5
/** What sink writes at once: parts become as many and as large as in real life. */
const SPANS_PER_INSERT = 50_000
const CHANGES = 1_200
const SECONDS_PER_OBSERVATION = 10
const OBSERVED = 16
/** One trace in so many is scored, twice. */
const TRACES_PER_SCORE = 10
const SETTLE_MS = 500

const readSql = (name: string) =>
  readFileSync(new URL(`panels/${name}.sql`, import.meta.url), 'utf8')

/** Fills an empty, migrated database with 30 days of spans, scores, alerts and lags. */
export async function loadPanels(
  clickhouse: ClickHouse,
  { spans, untilMs }: PanelsLoad,
  signal: AbortSignal,
  tell: Tell,
): Promise<void> {
  const firstNs = BigInt(untilMs) * 1_000_000n - BigInt(DAYS) * DAY_NS
  const traces = Math.ceil(spans / SPANS_PER_TRACE)
  const times = { first_ns: firstNs, trace_ns: Number(BigInt(DAYS) * DAY_NS) / traces }
  const run = async (name: string, params: Readonly<Record<string, bigint | number>>) => {
    signal.throwIfAborted()
    const variables = { DATABASE: clickhouse.database }
    await clickhouse.command(fillVariables(readSql(name), variables, `${name}.sql`), params)
  }
  for (let first = 0; first < spans; first += SPANS_PER_INSERT) {
    const count = Math.min(SPANS_PER_INSERT, spans - first)
    const { first_ns, trace_ns } = times
    await run('spans', { first, spans: count, first_ns, trace_ns: Math.round(trace_ns) })
    if ((first / SPANS_PER_INSERT) % 20 === 19) tell(`${first + count} of ${spans} spans are in.`)
  }
  const scores = Math.ceil((2 * traces) / TRACES_PER_SCORE)
  const trace_ns = Math.round(times.trace_ns)
  await run('evaluations', { traces, scores, first_ns: firstNs, trace_ns })
  const incident_ns = (BigInt(DAYS) * DAY_NS) / BigInt(CHANGES / 2)
  await run('alerts', { changes: CHANGES, first_ns: firstNs, incident_ns })
  const observations = ((DAYS * 86_400) / SECONDS_PER_OBSERVATION) * OBSERVED
  await run('observations', { observations, first_ns: firstNs })
  tell('Waiting until ClickHouse has merged what it wants to merge.')
  await settled(clickhouse, signal)
}

async function settled(clickhouse: ClickHouse, signal: AbortSignal): Promise<void> {
  let quiet = 0
  while (quiet < 6) {
    const [row] = await clickhouse.query<{ merges: string }>(readSql('merges'), {
      database: clickhouse.database,
    })
    quiet = row?.merges === '0' ? quiet + 1 : 0
    await delay(SETTLE_MS, undefined, { signal })
  }
}

/** The end of what a database holds, in milliseconds since the epoch, and its spans. */
export async function readLoaded(
  clickhouse: ClickHouse,
): Promise<{ readonly untilMs: number; readonly spans: number }> {
  const [row] = await clickhouse.query<{ last: number; spans: string }>(readSql('range'))
  return { untilMs: ((row?.last ?? 0) + 3_600) * 1_000, spans: Number(row?.spans ?? 0) }
}
