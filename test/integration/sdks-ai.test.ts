import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import {
  chat,
  embedding,
  message,
  messageOfOneWrite,
  reasoning,
  refused,
  response,
} from '../python/calls.ts'
import { type SdkStack, type SdkTraces, startSdkStack, traceOf } from './sdk-runs.ts'

/**
 * Goal: what Vercel's AI SDK sends is read right and priced to the last digit, as far as it tells it,
 * and each call counts once although the spans around it repeat its usage. Method: real calls with its
 * providers to a stub whose usage is known; what is expected is worked out by hand.
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

const contextExceeded = refused({
  request_model: 'error-context',
  error_type: 'context_overflow',
})
// Where no cached tokens are told, all 2006 cost as input:
// 2006 × 0.15 + 300 × 0.6 = 300.9 + 180 = 480.9 millionths.
const chatTotals = chat({ cache_read_tokens: null, cost_usd: '0.0004809' })
// Haiku: 1 in, 0.1 read, 1.25 written for 5 minutes, 5 out; the input is 4000 + 1500 + 500.
const smallCache = message({
  request_model: 'claude-haiku-4-5',
  response_model: 'claude-haiku-4-5-20251001',
  input_tokens: '6000',
  output_tokens: '100',
  cache_read_tokens: '1500',
  cache_write_5m_tokens: '500',
  cache_write_1h_tokens: '0',
  // 4000 × 1 + 1500 × 0.1 + 500 × 1.25 + 100 × 5 = 4000 + 150 + 625 + 500 = 5275 millionths.
  cost_usd: '0.005275',
})

test('AI SDK 7: cached tokens, but no reasoning and one figure for cache writes', async () => {
  const streamed = { first_token_in_time: true }
  const unreasoned = { reasoning_tokens: null }
  const expected: SdkTraces = {
    chat: traceOf(chat()),
    'chat-reasoning': traceOf(reasoning({ ...unreasoned, cache_read_tokens: '0' })),
    'chat-stream': traceOf(chat(streamed)),
    // Its agent's span repeats both: 4012 in, 600 out.
    'chat-tool': traceOf(chat(), chat()),
    responses: traceOf(response(unreasoned)),
    'responses-stream': traceOf(response({ ...unreasoned, ...streamed })),
    // Which model answered is not told of embeddings.
    embeddings: traceOf(embedding({ response_model: '' })),
    messages: traceOf(messageOfOneWrite()),
    'messages-stream': traceOf(messageOfOneWrite(streamed)),
    'messages-small-cache': traceOf({ ...smallCache, cache_write_1h_tokens: null }),
    'error-429': traceOf(refused()),
    'error-context': traceOf(contextExceeded),
  }
  expect(await stack.run('ai-sdk-7')).toEqual(expected)
})

test('AI SDK 5: details of OpenAI in streams only, all of Anthropic', async () => {
  // The kind of the operation tells whether a call streams.
  const streamed = { streaming: true, first_token_in_time: true }
  const whole = { streaming: false }
  const wholeChat = { ...chatTotals, ...whole }
  const expected: SdkTraces = {
    chat: traceOf(wholeChat),
    'chat-reasoning': traceOf(reasoning({ ...whole, reasoning_tokens: null })),
    'chat-stream': traceOf(chat({ ...streamed, reasoning_tokens: '0' })),
    // The span around both repeats the last one.
    'chat-tool': traceOf(wholeChat, wholeChat),
    // 3000 × 0.25 + 700 × 2 = 750 + 1400 = 2150 millionths.
    responses: traceOf(
      response({
        ...whole,
        cache_read_tokens: null,
        reasoning_tokens: null,
        cost_usd: '0.00215',
      }),
    ),
    'responses-stream': traceOf(response(streamed)),
    embeddings: traceOf(embedding({ response_model: '' })),
    // What Anthropic answered stands in a JSON text beside an input without what was cached.
    messages: traceOf(message(whole)),
    'messages-stream': traceOf(message(streamed)),
    'messages-small-cache': traceOf({ ...smallCache, ...whole }),
    'error-429': traceOf(refused(whole)),
    'error-context': traceOf({ ...contextExceeded, ...whole }),
  }
  expect(await stack.run('ai-sdk-5')).toEqual(expected)
})

test("AI SDK 7 around Traceloop's: the call counts once", async () => {
  // The innermost span counts, and Traceloop's tells no cached tokens.
  expect(await stack.run('ai-sdk-7-over-openai')).toEqual({ chat: traceOf(chatTotals) })
})
