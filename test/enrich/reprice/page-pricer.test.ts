import { expect, test } from 'vitest'
import {
  CALL,
  CALL_WITH_USAGE,
  type CallState,
  NO_CALL,
} from '../../../services/enrich/nested-calls.ts'
import { createPagePricer } from '../../../services/enrich/reprice/page-pricer.ts'
import { price, storedCall } from './stored-calls.ts'

const span = (span_id: string, parent_span_id: string, call: CallState) => ({
  trace_id: storedCall().trace_id,
  span_id,
  parent_span_id,
  call,
})

const NONE = new Set<string>()

test('Only a call whose price differs gets a new one', () => {
  const pricer = createPagePricer(({ requestModel }) =>
    requestModel === 'gpt-4o' ? price() : price({ costPicoUsd: 5n }),
  )
  const calls = [
    storedCall({ span_id: 'a' }),
    storedCall({ span_id: 'b', request_model: 'gpt-4o-mini' }),
  ]
  const page = pricer({ calls, traceSpans: [], largeTraces: NONE })
  expect(page.ambiguous).toBe(0)
  expect(page.calls.map(({ newPrice }) => newPrice?.costPicoUsd)).toEqual([undefined, 5n])
})

test('A span that was sent twice is corrected twice', () => {
  const pricer = createPagePricer(() => price({ costPicoUsd: 5n }))
  const calls = [storedCall(), storedCall(), storedCall({ cost_pico_usd: '5', cost_parts: '' })]
  const { calls: priced } = pricer({ calls, traceSpans: [], largeTraces: NONE })
  expect(priced.map(({ newPrice }) => newPrice?.costPicoUsd)).toEqual([5n, 5n, 5n])
})

test('Calls that share their key and cost differently stay as they are', () => {
  const pricer = createPagePricer(({ serviceTier }) =>
    price({ costPicoUsd: serviceTier === 'batch' ? 5n : 10n }),
  )
  const calls = [storedCall(), storedCall({ service_tier: 'batch' }), storedCall({ span_id: 'b' })]
  const page = pricer({ calls, traceSpans: [], largeTraces: NONE })
  expect(page.ambiguous).toBe(2)
  expect(page.calls.map(({ newPrice }) => newPrice?.costPicoUsd)).toEqual([
    undefined,
    undefined,
    10n,
  ])
})

test('In a trace that is too large, a nested call stays nested, and others are priced', () => {
  const pricer = createPagePricer(() => price({ costPicoUsd: 5n }))
  const nested = { price_status: 'nested', cost_pico_usd: null, cost_parts: '' }
  const calls = [storedCall({ ...nested, trace_id: 'large' }), storedCall({ trace_id: 'large' })]
  const { calls: priced } = pricer({
    calls: calls.map((call, i) => ({ ...call, span_id: String(i), key: String(i) })),
    traceSpans: [],
    largeTraces: new Set(['large']),
  })
  expect(priced.map(({ newPrice }) => newPrice?.costPicoUsd)).toEqual([undefined, 5n])
})

test('A call with another one below it in its trace is nested, whatever it tells, and other calls are not', () => {
  const pricer = createPagePricer(() => price())
  const calls = [
    storedCall({ span_id: 'outer' }),
    storedCall({ span_id: 'outer', input_tokens: null }),
    storedCall({ span_id: 'inner' }),
    storedCall({ span_id: 'outer', trace_id: 'another' }),
  ].map((call, i) => ({ ...call, key: String(i) }))
  const traceSpans = [
    span('inner', 'agent', CALL_WITH_USAGE),
    span('agent', 'outer', NO_CALL),
    span('outer', '', CALL_WITH_USAGE),
    span('outer', '', CALL),
  ]
  const page = pricer({ calls, traceSpans, largeTraces: NONE })
  expect(page.calls.map(({ newPrice }) => newPrice?.status)).toEqual([
    'nested',
    'nested',
    undefined,
    undefined,
  ])
})
