import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compilePolicies } from '../../../services/ingest/redact/policy-file.ts'
import { createRedactor } from '../../../services/ingest/redact/redactor.ts'
import { loadConventions } from '../../../services/ingest/conventions.ts'
import { createTranscoder } from '../../../services/ingest/transcode.ts'
import { otlpRequest, type RequestInput, SPAN_ID, TRACE_ID } from '../../support/otlp-proto.ts'
import { type Decoded, decodeBatches, LIMITS, RECEIVED_MS } from '../../support/spans.ts'
import { hashOf, KEY, policiesOf, redact } from './policies.ts'

const conventions = loadConventions()

/** The spans of a request, redacted by a file's policies. */
function transcode(request: RequestInput, file: string, tenant?: string): Decoded[] {
  const redactor = createRedactor(policiesOf(file))
  const run = createTranscoder(conventions, LIMITS, { redactor })
  return decodeBatches(run(otlpRequest(request), RECEIVED_MS, tenant).batches)
}
const plain = (request: RequestInput): Decoded[] =>
  decodeBatches(createTranscoder(conventions, LIMITS)(otlpRequest(request), RECEIVED_MS).batches)

const CANARY = 'bob@example.com'
const SPAN: RequestInput = {
  resource: [
    ['service.name', `shop ${CANARY}`],
    ['owner', CANARY],
  ],
  scope: { name: `scope ${CANARY}`, version: CANARY },
  spans: [
    {
      name: `chat ${CANARY}`,
      traceState: `a=${CANARY}`,
      status: { code: 2, message: `no ${CANARY}` },
      attributes: [
        ['tenant.id', 'acme'],
        ['user.id', CANARY],
        ['enduser.id', 'amy'],
        ['session.id', CANARY],
        ['gen_ai.request.model', 'gpt-4o'],
        ['gen_ai.usage.input_tokens', 4_111],
        ['gen_ai.input.messages', `[{"content":"hi\\n${CANARY}"}]`],
        ['gen_ai.output.messages', 'said bob\\u0040example.com'],
        [`key ${CANARY}`, 'x'],
        ['app.card', 4_111_111_111_111_111],
        ['app.list', { array: ['a', CANARY] }],
        ['app.note', 'plain'],
      ],
      events: [
        {
          name: `event ${CANARY}`,
          attributes: [
            ['e', CANARY],
            ['message', 'plain'],
          ],
        },
      ],
      links: [{ traceId: TRACE_ID, spanId: SPAN_ID, attributes: [['l', CANARY]] }],
    },
  ],
}

describe('A span', () => {
  test('keeps nothing of a canary in any place, and all that is not one', () => {
    const [before] = plain(SPAN)
    const [after] = transcode(SPAN, '')
    const expected: unknown = JSON.parse(redactJson(before), (_key, value: unknown) => value)
    expect(JSON.parse(JSON.stringify(after, bigints))).toEqual(expected)
    expect(JSON.stringify(after, bigints)).not.toContain('example.com')
    expect(JSON.stringify(after, bigints)).not.toContain('4111111111111111')
    expect(after).toMatchObject({ tenant: 'acme', request_model: 'gpt-4o', input_tokens: 4_111n })
  })

  test('without a match is not touched', () => {
    const request = { spans: [{ attributes: [['a', 'b']] as const }] }
    expect(transcode(request, '')).toEqual(plain(request))
  })

  test('takes the policy of its tenant, or of the key', () => {
    const file = '{ default: off, tenants: { acme: {}, globex: { detectors: { email: drop } } } }'
    expect(transcode(SPAN, file)[0]).toMatchObject({ name: 'chat [email]', tenant: 'acme' })
    expect(transcode(SPAN, file, 'globex')[0]).toMatchObject({ name: 'chat ', tenant: 'globex' })
    expect(transcode(SPAN, file, 'other')[0]).toMatchObject({ name: `chat ${CANARY}` })
  })

  test('The name of a tenant is redacted where it is an attribute, and not where it is the key’s', () => {
    const request: RequestInput = { spans: [{ attributes: [['tenant.id', CANARY]] }] }
    expect(transcode(request, '')[0]).toMatchObject({ tenant: '[email]' })
    expect(transcode(request, '', CANARY)[0]).toMatchObject({ tenant: CANARY })
  })
})

describe('Rules', () => {
  test('content: drop leaves prompts and other content out', () => {
    expect(transcode(SPAN, 'default: { content: drop }')[0]).toMatchObject({
      prompt: '',
      completion: '',
      content: {},
      name: 'chat [email]',
    })
  })

  test('user: hash hashes the user, wherever it is told', () => {
    const [span] = transcode(SPAN, 'default: { user: hash }')
    expect(span).toMatchObject({
      user: hashOf(CANARY),
      attributes: { 'enduser.id': hashOf('amy') },
      session: '[email]',
    })
  })

  test('for fields win over detectors, names over patterns', () => {
    const file = `default:
      fields: { session: keep, name: mask, 'attributes.app.*': drop, attributes.app.note: hash,
                resource.owner: drop, events.e: drop, events.message: mask, links.*: drop, prompt: hash }`
    const [span] = transcode(SPAN, file)
    expect(span).toMatchObject({ session: CANARY, name: '[redacted]', links: [{ attributes: {} }] })
    expect(span?.['attributes']).toEqual({
      'enduser.id': 'amy',
      'key [email]': 'x',
      'app.note': hashOf('plain'),
    })
    expect(span?.['resource_attributes']).toEqual({ 'service.name': 'shop [email]' })
    expect(span?.['events']).toMatchObject([{ attributes: { message: '[redacted]' } }])
    expect(span?.['prompt']).toMatch(/^hash:/)
  })
})

/** Each text of a decoded span redacted by itself: what the walk over bytes must come to. */
function redactJson(span: Decoded | undefined): string {
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return redact(value)
    if (Array.isArray(value)) return value.map(walk)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [redact(key), walk(each)]))
  }
  return JSON.stringify(walk(span), bigints)
}

function bigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

const piece = fc.constantFrom(
  CANARY,
  ' ',
  'x',
  '4111 1111 1111 1111',
  '+49 171 1234567',
  'é',
  '"',
  '\\n',
  '7',
)
const text = fc.oneof(
  fc.array(piece, { maxLength: 6 }).map((parts) => parts.join('')),
  fc.array(piece, { minLength: 40, maxLength: 60 }).map((parts) => parts.join(' ')),
)
const attributes = fc.uniqueArray(fc.tuple(fc.oneof(fc.constant('app.k'), text), text), {
  maxLength: 6,
  selector: ([key]) => redact(key),
})
const spans = fc.array(
  fc.record({
    name: text,
    attributes,
    status: fc.record({ code: fc.constant(2), message: text }),
    events: fc.array(fc.record({ name: text, attributes }), { maxLength: 2 }),
    links: fc.array(
      fc.record({ traceId: fc.constant(TRACE_ID), spanId: fc.constant(SPAN_ID), attributes }),
      { maxLength: 2 },
    ),
  }),
  { minLength: 1, maxLength: 4 },
)

test('Spans written one after the other become what their texts become one by one', () => {
  fc.assert(
    fc.property(attributes, spans, (resource, all) => {
      const request = { resource, spans: all }
      const expected = plain(request).map((span): unknown => JSON.parse(redactJson(span)))
      const found = transcode(request, '').map((span): unknown =>
        JSON.parse(JSON.stringify(span, bigints)),
      )
      expect(found).toEqual(expected)
    }),
    { numRuns: 200, seed: 11 },
  )
})

test('Rules that drop entries leave maps that can be read', () => {
  const policies = compilePolicies("default: { fields: { '*.app.k': drop } }", 'x.yaml', {
    key: KEY,
    userKeys: [],
  })
  const run = createTranscoder(conventions, LIMITS, { redactor: createRedactor(policies) })
  fc.assert(
    fc.property(attributes, spans, (resource, all) => {
      const decoded = decodeBatches(run(otlpRequest({ resource, spans: all }), RECEIVED_MS).batches)
      expect(decoded).toHaveLength(all.length)
      const keys = JSON.stringify(decoded, bigints)
      expect(keys).not.toContain('"app.k":')
    }),
    { numRuns: 200, seed: 12 },
  )
})
