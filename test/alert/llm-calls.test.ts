import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Calls } from '../../services/alert/llm-calls.ts'
import type { Decoded } from '../support/spans.ts'
import { anySpan, encodeSpans } from './fold-items.ts'

const [SOME = {}] = fc.sample(anySpan, { seed: 1, numRuns: 1 })
const CALL: Decoded = {
  ...Object.fromEntries(Object.entries(SOME).map(([name, value]) => [name, emptied(value)])),
  provider: 'openai',
  request_model: 'gpt-4o',
  response_model: '',
  operation: 'chat',
  error_type: '',
  price_status: 'priced',
  duration_nano: 5n,
  input_tokens: 10n,
  output_tokens: 3n,
  time_to_first_token_nano: null,
  cost_pico_usd: 7n,
}
const MODEL = 1

/** The empty value of a type, so that thousands of spans are small. */
function emptied(value: unknown): unknown {
  if (typeof value === 'string') return ''
  if (Array.isArray(value)) return []
  return typeof value === 'object' && value !== null ? {} : value
}

/** Requests of each model, by rising name. */
const requestsOf = (calls: Calls) =>
  [...calls.sets.all()]
    .map(({ values, counts }) => [values[MODEL], counts.requests])
    .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))

const batchOf = (...spans: readonly Decoded[]) =>
  encodeSpans(spans.map((span) => ({ ...CALL, ...span })))

describe('Calls', () => {
  test.each([
    ['priced', [['gpt-4o', 1]], 0],
    ['unpriced', [['gpt-4o', 1]], 1],
    ['no_usage', [['gpt-4o', 1]], 0],
    ['invalid_usage', [['gpt-4o', 1]], 0],
    ['nested', [], 0],
    ['not_applicable', [], 0],
  ])('whose price is %s count so often: %j', (price_status, requests, unpriced) => {
    const calls = new Calls([], 10)
    calls.add(batchOf({ price_status }))
    expect(requestsOf(calls)).toEqual(requests)
    const sets = [...calls.sets.all()]
    expect(sets.reduce((sum, { counts }) => sum + counts.unpriced, 0)).toBe(unpriced)
  })

  test('go on with what was counted when their keys are forgotten', () => {
    const calls = new Calls(['tenant'], 10)
    const many = Array.from({ length: 50_100 }, (_, i) => ({ price_status: `status ${i}` }))
    for (let round = 0; round < 2; round++) {
      calls.add(batchOf({ request_model: 'a' }, ...many))
      calls.add(batchOf({ request_model: 'a' }, { request_model: 'b' }))
    }
    expect(requestsOf(calls)).toEqual([
      ['a', 4],
      ['b', 2],
      ['gpt-4o', 100_200],
    ])
  }, 60_000)

  test('are told apart by long labels, as far as these go', () => {
    const calls = new Calls([], 10)
    const long = 'x'.repeat(150)
    const longer = 'y'.repeat(199)
    const models = [`${long}a`, `${long}b`, `${longer}${'z'.repeat(5_000)}`, `${longer}z`]
    for (const request_model of models) calls.add(batchOf({ request_model }, { request_model }))
    expect(requestsOf(calls)).toEqual([
      [`${long}a`, 2],
      [`${long}b`, 2],
      [`${longer}z`, 4],
    ])
  })

  test('take nothing away, whatever a span says', () => {
    const calls = new Calls([], 10)
    const less = -(2n ** 40n)
    calls.add(batchOf({ duration_nano: less, input_tokens: less, cost_pico_usd: less }))
    const [set] = [...calls.sets.all()]
    expect(set?.counts).toMatchObject({
      requests: 1,
      priced: 0,
      cost: { high: 0, low: 0 },
      duration: { count: 1, sum: { high: 0, low: 0 } },
      input: { count: 0 },
      output: { count: 1 },
    })
  })

  test('have a time for each output token behind the first', () => {
    const calls = new Calls([], 10)
    const call = { duration_nano: 1_000n, time_to_first_token_nano: 400n }
    calls.add(
      batchOf(
        { ...call, output_tokens: 7n },
        { ...call, output_tokens: 1n },
        { ...call, output_tokens: 0n },
        { ...call, output_tokens: null },
        { ...call, output_tokens: 3n, time_to_first_token_nano: null },
        { ...call, output_tokens: 3n, time_to_first_token_nano: 1_001n },
      ),
    )
    const [set] = [...calls.sets.all()]
    expect(set?.counts).toMatchObject({
      outputToken: { count: 1, sum: { high: 0, low: 100 } },
      firstToken: { count: 5 },
    })
  })
})
