import { RebuildError } from './rebuild-error.ts'
import type { Shadow } from './shadow.ts'

/** What the rollups of a day say of a tenant. */
interface Totals {
  readonly tenant: string
  readonly requests: bigint
  readonly evaluations: bigint
  readonly costUsd: string
}

/** A tenant before and after. */
export interface Change {
  readonly before: Totals
  readonly after: Totals
}

/** Tenants whose sums of a day differ between the real rollups and those made anew. */
export async function readChanges(shadow: Shadow, day: string): Promise<readonly Change[]> {
  const before = await readTotals(shadow, day, shadow.database)
  const after = await readTotals(shadow, day, shadow.clickhouse.database)
  return changesOf(before, after)
}

interface TotalsRow {
  readonly tenant: string
  readonly requests: string
  readonly evaluations: string
  readonly cost_usd: string
}

async function readTotals(
  shadow: Shadow,
  day: string,
  database: string,
): Promise<readonly Totals[]> {
  const rows = await shadow.ask<TotalsRow>('rebuild_totals', { day }, { ROLLUPS: database })
  return rows.map(({ tenant, requests, evaluations, cost_usd: costUsd }) => ({
    tenant,
    requests: BigInt(requests),
    evaluations: BigInt(evaluations),
    costUsd,
  }))
}

/** Tenants whose sums differ. */
function changesOf(before: readonly Totals[], after: readonly Totals[]): readonly Change[] {
  const tenants = new Set([...before, ...after].map(({ tenant }) => tenant))
  const find = (all: readonly Totals[], tenant: string): Totals =>
    all.find((totals) => totals.tenant === tenant) ?? {
      tenant,
      requests: 0n,
      evaluations: 0n,
      costUsd: '0',
    }
  return [...tenants]
    .sort()
    .map((tenant) => ({ before: find(before, tenant), after: find(after, tenant) }))
    .filter((change) => !isSame(change))
}

function isSame({ before, after }: Change): boolean {
  return (
    before.requests === after.requests &&
    before.evaluations === after.evaluations &&
    before.costUsd === after.costUsd
  )
}

/** Rows that expired, or were erased, still count in the rollups: made anew, these would lose them. */
export async function requireAllThere(
  shadow: Shadow,
  changes: readonly Change[],
  { allowFewer }: { readonly allowFewer: boolean },
  day: string,
): Promise<void> {
  if (allowFewer) return
  const [row] = await shadow.ask<{ erasures: string }>('rebuild_erasures', { day })
  if (Number(row?.erasures ?? 0) > 0) {
    throw new RebuildError(
      `Rows of ${day} have been erased, and its rollups keep their sums: made anew they would lose them. ` +
        'Nothing was changed. If that is meant, run this again with --allow-fewer.',
    )
  }
  const fewer = changes.filter(
    ({ before, after }) =>
      after.requests < before.requests || after.evaluations < before.evaluations,
  )
  if (fewer.length === 0) return
  const tenants = fewer.map(
    ({ before, after }) =>
      `  ${before.tenant === '' ? '(no tenant)' : before.tenant}: ${after.requests} spans and ${after.evaluations} ` +
      `scores in rows, ${before.requests} and ${before.evaluations} in rollups`,
  )
  throw new RebuildError(
    `The rows of ${day} are fewer than its rollups say; they may have expired. Nothing was changed.\n` +
      `${tenants.join('\n')}\nIf the rollups count too much, run this again with --allow-fewer.`,
  )
}
