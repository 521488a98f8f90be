import type { Sums, Tally } from './tally.ts'
import { exactUsd } from '#runtime/money.ts'
import { textTable } from '#runtime/text-table.ts'
import { shortUsd } from './usd.ts'

/** What a run found and did. */
export interface Outcome {
  readonly job: string
  readonly isDryRun: boolean
  readonly tally: Tally
  /** Calls that share their ids with one of another price. */
  readonly ambiguous: number
}

/** Rows of the table, and groups in JSON; the rest is in the sums. */
const MAX_ROWS = 50
const MAX_JSON_GROUPS = 1_000
const NAMES = 2

const COLUMNS = [
  'model',
  'tenant',
  'calls',
  'corrected',
  'USD before',
  'USD now',
  'difference',
  'unpriced before',
  'unpriced now',
]

/** What a person is told at the end of a run. */
export function formatOutcome({ job, isDryRun, tally, ambiguous }: Outcome): string {
  const { corrected, oldCostPicoUsd, newCostPicoUsd } = tally.total()
  const lines = [formatTally(tally)]
  if (ambiguous > 0) {
    lines.push(
      '',
      `${count(ambiguous)} calls share trace, span and start with a call of another price and stay as they are.`,
    )
  }
  if (corrected === 0) return lines.join('\n')
  const difference = `${shortUsd(oldCostPicoUsd)} USD before, ${shortUsd(newCostPicoUsd)} USD now`
  lines.push(
    '',
    isDryRun
      ? `Dry run: nothing was changed. ${count(corrected)} calls would be corrected: ${difference}.`
      : `${job}: ${count(corrected)} calls corrected, in rollups and rows: ${difference}.`,
  )
  return lines.join('\n')
}

/** What changes, by model and tenant, as a table; a sentence where nothing does. */
function formatTally(tally: Tally): string {
  const total = tally.total()
  const groups = tally.changed()
  if (total.calls === 0) return 'No model calls in this range.'
  if (total.corrected === 0) {
    return `All ${count(total.calls)} calls cost what they did: ${shortUsd(total.newCostPicoUsd)} USD.`
  }
  const rest = groups.length - MAX_ROWS
  return [
    ...textTable(
      [
        COLUMNS,
        ...groups.slice(0, MAX_ROWS).map((group) => [group.model, group.tenant, ...cells(group)]),
        ['all calls of the range', '', ...cells(total)],
      ],
      NAMES,
    ),
    ...(rest > 0 ? [`… and ${count(rest)} more pairs of model and tenant.`] : []),
  ].join('\n')
}

function cells(sums: Sums): readonly string[] {
  return [
    count(sums.calls),
    count(sums.corrected),
    shortUsd(sums.oldCostPicoUsd),
    shortUsd(sums.newCostPicoUsd),
    signed(sums.newCostPicoUsd - sums.oldCostPicoUsd),
    count(sums.unpricedBefore),
    count(sums.unpricedAfter),
  ]
}

function signed(picoUsd: bigint): string {
  return picoUsd > 0n ? `+${shortUsd(picoUsd)}` : shortUsd(picoUsd)
}

export function count(value: number): string {
  return value.toLocaleString('en-US')
}

/** What `--json` prints: sums in USD as exact decimal text. */
export function outcomeJson(outcome: Outcome): Readonly<Record<string, unknown>> {
  const { tally } = outcome
  const groups = tally.changed()
  return {
    job: outcome.isDryRun ? null : outcome.job,
    dry_run: outcome.isDryRun,
    ...sumsJson(tally.total()),
    ambiguous: outcome.ambiguous,
    groups: groups
      .slice(0, MAX_JSON_GROUPS)
      .map((group) => ({ model: group.model, tenant: group.tenant, ...sumsJson(group) })),
    more_groups: Math.max(0, groups.length - MAX_JSON_GROUPS),
  }
}

function sumsJson(sums: Sums): Readonly<Record<string, unknown>> {
  return {
    calls: sums.calls,
    corrected: sums.corrected,
    old_usd: exactUsd(sums.oldCostPicoUsd),
    new_usd: exactUsd(sums.newCostPicoUsd),
    difference_usd: exactUsd(sums.newCostPicoUsd - sums.oldCostPicoUsd),
    unpriced_before: sums.unpricedBefore,
    unpriced_after: sums.unpricedAfter,
  }
}
