import { describe, expect, test } from 'vitest'
import { formatOutcome, outcomeJson } from '../../../services/enrich/reprice/report.ts'
import { createTally, type Tally } from '../../../services/enrich/reprice/tally.ts'

function tallyOf(groups: number): Tally {
  const tally = createTally()
  for (let i = 0; i < groups; i++) {
    tally.add({
      model: `model-${i}`,
      tenant: 'acme',
      isCorrected: true,
      oldStatus: 'unpriced',
      newStatus: 'priced',
      oldCostPicoUsd: null,
      newCostPicoUsd: 1_500_000_000_000n,
    })
  }
  tally.add({
    model: 'model-0',
    tenant: 'acme',
    isCorrected: false,
    oldStatus: 'priced',
    newStatus: 'priced',
    oldCostPicoUsd: 2_000_000_000_000n,
    newCostPicoUsd: 2_000_000_000_000n,
  })
  return tally
}

const outcome = (groups: number, fields = {}) => ({
  job: 'reprice-1',
  isDryRun: false,
  tally: tallyOf(groups),
  ambiguous: 0,
  ...fields,
})

describe('formatOutcome', () => {
  test('shows each model and tenant with a difference, and the sums', () => {
    expect(formatOutcome(outcome(1))).toBe(
      [
        'model                   tenant  calls  corrected  USD before   USD now  difference  unpriced before  unpriced now',
        'model-0                 acme        2          1    2.000000  3.500000   +1.500000                1             0',
        'all calls of the range              2          1    2.000000  3.500000   +1.500000                1             0',
        '',
        'reprice-1: 1 calls corrected, in rollups and rows: 2.000000 USD before, 3.500000 USD now.',
      ].join('\n'),
    )
  })

  test('says that a dry run changed nothing', () => {
    expect(formatOutcome(outcome(1, { isDryRun: true }))).toContain('Dry run: nothing was changed.')
  })

  test('ends a long table with how much more there is', () => {
    expect(formatOutcome(outcome(70))).toContain('… and 20 more pairs of model and tenant.')
  })

  test('says so where nothing differs, and where there are no calls', () => {
    expect(formatOutcome(outcome(0))).toBe('All 1 calls cost what they did: 2.000000 USD.')
    expect(formatOutcome(outcome(0, { tally: createTally() }))).toBe(
      'No model calls in this range.',
    )
  })

  test('tells of calls that cannot be told apart', () => {
    expect(formatOutcome(outcome(0, { ambiguous: 2 }))).toContain('2 calls share trace, span')
  })
})

test('outcomeJson has exact sums, and no job for a dry run', () => {
  expect(outcomeJson(outcome(1, { isDryRun: true }))).toEqual({
    job: null,
    dry_run: true,
    calls: 2,
    corrected: 1,
    old_usd: '2.000000000000',
    new_usd: '3.500000000000',
    difference_usd: '1.500000000000',
    unpriced_before: 1,
    unpriced_after: 0,
    ambiguous: 0,
    groups: [
      {
        model: 'model-0',
        tenant: 'acme',
        calls: 2,
        corrected: 1,
        old_usd: '2.000000000000',
        new_usd: '3.500000000000',
        difference_usd: '1.500000000000',
        unpriced_before: 1,
        unpriced_after: 0,
      },
    ],
    more_groups: 0,
  })
})
