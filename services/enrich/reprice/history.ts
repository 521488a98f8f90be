import type { ClickHouse } from '#runtime/clickhouse.ts'
import { count } from './report.ts'
import { readStatement } from './statements.ts'
import { exactUsd } from '#runtime/money.ts'
import { textTable } from '#runtime/text-table.ts'
import { shortUsd } from './usd.ts'

/** A run of re-pricing as its corrections tell of it. */
export interface PastJob {
  readonly job: string
  readonly time: string
  readonly corrections: number
  readonly tenants: number
  readonly firstStartTime: string
  readonly lastStartTime: string
  readonly oldCostPicoUsd: bigint
  readonly newCostPicoUsd: bigint
  readonly unpricedBefore: number
  readonly unpricedAfter: number
}

interface JobRow {
  readonly job: string
  readonly time: string
  readonly corrections: string
  readonly tenants: string
  readonly first_start_time: string
  readonly last_start_time: string
  readonly old_cost_pico_usd: string
  readonly new_cost_pico_usd: string
  readonly unpriced_before: string
  readonly unpriced_after: string
}

const MAX_JOBS = 100
const NAMES = 2

/** The last runs that corrected something, the latest first. */
export async function readHistory(clickhouse: ClickHouse): Promise<readonly PastJob[]> {
  const query = readStatement('reprice_history', clickhouse.database)
  const rows = await clickhouse.query<JobRow>(query, { limit: MAX_JOBS })
  return rows.map((row) => ({
    job: row.job,
    time: row.time,
    corrections: Number(row.corrections),
    tenants: Number(row.tenants),
    firstStartTime: row.first_start_time,
    lastStartTime: row.last_start_time,
    oldCostPicoUsd: BigInt(row.old_cost_pico_usd),
    newCostPicoUsd: BigInt(row.new_cost_pico_usd),
    unpricedBefore: Number(row.unpriced_before),
    unpricedAfter: Number(row.unpriced_after),
  }))
}

/** The runs as a table. */
export function formatHistory(jobs: readonly PastJob[]): string {
  if (jobs.length === 0) return 'No price has been corrected yet.'
  return textTable(
    [
      [
        'job',
        'calls of',
        'corrected',
        'tenants',
        'USD before',
        'USD now',
        'unpriced before',
        'now',
      ],
      ...jobs.map((job) => [
        job.job,
        days(job),
        count(job.corrections),
        count(job.tenants),
        shortUsd(job.oldCostPicoUsd),
        shortUsd(job.newCostPicoUsd),
        count(job.unpricedBefore),
        count(job.unpricedAfter),
      ]),
    ],
    NAMES,
  ).join('\n')
}

function days({ firstStartTime, lastStartTime }: PastJob): string {
  const [first, last] = [firstStartTime.slice(0, 10), lastStartTime.slice(0, 10)]
  return first === last ? first : `${first} to ${last}`
}

/** The runs as `--json` prints them: USD as exact decimal text. */
export function historyJson(
  jobs: readonly PastJob[],
): readonly Readonly<Record<string, unknown>>[] {
  return jobs.map((job) => ({
    job: job.job,
    time: job.time,
    corrections: job.corrections,
    tenants: job.tenants,
    first_start_time: job.firstStartTime,
    last_start_time: job.lastStartTime,
    old_usd: exactUsd(job.oldCostPicoUsd),
    new_usd: exactUsd(job.newCostPicoUsd),
    unpriced_before: job.unpricedBefore,
    unpriced_after: job.unpricedAfter,
  }))
}
