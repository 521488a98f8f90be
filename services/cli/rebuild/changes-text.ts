import { textTable } from '#runtime/text-table.ts'
import type { Change } from './changes.ts'

const COLUMNS = ['tenant', 'spans before', 'now', 'scores before', 'now', 'USD before', 'now']

/** What a person is told of sums that have changed. */
export function formatChanges(changes: readonly Change[]): readonly string[] {
  if (changes.length === 0) return ['Their sums were right.']
  const rows = changes.map(({ before, after }) => [
    before.tenant === '' ? '(no tenant)' : before.tenant,
    count(before.requests),
    count(after.requests),
    count(before.evaluations),
    count(after.evaluations),
    before.costUsd,
    after.costUsd,
  ])
  return ['', ...textTable([COLUMNS, ...rows], 1)]
}

function count(value: bigint): string {
  return value.toLocaleString('en-US')
}

/** The same for `--json`. */
export function changesJson(
  changes: readonly Change[],
): readonly Readonly<Record<string, unknown>>[] {
  return changes.map(({ before, after }) => ({
    tenant: before.tenant,
    spans_before: Number(before.requests),
    spans: Number(after.requests),
    scores_before: Number(before.evaluations),
    scores: Number(after.evaluations),
    usd_before: before.costUsd,
    usd: after.costUsd,
  }))
}
