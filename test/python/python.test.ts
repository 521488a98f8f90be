import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { startProviderStub, type ProviderStub } from '../support/provider-stub.ts'
import { startTestStack, type TestStack, until } from '../support/stack.ts'
import {
  chat,
  embedding,
  message,
  messageOfOneWrite,
  reasoning,
  refused,
  response,
  type Row,
} from './calls.ts'
import type { Family } from './environments.ts'

/**
 * Goal: what real Python SDKs with real instrumentations send is read right and priced to the last
 * digit. Method: run the programs of examples/python against a stub of the providers whose usage is
 * known, with Spanmeter as their OTLP endpoint, and compare each row with figures worked out by hand.
 */

let stack: TestStack
let stub: ProviderStub

beforeAll(async () => {
  stub = await startProviderStub()
  stack = await startTestStack({
    brokers: inject('brokers'),
    clickhouseUrl: inject('clickhouseUrl'),
    env: { SPANMETER_CONTENT_RATE: '1' },
  })
})

afterAll(async () => {
  await stack?.stop()
  await stub?.stop()
})

const EXAMPLES = fileURLToPath(new URL('../../examples/python/', import.meta.url))
const PROGRAM_TIMEOUT_MS = 60_000
const LANDING_DEADLINE_MS = 30_000
/** What the programs ask. */
const QUESTION = 'Which way to the station?'

interface Program {
  readonly family: Family
  readonly file: string
  /** The service that its spans belong to. */
  readonly service: string
  readonly env?: Readonly<Record<string, string>>
}

async function runProgram({ family, file, service, env = {} }: Program): Promise<void> {
  await promisify(execFile)(inject('pythons')[family], [`${EXAMPLES}${file}`], {
    timeout: PROGRAM_TIMEOUT_MS,
    env: {
      PATH: process.env['PATH'],
      // Else Python leaves files beside the examples.
      PYTHONDONTWRITEBYTECODE: '1',
      OPENAI_BASE_URL: `${stub.url}/v1`,
      OPENAI_API_KEY: 'none',
      ANTHROPIC_BASE_URL: stub.url,
      ANTHROPIC_API_KEY: 'none',
      EXAMPLE_REFUSED_MODEL: 'error-429',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${stack.httpPort}`,
      OTEL_SERVICE_NAME: service,
      ...env,
    },
  })
}

// The stub waits 30 ms before it streams; clocks of two processes may differ by a few.
const ROWS = `
  SELECT
    kind, provider, request_model, response_model, streaming,
    input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
    reasoning_tokens,
    (time_to_first_token_nano BETWEEN 25000000 AND duration_nano)::Nullable(Bool) AS first_token_in_time,
    (status = 'error')::Bool AS failed, error_type, price_status, cost_usd
  FROM spans WHERE service = {service:String} ORDER BY start_time`

/** Runs a program; gives its spans in the order of its calls, once there are so many. */
async function spansOf(program: Program, count: number): Promise<readonly Row[]> {
  await runProgram(program)
  const { service } = program
  return until(
    `${count} spans of ${service}`,
    LANDING_DEADLINE_MS,
    () => stack.clickhouse.query<Row>(ROWS, { service }),
    (rows) => rows.length >= count,
  )
}

const TOLD = { streaming: true, first_token_in_time: true }

test('OpenTelemetry: all details of OpenAI, one figure for cache writes of Anthropic', async () => {
  const expected = [
    chat(),
    reasoning(),
    chat(TOLD),
    response(),
    embedding(),
    refused(),
    messageOfOneWrite(),
    // messages.stream tells no time to the first token, create with stream=True does.
    messageOfOneWrite({ streaming: true }),
    messageOfOneWrite(TOLD),
    refused({ provider: 'anthropic' }),
  ]
  const program = {
    family: 'opentelemetry',
    file: 'with_opentelemetry.py',
    service: 'opentelemetry',
  } as const
  expect(await spansOf(program, expected.length)).toEqual(expected)
})

test("Anthropic's own SDK: how long cache writes last, and the first token", async () => {
  const expected = [message(), message(TOLD), message(TOLD), refused({ provider: 'anthropic' })]
  const program = {
    family: 'opentelemetry',
    file: 'with_anthropic_sdk.py',
    service: 'anthropic-sdk',
  } as const
  expect(await spansOf(program, expected.length)).toEqual(expected)
})

test.each([
  ['by the conventions of 1.30', 'default'],
  ['by the newest that it knows', 'gen_ai_latest_experimental'],
])('OpenTelemetry openai-v2, %s: totals only', async (_, conventions) => {
  // It knows no cached tokens, so all 2006 cost as input: 2006 × 0.15 + 300 × 0.6
  // = 300.9 + 180 = 480.9 millionths. Nor does it tell that a call streams, nor the first token.
  const totals = chat({ cache_read_tokens: null, cost_usd: '0.0004809' })
  // Of the Responses API it knows nothing: that call makes no span.
  const expected = [totals, reasoning({ reasoning_tokens: null }), totals, embedding(), refused()]
  const program = {
    family: 'openai-v2',
    file: 'with_openai_v2.py',
    service: `openai-v2-${conventions}`,
    env: { OTEL_SEMCONV_STABILITY_OPT_IN: conventions },
  } as const
  expect(await spansOf(program, expected.length)).toEqual(expected)
})

test('OpenLLMetry: all details of OpenAI, one figure for cache writes of Anthropic', async () => {
  const plain = { streaming: false }
  const none = { cache_read_tokens: '0' }
  // It adds the output that a stream of Anthropic counts at its start, 1, to the total at its end;
  // the call cost 15 millionths less than this: 49700.25 + 1 × 15 = 49715.25 millionths.
  const overcounted = { output_tokens: '421', cost_usd: '0.04971525' }
  const expected = [
    chat({ ...plain, reasoning_tokens: '0' }),
    reasoning({ ...plain, ...none }),
    // The first of its events, one for each piece, tells the time to the first token.
    chat(TOLD),
    response(plain),
    embedding({ ...plain, ...none }),
    refused(plain),
    // Of Anthropic's calls only create with stream=True is told to be a stream, without events.
    messageOfOneWrite(),
    messageOfOneWrite(overcounted),
    messageOfOneWrite({ ...overcounted, streaming: true }),
    refused({ provider: 'anthropic' }),
  ]
  const program = {
    family: 'openllmetry',
    file: 'with_openllmetry.py',
    service: 'openllmetry',
  } as const
  expect(await spansOf(program, expected.length)).toEqual(expected)
})

test('OpenInference: all details of OpenAI, one figure for cache writes of Anthropic', async () => {
  const expected = [
    chat({ reasoning_tokens: '0' }),
    reasoning({ cache_read_tokens: '0' }),
    // An event tells the time to the first token.
    chat({ ...TOLD, reasoning_tokens: '0' }),
    response(),
    // One name of an embedding's model is told; it counts as the one that was asked for.
    embedding({ response_model: '' }),
    refused(),
    // Of Anthropic's streams the first token is not told.
    messageOfOneWrite(),
    messageOfOneWrite({ streaming: true }),
    messageOfOneWrite({ streaming: true }),
    // Nothing answered, yet it names the model that was asked for where the answering one stands.
    refused({ provider: 'anthropic', response_model: 'error-429' }),
  ]
  const program = {
    family: 'openinference',
    file: 'with_openinference.py',
    service: 'openinference',
  } as const
  expect(await spansOf(program, expected.length)).toEqual(expected)
})

const SAID = `
  SELECT
    countIf(position(toString((attributes, events)), {text:String}) > 0) AS in_spans,
    (
      SELECT count() FROM span_content
      WHERE position(toString((prompt, completion, content)), {text:String}) > 0
        AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM spans WHERE service = {service:String})
    ) AS in_content
  FROM spans WHERE service = {service:String}`

const wordsOf = (service: string) => stack.clickhouse.query(SAID, { service, text: QUESTION })

test('What was said stays out of the spans, and is kept apart where it is told', async () => {
  for (const service of ['opentelemetry', 'anthropic-sdk', 'openllmetry', 'openinference']) {
    expect(await wordsOf(service)).toEqual([{ in_spans: '0', in_content: '0' }])
  }
  const service = 'openllmetry-with-content'
  const env = { TRACELOOP_TRACE_CONTENT: 'true' }
  const program = { family: 'openllmetry', file: 'with_openllmetry.py', service, env } as const
  expect(await spansOf(program, 10)).toHaveLength(10)
  expect(await wordsOf(service)).toEqual([{ in_spans: '0', in_content: '10' }])
})
