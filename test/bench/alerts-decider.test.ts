import { expect, test } from 'vitest'
import { decidingRequest, LIMIT_USD } from '../../bench/alerts-decider.ts'
import { createToEnriched } from '../../bench/alerts-enriched.ts'
import { enrichedSpans } from '#schemas/topics.ts'

const END_MS = Date.UTC(2026, 10, 20, 12)
const PICO_PER_USD = 10n ** 12n

test('one call of a new user costs more than a user may spend', () => {
  const records = createToEnriched({})(decidingRequest('somebody', END_MS), END_MS)
  const spans = records.flatMap((record) => enrichedSpans.codec.decode(record))
  expect(spans).toMatchObject([{ user: 'somebody', kind: 'llm', price_status: 'priced' }])
  expect(spans[0]?.['cost_pico_usd']).toBeGreaterThan(BigInt(LIMIT_USD) * PICO_PER_USD)
})
