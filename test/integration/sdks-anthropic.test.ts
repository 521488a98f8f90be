import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { message, messageOfOneWrite, refused } from '../python/calls.ts'
import { type SdkStack, type SdkTraces, startSdkStack, traceOf } from './sdk-runs.ts'

/**
 * Goal: what instrumentations of Anthropic's package send is read right and priced to the last digit,
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

const STREAMED = { streaming: true, first_token_in_time: true }

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
const rateLimited = refused({ provider: 'anthropic' })
const contextExceeded = refused({
  provider: 'anthropic',
  request_model: 'error-context',
  error_type: 'context_overflow',
})

test("Anthropic's own: all details", async () => {
  const expected: SdkTraces = {
    messages: traceOf(message()),
    'messages-stream': traceOf(message(STREAMED)),
    'messages-stream-final': traceOf(message(STREAMED)),
    'messages-small-cache': traceOf(smallCache),
    'error-429': traceOf(rateLimited),
    // It tells invalid_request_error and a status of 400, but no message.
    'error-context': traceOf({ ...contextExceeded, error_type: 'other' }),
  }
  expect(await stack.run('anthropic')).toEqual(expected)
})

test("Traceloop's: an input without what was cached, and one figure for writes", async () => {
  const expected: SdkTraces = {
    messages: traceOf(messageOfOneWrite()),
    // It tells neither that a call streams, nor the first token.
    'messages-stream': traceOf(messageOfOneWrite()),
    'messages-stream-final': traceOf(messageOfOneWrite()),
    'messages-small-cache': traceOf({ ...smallCache, cache_write_1h_tokens: null }),
    'error-429': traceOf(rateLimited),
    'error-context': traceOf(contextExceeded),
  }
  expect(await stack.run('traceloop-anthropic')).toEqual(expected)
})

test("OpenInference's: one figure for writes", async () => {
  const expected: SdkTraces = {
    messages: traceOf(messageOfOneWrite()),
    // Of streams the first token is not told.
    'messages-stream': traceOf(messageOfOneWrite({ streaming: true })),
    'messages-stream-final': traceOf(messageOfOneWrite({ streaming: true })),
    'messages-small-cache': traceOf({ ...smallCache, cache_write_1h_tokens: null }),
    // Nothing answered, yet it names the model that was asked for where the answering one stands.
    'error-429': traceOf({ ...rateLimited, response_model: 'error-429' }),
    'error-context': traceOf({ ...contextExceeded, response_model: 'error-context' }),
  }
  expect(await stack.run('openinference-anthropic')).toEqual(expected)
})

test("Anthropic's own within OpenInference's: every call counts once", async () => {
  // messages.stream is left out: there the spans of both stand side by side, as two calls would.
  expect(await stack.run('anthropic-twice')).toMatchObject({
    messages: traceOf(message()),
    'messages-stream': traceOf(message(STREAMED)),
    'messages-small-cache': traceOf(smallCache),
  })
})
