import * as fc from 'fast-check'
import { createCodec, type SchemaJson } from '../../schemas/codec.ts'
import {
  type Attributes,
  type EventInput,
  otlpRequest,
  SPAN_ID,
  START,
  TRACE_ID,
} from '../support/otlp-proto.ts'
import { avroRecord } from '../support/avro-values.ts'

const ATTRIBUTES: Attributes = [
  ['tenant.id', 'acme'],
  ['user.id', 'u-1'],
  ['gen_ai.operation.name', 'chat'],
  ['gen_ai.provider.name', 'openai'],
  ['gen_ai.request.model', 'gpt-4o'],
  ['gen_ai.usage.input_tokens', 1_000],
  ['gen_ai.usage.output_tokens', 9_007_199_254_740_993n],
  ['gen_ai.usage.cost', { double: 0.001_23 }],
  ['gen_ai.request.stream', true],
  ['llm.token_count.prompt', '17'],
  ['error.type', 'timeout'],
  ['gen_ai.input.messages', '[{"role":"user","content":"mail me at jo@example.com"}]'],
  ['app.bytes', Buffer.from('00ff', 'hex')],
  ['app.list', { array: ['a', 1, null, { array: [true] }] }],
  ['app.map', { map: [['a', { map: [['b', 'c']] }]] }],
]

const EVENTS: readonly EventInput[] = [
  {
    name: 'gen_ai.evaluation.result',
    time: START,
    attributes: [
      ['gen_ai.evaluation.name', 'factuality'],
      ['gen_ai.evaluation.score.value', { double: 0.5 }],
      ['gen_ai.evaluation.score.label', 'fine'],
    ],
  },
  { name: 'exception', time: START, attributes: [['exception.type', 'TimeoutError']] },
]

/** Requests in protobuf that are taken in whole. */
export const PROTO_REQUESTS: readonly Buffer[] = [
  otlpRequest({
    resource: [
      ['service.name', 'shop'],
      ['host.cores', 8],
    ],
    scope: { name: 'openinference.instrumentation.openai', version: '1' },
    spans: [
      { attributes: ATTRIBUTES, events: EVENTS, links: [{ traceId: TRACE_ID, spanId: SPAN_ID }] },
      {
        parentSpanId: SPAN_ID,
        name: 'tool',
        traceState: 'a=b',
        status: { code: 2, message: 'no' },
      },
    ],
  }),
  otlpRequest({ spans: Array.from({ length: 8 }, (_, i) => ({ name: `span ${i}`, kind: i % 6 })) }),
  otlpRequest({ spans: [] }),
]

const jsonValue = (value: unknown) => ({ key: 'gen_ai.request.model', value })

/** The same in JSON. */
export const JSON_REQUESTS: readonly unknown[] = [
  {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
        scopeSpans: [
          {
            scope: { name: 'lib', version: '1', attributes: [] },
            spans: [
              {
                traceId: TRACE_ID.toString('hex'),
                spanId: SPAN_ID.toString('hex'),
                parentSpanId: '',
                traceState: 'a=b',
                name: 'chat',
                kind: 'SPAN_KIND_CLIENT',
                startTimeUnixNano: String(START),
                endTimeUnixNano: String(START + 5n),
                flags: 257,
                droppedAttributesCount: 1,
                attributes: [
                  jsonValue({ stringValue: 'gpt-4o' }),
                  jsonValue({ intValue: '12' }),
                  jsonValue({ doubleValue: 1.5 }),
                  jsonValue({ boolValue: true }),
                  jsonValue({ bytesValue: 'AP8=' }),
                  jsonValue({ arrayValue: { values: [{ intValue: 1 }, { stringValue: 'a' }] } }),
                  jsonValue({ kvlistValue: { values: [jsonValue({ stringValue: 'b' })] } }),
                ],
                events: [
                  { timeUnixNano: '5', name: 'e', attributes: [jsonValue({ intValue: 1 })] },
                ],
                links: [{ traceId: TRACE_ID.toString('hex'), spanId: SPAN_ID.toString('hex') }],
                status: { code: 2, message: 'no' },
              },
            ],
          },
        ],
      },
    ],
  },
]

const evaluation = {
  evaluation_id: 'mine',
  trace_id: TRACE_ID.toString('hex'),
  span_id: SPAN_ID.toString('hex'),
  time: '2026-01-02T03:04:05Z',
  evaluator: 'judge',
  dimension: 'toxicity',
  score: 1,
  label: 'fine',
  explanation: 'Nothing bad in it, said jo@example.com.',
  tenant: 'acme',
  user: 'u1',
}

/** Bodies of POST /v1/evaluations. */
export const EVALUATION_REQUESTS: readonly unknown[] = [
  evaluation,
  [evaluation, { ...evaluation, score: null, time: 1_767_323_045_123 }],
  { evaluations: [evaluation] },
]

const SEED = 7
const BATCHES = 12

/** Batches of random items of a schema, as a topic holds them. */
export function batchesOf(schema: SchemaJson): readonly Buffer[] {
  const codec = createCodec<unknown>(schema)
  const items = fc.array(avroRecord(schema), { maxLength: 4 })
  return fc.sample(items, { seed: SEED, numRuns: BATCHES }).map((some) => codec.encode(some))
}
