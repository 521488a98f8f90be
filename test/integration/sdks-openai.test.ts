import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { chat, embedding, reasoning, refused, response, type Row } from '../python/calls.ts'
import { type SdkStack, type SdkTraces, startSdkStack, traceOf } from './sdk-runs.ts'

/**
 * Goal: what instrumentations of the `openai` package send is read right and priced to the last digit,
 * as far as they tell it. Method: real calls of the real package to a stub whose usage is known; what
 * is expected is worked out by hand.
 */

let stack: SdkStack

beforeAll(async () => {
  stack = await startSdkStack({
    brokers: inject('brokers'),
    clickhouseUrl: inject('clickhouseUrl'),
  })
})

afterAll(async () => {
  await stack?.stop()
})

// Of instrumentations that know no cached tokens all 2006 cost as input:
// 2006 × 0.15 + 300 × 0.6 = 300.9 + 180 = 480.9 millionths.
const chatTotals = chat({ cache_read_tokens: null, cost_usd: '0.0004809' })
const reasoningTotals = reasoning({ reasoning_tokens: null })
// 3000 × 0.25 + 700 × 2 = 750 + 1400 = 2150 millionths.
const responseTotals = response({
  cache_read_tokens: null,
  reasoning_tokens: null,
  cost_usd: '0.00215',
})
const contextExceeded = refused({
  request_model: 'error-context',
  error_type: 'context_overflow',
})

/** A call whose tokens nobody told: its cost is not known, and not 0. */
const uncounted = (call: Row): Row => ({
  ...call,
  input_tokens: null,
  output_tokens: null,
  cache_read_tokens: null,
  reasoning_tokens: null,
  price_status: 'no_usage',
  cost_usd: null,
})

test("OpenTelemetry's own: totals only", async () => {
  const expected: SdkTraces = {
    chat: traceOf(chatTotals),
    'chat-reasoning': traceOf(reasoningTotals),
    // Nor does it tell that a call streams, nor the first token.
    'chat-stream': traceOf(chatTotals),
    'chat-stream-uncounted': traceOf(uncounted(chat())),
    responses: traceOf(responseTotals),
    'responses-stream': traceOf(responseTotals),
    embeddings: traceOf(embedding()),
    'error-429': traceOf(refused()),
    'error-context': traceOf(contextExceeded),
  }
  expect(await stack.run('opentelemetry-openai')).toEqual(expected)
})

test("Traceloop's: totals only, and nothing of streams", async () => {
  const expected: SdkTraces = {
    chat: traceOf(chatTotals),
    'chat-reasoning': traceOf(reasoningTotals),
    // It does not read the usage that a stream ends with.
    'chat-stream': traceOf(uncounted(chat())),
    'chat-stream-uncounted': traceOf(uncounted(chat())),
    responses: traceOf(responseTotals),
    // Its span ends when the stream begins, before anything is known.
    'responses-stream': traceOf(uncounted(response({ response_model: '' }))),
    // It does not see embeddings, and never ends the span of a call that fails.
    embeddings: traceOf(),
    'error-429': traceOf(),
    'error-context': traceOf(),
  }
  expect(await stack.run('traceloop-openai')).toEqual(expected)
})

test("OpenInference's: all details, but none of streamed chats", async () => {
  const expected: SdkTraces = {
    chat: traceOf(chat({ reasoning_tokens: '0' })),
    'chat-reasoning': traceOf(reasoning({ cache_read_tokens: '0' })),
    // It does not read the usage that a stream ends with, nor the model that answers.
    'chat-stream': traceOf(uncounted(chat({ response_model: 'gpt-4o-mini', streaming: true }))),
    'chat-stream-uncounted': traceOf(
      uncounted(chat({ response_model: 'gpt-4o-mini', streaming: true })),
    ),
    responses: traceOf(response()),
    'responses-stream': traceOf(response({ streaming: true })),
    // It does not read the usage of embeddings, and never ends the span of a call that fails.
    embeddings: traceOf(uncounted(embedding({ response_model: '' }))),
    'error-429': traceOf(),
    'error-context': traceOf(),
  }
  expect(await stack.run('openinference-openai')).toEqual(expected)
})

test('Traceloop within OpenInference: every call counts once', async () => {
  const traces = await stack.run('openai-twice')
  // The innermost span that tells a usage counts: Traceloop's where it has one.
  expect(traces).toMatchObject({
    chat: traceOf(chatTotals),
    'chat-reasoning': traceOf(reasoningTotals),
    responses: traceOf(responseTotals),
    'responses-stream': { cost: '0.0016892' },
  })
})
