import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Attributes } from '../support/otlp-proto.ts'
import { transcodeAll, transcoder } from '../support/spans.ts'

/** One call to Claude, with disjoint counts. */
interface Call {
  readonly text: number
  readonly read: number
  readonly write5m: number
  readonly write1h: number
  readonly output: number
}

interface Told {
  readonly scope?: string
  readonly attributes: Attributes
  /** Whether the dialect tells writes for an hour from those for five minutes. */
  readonly tellsHours?: boolean
}

const write = (call: Call) => call.write5m + call.write1h
const input = (call: Call) => call.text + call.read + write(call)
const chat: Attributes = [
  ['gen_ai.operation.name', 'chat'],
  ['gen_ai.provider.name', 'anthropic'],
]

/** What the provider's own API says of the call. */
const anthropicUsage = (call: Call) => ({
  input_tokens: call.text,
  output_tokens: call.output,
  cache_read_input_tokens: call.read,
  cache_creation_input_tokens: write(call),
  cache_creation: {
    ephemeral_5m_input_tokens: call.write5m,
    ephemeral_1h_input_tokens: call.write1h,
  },
})

/** How each dialect tells the call. */
const DIALECTS: Readonly<Record<string, (call: Call) => Told>> = {
  'OpenTelemetry 1.41': (call) => ({
    attributes: [
      ...chat,
      ['gen_ai.usage.input_tokens', input(call)],
      ['gen_ai.usage.output_tokens', call.output],
      ['gen_ai.usage.cache_read.input_tokens', call.read],
      ['gen_ai.usage.cache_creation.input_tokens', write(call)],
    ],
  }),
  'OpenLLMetry for JavaScript': (call) => ({
    scope: '@traceloop/instrumentation-anthropic',
    attributes: [
      ...chat,
      ['gen_ai.usage.input_tokens', call.text],
      ['gen_ai.usage.output_tokens', call.output],
      ['gen_ai.usage.cache_read.input_tokens', call.read],
      ['gen_ai.usage.cache_creation.input_tokens', write(call)],
    ],
  }),
  OpenInference: (call) => ({
    attributes: [
      ['openinference.span.kind', 'LLM'],
      ['llm.provider', 'anthropic'],
      ['llm.token_count.prompt', input(call)],
      ['llm.token_count.completion', call.output],
      ['llm.token_count.prompt_details.cache_read', call.read],
      ['llm.token_count.prompt_details.cache_write', write(call)],
    ],
  }),
  'Vercel AI SDK 5': (call) => ({
    tellsHours: true,
    attributes: [
      ['ai.operationId', 'ai.generateText.doGenerate'],
      ['ai.model.provider', 'anthropic.messages'],
      ['ai.usage.promptTokens', call.text],
      ['ai.usage.completionTokens', call.output],
      [
        'ai.response.providerMetadata',
        JSON.stringify({ anthropic: { usage: anthropicUsage(call) } }),
      ],
    ],
  }),
  'Langfuse buckets': (call) => ({
    attributes: [
      ['langfuse.observation.type', 'generation'],
      [
        'langfuse.observation.usage_details',
        JSON.stringify({
          input: call.text,
          input_cached_tokens: call.read,
          input_cache_creation: write(call),
          output: call.output,
        }),
      ],
    ],
  }),
  OpenLIT: (call) => ({
    scope: 'openlit.otel.tracing',
    attributes: [
      ...chat,
      ['gen_ai.usage.input_tokens', call.text],
      ['gen_ai.usage.output_tokens', call.output],
      ['gen_ai.usage.cache_read.input_tokens', call.read],
      ['gen_ai.usage.cache_creation.input_tokens', write(call)],
    ],
  }),
}

const count = fc.nat(2_000_000)
const anyCall: fc.Arbitrary<Call> = fc.record({
  text: count,
  read: count,
  write5m: count,
  write1h: count,
  output: count,
})

describe('Disjoint counts → a dialect → our row is the identity', () => {
  const transcode = transcoder({ maxAttributeBytes: 10_000 })

  test.each(Object.keys(DIALECTS))('for %s', (name) => {
    const property = fc.property(anyCall, (call) => {
      const {
        scope = 'any',
        attributes,
        tellsHours = false,
      } = DIALECTS[name]?.(call) ?? {
        attributes: [],
      }
      const request = { scope: { name: scope, version: '1.0.0' }, spans: [{ attributes }] }
      expect(transcodeAll(request, transcode)).toMatchObject([
        {
          kind: 'llm',
          input_tokens: BigInt(input(call)),
          output_tokens: BigInt(call.output),
          cache_read_tokens: BigInt(call.read),
          cache_write_5m_tokens: BigInt(tellsHours ? call.write5m : write(call)),
          cache_write_1h_tokens: tellsHours ? BigInt(call.write1h) : null,
          flags: [],
        },
      ])
    })
    fc.assert(property, { seed: 20_261_121, numRuns: 100 })
  })
})

const flagsOf = (...attributes: Attributes) =>
  transcodeAll({ spans: [{ attributes }] })[0]?.['flags']

describe('A count that cannot be', () => {
  test.each<[Attributes[number], readonly string[]]>([
    [['gen_ai.usage.input_tokens', -5], ['invalid_count']],
    [['gen_ai.usage.input_tokens', 'many'], ['invalid_count']],
    [['gen_ai.usage.cache_read.input_tokens', -1], ['invalid_count']],
    [['gen_ai.usage.input_tokens', { double: Number.NaN }], []],
    [['gen_ai.usage.input_tokens', ''], []],
    [['gen_ai.usage.input_tokens', null], []],
    [['gen_ai.request.max_tokens', -1], []],
  ])('%o is flagged %o', (attribute, flags) => {
    expect(flagsOf(attribute)).toEqual(flags)
  })
})
