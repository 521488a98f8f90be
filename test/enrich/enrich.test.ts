import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batchBody, batchHeader } from '../../schemas/codec.ts'
import { enrichedSpans, schemas, spans } from '../../schemas/topics.ts'
import { parseConfig } from '../../services/enrich/config.ts'
import { NO_CALL } from '../../services/enrich/nested-calls.ts'
import { renderParts } from '../../services/enrich/cost-parts.ts'
import { createEnricher, type EnrichOptions } from '../../services/enrich/enrich.ts'
import type { PricedModel } from '../../services/enrich/price-book.ts'
import { createCallPricer } from '../../services/enrich/price-call.ts'
import { parseTagRules } from '../../services/enrich/tags.ts'
import { avroRecord } from '../support/avro-values.ts'
import { record } from '../support/memory.ts'
import { type Decoded, spanBatch } from '../support/spans.ts'
import { pricesOf } from './calls.ts'
import { tree } from './span-trees.ts'

const { prices } = parseConfig({})

function enricher(options: Partial<EnrichOptions> = {}) {
  return createEnricher({
    prices,
    tagSpan: () => undefined,
    contentRate: 1,
    onPriced: () => {},
    ...options,
  })
}

/** The enriched spans of one batch, which must not be rejected. */
function enrichBatch(batch: Buffer, options: Partial<EnrichOptions> = {}): Decoded[] {
  const { values, rejected } = enricher(options)(record(0, batch))
  if (rejected.length > 0) throw new Error(rejected[0]?.detail)
  return values.flatMap((value) => enrichedSpans.codec.decode(value)).map((span) => ({ ...span }))
}
const enrich = (span: Decoded, options: Partial<EnrichOptions> = {}) =>
  enrichBatch(spanBatch(span), options)[0] ?? {}

const START = 1_767_323_045_123_456_789n
const call = {
  kind: 'llm',
  start_time_unix_nano: START,
  provider: 'openai',
  request_model: 'gpt-4o',
  input_tokens: 1_000n,
  output_tokens: 500n,
}
const ADDED = new Set([
  'cost_pico_usd',
  'price_status',
  'price_version',
  'price_model',
  'price_flags',
  'cost_parts',
  'content_kept',
])

describe('Enrichment', () => {
  test('leaves every field of a span as it was', () => {
    const enrichAll = enricher()
    fc.assert(
      fc.property(fc.array(avroRecord(schemas.span), { minLength: 1, maxLength: 4 }), (items) => {
        const { values } = enrichAll(record(0, spans.codec.encode(items)))
        const after = values.flatMap((value) => enrichedSpans.codec.decode(value))
        const fields = after.map((span) =>
          Object.fromEntries(Object.entries(span).filter(([name]) => !ADDED.has(name))),
        )
        expect(fields).toEqual(items)
      }),
      { seed: 20_260_102, numRuns: 100 },
    )
  })

  test('makes one batch of a batch, in order', () => {
    const names = Array.from({ length: 500 }, (_, i) => `span ${i}`)
    const { values } = enricher()(record(0, spanBatch(...names.map((name) => ({ name })))))
    expect(values).toHaveLength(1)
    const decoded = values.flatMap((value) => enrichedSpans.codec.decode(value))
    expect(decoded.map((span) => span['name'])).toEqual(names)
  })

  test('makes nothing of an empty batch', () => {
    const nothing = { values: [], secondValues: [], rejected: [] }
    expect(enricher()(record(0, spans.codec.encode([])))).toEqual(nothing)
  })

  test('gives the same bytes for the same batch, whatever came before', () => {
    const batch = spanBatch(call, { name: 'x', prompt: 'p' })
    const used = enricher()
    const first = used(record(0, batch))
    used(record(1, spanBatch({ ...call, request_model: 'o3' })))
    used(record(2, Buffer.from('garbage')))
    expect(used(record(3, batch))).toEqual(first)
  })
})

describe('Tags', () => {
  const tagSpan = parseTagRules(
    'rules: [{ when: { service: shop }, set: { team: payments }, default: { tenant: house } }]',
    'rules.yaml',
  )

  test('are settled by the rules, and nothing else moves', () => {
    const span = {
      service: 'shop',
      feature: 'cart',
      team: 'x',
      attributes: { a: 'b' },
      prompt: 'p',
    }
    const { team, tenant, ...rest } = enrich(span, { tagSpan })
    const { team: _team, tenant: _tenant, ...plain } = enrich(span)
    expect([team, tenant]).toEqual(['payments', 'house'])
    expect(rest).toEqual(plain)
  })

  test('stay as they came where no rule applies', () => {
    expect(enrich({ service: 'other', team: 'x' }, { tagSpan })).toMatchObject({
      team: 'x',
      tenant: '',
    })
  })
})

describe('Content', () => {
  const content = { prompt: 'p', completion: 'c', content: { k: 'v' }, trace_id: 'ab'.repeat(16) }
  const gone = { prompt: '', completion: '', content: {}, content_kept: false }

  test.each<[string, Decoded, number, Decoded]>([
    ['is kept at rate 1', content, 1, { ...content, content_kept: true }],
    ['is dropped at rate 0', content, 0, { ...gone, trace_id: content.trace_id }],
    [
      'of an error is kept',
      { ...content, status: 'error' },
      0,
      { prompt: 'p', content_kept: true },
    ],
    [
      'is kept for an error type',
      { ...content, error_type: '429' },
      0,
      { completion: 'c', content_kept: true },
    ],
    ['of an ok span is dropped', { ...content, status: 'ok' }, 0, gone],
    ['that is not there was not kept', {}, 1, gone],
    ['that is not there was not kept for an error', { status: 'error' }, 1, gone],
    ['that is but a prompt is kept', { prompt: 'p' }, 1, { prompt: 'p', content_kept: true }],
    [
      'that is but long attributes is kept',
      { content: { a: 'b' } },
      1,
      { content: { a: 'b' }, content_kept: true },
    ],
  ])('%s', (_, span, contentRate, expected) => {
    expect(enrich(span, { contentRate })).toMatchObject(expected)
  })

  test('is kept or dropped for all spans of a trace alike', () => {
    const traces = Array.from({ length: 200 }, (_, i) => i.toString(16).padStart(32, '0'))
    const batch = (name: string) =>
      spanBatch(...traces.map((trace_id) => ({ ...content, trace_id, name })))
    const kept = (name: string) =>
      enrichBatch(batch(name), { contentRate: 0.5 }).map((span) => span['content_kept'])
    expect(kept('one')).toEqual(kept('another'))
    expect(new Set(kept('one')).size).toBe(2)
  })
})

const number = (value: bigint | null) => (value === null ? null : Number(value))

describe('The price', () => {
  const LIST = 'genai-prices@0.1.8'
  const priced = { price_status: 'priced', price_version: LIST, price_model: 'openai/gpt-4o' }

  test.each<[string, Decoded, Decoded]>([
    ['of a model call', call, { ...priced, cost_pico_usd: 7_500_000_000n }],
    [
      'of cache reads',
      { ...call, cache_read_tokens: 1_000n },
      { ...priced, cost_pico_usd: 6_250_000_000n },
    ],
    [
      'of reasoning',
      { ...call, reasoning_tokens: 100n },
      { ...priced, cost_pico_usd: 7_500_000_000n },
    ],
    [
      'of nothing',
      { ...call, input_tokens: 0n, output_tokens: 0n },
      { ...priced, cost_pico_usd: 0n },
    ],
    [
      'over 2^32 pico-USD',
      { ...call, input_tokens: 100_000_000n },
      { ...priced, cost_pico_usd: 250_005_000_000_000n },
    ],
    [
      'by the model that answered',
      { ...call, response_model: 'gpt-4o-mini' },
      { price_model: 'openai/gpt-4o-mini', cost_pico_usd: 450_000_000n },
    ],
    [
      'of an embedding',
      { ...call, kind: 'embedding', request_model: 'text-embedding-3-small', output_tokens: null },
      { price_status: 'priced', cost_pico_usd: 20_000_000n },
    ],
    [
      'at the time of the call',
      { ...call, request_model: 'o3', start_time_unix_nano: 1_749_513_599_000_000_000n },
      { price_status: 'priced', cost_pico_usd: 10_000_000_000n + 20_000_000_000n },
    ],
    [
      'at the time of the call, a second later',
      { ...call, request_model: 'o3', start_time_unix_nano: 1_749_513_600_000_000_000n },
      { price_status: 'priced', cost_pico_usd: 2_000_000_000n + 4_000_000_000n },
    ],
    [
      'of a model that is not known',
      { ...call, request_model: 'house-model' },
      { price_status: 'unpriced', cost_pico_usd: null, price_model: '', price_version: LIST },
    ],
    [
      'of a call without counts',
      { ...call, input_tokens: null, output_tokens: null },
      { price_status: 'no_usage', cost_pico_usd: null, price_model: 'openai/gpt-4o' },
    ],
    [
      'of impossible counts',
      { ...call, cache_read_tokens: 1_001n },
      { price_status: 'invalid_usage', cost_pico_usd: null, price_model: 'openai/gpt-4o' },
    ],
    [
      'of counts below zero',
      { ...call, input_tokens: -5n },
      { price_status: 'invalid_usage', cost_pico_usd: null },
    ],
    [
      'of counts whose cost fits no long',
      { ...call, input_tokens: BigInt(Number.MAX_SAFE_INTEGER) },
      { price_status: 'invalid_usage', cost_pico_usd: null },
    ],
    [
      'of a step that calls no model',
      { ...call, kind: 'tool' },
      { price_status: 'not_applicable', cost_pico_usd: null, price_model: '', price_version: '' },
    ],
    ['of a span of no kind', {}, { price_status: 'not_applicable', cost_pico_usd: null }],
  ])('%s', (_, span, expected) => {
    expect(enrich(span)).toMatchObject(expected)
  })

  test('is written with its parts and what is to be known about it', () => {
    const span = { ...call, request_model: 'gpt-4o', cache_read_tokens: 600n, web_searches: 1n }
    expect(enrich(span)).toMatchObject({
      cost_pico_usd: 1_000_000_000n + 750_000_000n + 5_000_000_000n + 10_000_000_000n,
      price_flags: [],
      cost_parts:
        '[["input",400,"2.5",1000000000],["cache_read",600,"1.25",750000000],' +
        '["output",500,"10",5000000000],["web_search",1,"0.01",10000000000]]',
    })
    const sibling = { ...call, provider: 'anthropic', request_model: 'claude-sonnet-5-5' }
    expect(enrich(sibling)).toMatchObject({ price_flags: ['sibling_model'] })
    expect(enrich({ ...call, kind: 'tool' })).toMatchObject({ price_flags: [], cost_parts: '' })
  })

  test('is the tenant’s, as the rules name it', () => {
    const book = pricesOf(
      'models: [{ tenant: acme, model: gpt-4o, prices: { input: 1, output: 0 } }]',
    )
    const tagSpan = parseTagRules(
      'rules: [{ when: { service: shop }, set: { tenant: acme } }]',
      'rules.yaml',
    )
    const batch = spanBatch(
      { ...call, tenant: 'acme' },
      { ...call, tenant: 'other' },
      { ...call, tenant: 'other', service: 'shop' },
    )
    const costs = enrichBatch(batch, { prices: book, tagSpan }).map((span) => span['cost_pico_usd'])
    expect(costs).toEqual([1_000_000_000n, 7_500_000_000n, 1_000_000_000n])
  })

  test('is looked up once for the same model and terms', () => {
    const asked: PricedModel[] = []
    const counting = {
      ...prices,
      find(model: PricedModel) {
        asked.push(model)
        return prices.find(model)
      },
    }
    const batch = spanBatch(
      call,
      call,
      { ...call, response_model: 'x' },
      call,
      { ...call, provider: '' },
      { ...call, service_tier: 'default' },
    )
    const costs = enrichBatch(batch, { prices: counting }).map((span) => span['cost_pico_usd'])
    expect(new Set(costs)).toEqual(new Set([7_500_000_000n]))
    const one = {
      provider: 'openai',
      requestModel: 'gpt-4o',
      responseModel: '',
      serviceTier: '',
      tenant: '',
    }
    expect(asked).toEqual([
      one,
      { ...one, responseModel: 'x' },
      { ...one, provider: '' },
      { ...one, serviceTier: 'default' },
    ])
  })

  test('is counted once for each batch', () => {
    const told: unknown[] = []
    const batch = spanBatch(
      { ...call, reported_cost_pico_usd: 7_000_000_000n },
      { ...call, service_tier: 'nope' },
      {},
      { ...call, request_model: 'x', reported_cost_pico_usd: 1n },
    )
    enrichBatch(batch, {
      onPriced: ({ statuses, flags, unpriced, reportedPicoUsd, computedPicoUsd }) => {
        const models = [...unpriced].map(([{ provider, model }, n]) => [provider, model, n])
        told.push([...statuses], [...flags], models, reportedPicoUsd, computedPicoUsd)
      },
    })
    expect(told).toEqual([
      [
        ['priced', 1],
        ['unpriced', 2],
        ['not_applicable', 1],
      ],
      [['tier_unpriced', 1]],
      [
        ['openai', 'gpt-4o', 1],
        ['openai', 'x', 1],
      ],
      7_000_000_000,
      7_500_000_000,
    ])
  })

  test('is that of createCallPricer, to the last field', () => {
    const book = pricesOf(`
models:
  - { tenant: acme, model: gpt-4o, prices: { input: 3.0000001, output: 4, request: 0.001 } }
  - { model: house, prices: { input: 123456.789, output: 1 } }
discounts: [{ tenant: globex, percent: 12.5 }]`)
    const priceCall = createCallPricer(book)
    const enrichAll = enricher({ prices: book })
    const count = fc.option(fc.bigInt(0n, 3_000_000n), { nil: null, freq: 3 })
    const total = fc.option(fc.bigInt(0n, 300_000_000n), { nil: null, freq: 8 })
    const span = fc.record({
      kind: fc.constantFrom('llm', 'llm', 'embedding', 'tool'),
      tenant: fc.constantFrom('', 'acme', 'globex'),
      provider: fc.constantFrom('openai', 'anthropic'),
      request_model: fc.constantFrom(
        'gpt-4o',
        'house',
        'claude-sonnet-5-5',
        'ft:gpt-4.1:x',
        'nope',
      ),
      response_model: fc.constantFrom('', 'gpt-4o-mini', 'nope'),
      service_tier: fc.constantFrom('', 'default', 'batch', 'odd'),
      flags: fc.constantFrom([], ['first_token_after_end'], ['x', 'cache_exceeds_input']),
      start_time_unix_nano: fc.bigInt(1_767_323_045_000_000_000n, 1_794_323_045_000_000_000n),
      input_tokens: total,
      output_tokens: total,
      cache_read_tokens: count,
      cache_write_5m_tokens: count,
      cache_write_1h_tokens: count,
      reasoning_tokens: count,
      input_audio_tokens: count,
      output_audio_tokens: count,
      input_image_tokens: count,
      output_image_tokens: count,
      web_searches: count,
    })
    const seen = new Set<unknown>()
    fc.assert(
      fc.property(fc.array(span, { minLength: 1, maxLength: 5 }), (items) => {
        const { values } = enrichAll(record(0, spanBatch(...items)))
        const written = values.flatMap((value) => enrichedSpans.codec.decode(value))
        items.forEach((item, i) => {
          const price = priceCall({
            kind: item.kind,
            tenant: item.tenant,
            provider: item.provider,
            requestModel: item.request_model,
            responseModel: item.response_model,
            serviceTier: item.service_tier,
            startTimeMs: Number(item.start_time_unix_nano) / 1e6,
            flags: item.flags,
            usage: {
              input: number(item.input_tokens),
              output: number(item.output_tokens),
              cacheRead: number(item.cache_read_tokens),
              cacheWrite5m: number(item.cache_write_5m_tokens),
              cacheWrite1h: number(item.cache_write_1h_tokens),
              reasoning: number(item.reasoning_tokens),
              inputAudio: number(item.input_audio_tokens),
              outputAudio: number(item.output_audio_tokens),
              inputImage: number(item.input_image_tokens),
              outputImage: number(item.output_image_tokens),
              webSearches: number(item.web_searches),
            },
          })
          seen.add(price.status)
          expect(written[i]).toMatchObject({
            cost_pico_usd: price.costPicoUsd,
            price_status: price.status,
            price_version: price.version,
            price_model: price.model,
            price_flags: price.flags,
            cost_parts: renderParts(price.parts),
          })
        })
      }),
      { seed: 20_261_121, numRuns: 2_000 },
    )
    expect(seen.size).toBe(5)
  })
})

const spansOf = (text: string) =>
  tree(text).map(({ traceId, spanId, parentSpanId, call: state }) => ({
    ...call,
    kind: state === NO_CALL ? 'agent' : 'llm',
    trace_id: traceId,
    span_id: spanId,
    parent_span_id: parentSpanId,
  }))

describe('A call within a call', () => {
  test('counts once: the deeper one', () => {
    const enriched = enrichBatch(spanBatch(...spansOf('agent a!:agent x:a b!:x c!:agent')))
    expect(enriched.map((span) => [span['span_id'], span['price_status']])).toEqual([
      ['agent', 'not_applicable'],
      ['a', 'nested'],
      ['x', 'not_applicable'],
      ['b', 'priced'],
      ['c', 'priced'],
    ])
    expect(enriched[1]).toMatchObject({
      cost_pico_usd: null,
      price_version: '',
      price_model: '',
      price_flags: [],
      cost_parts: '',
    })
  })

  test('that is not told with it counts too', () => {
    const [a, b] = spansOf('a! b!:a')
    for (const span of [a, b]) expect(enrich(span ?? {})).toMatchObject({ price_status: 'priced' })
  })
})

const rejects = (value: Buffer) => enricher()(record(0, value))

describe('What is no batch of spans is rejected', () => {
  const batch = spanBatch(call, { name: 'two' })
  const body = batchBody(batch)
  const header = batchHeader(spans.codec.fingerprint)

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['JSON', Buffer.from('{"spans":[]}')],
    ['a header alone', header],
    ['an unknown schema', Buffer.concat([batchHeader('0123456789abcdef'), body])],
    ['an enriched batch', enrichedSpans.codec.encode([])],
    ['a count of more than there is', Buffer.concat([header, Buffer.from([6]), body.subarray(1)])],
    ['a count of less than there is', Buffer.concat([header, Buffer.from([2]), body.subarray(1)])],
    ['two blocks', Buffer.concat([header, body.subarray(0, -1), body])],
    ['a count without end', Buffer.concat([header, Buffer.alloc(30, 0xff), Buffer.from([0])])],
  ])('%s', (_, value) => {
    const { values, rejected } = rejects(value)
    expect([values.length, rejected.length]).toEqual([0, 1])
    expect(rejected).toMatchObject([{ index: -1, reason: 'invalid_batch', format: 'avro' }])
    expect(rejected[0]?.detail).not.toBe('')
    expect(rejected[0]?.payload.equals(value)).toBe(true)
  })

  test('at whatever byte it is cut', () => {
    for (let cut = 0; cut < batch.length; cut++) {
      const { values, rejected } = rejects(batch.subarray(0, cut))
      expect([values.length, rejected.length], `cut at ${cut}`).toEqual([0, 1])
    }
  })

  test('or taken, whatever bytes follow the header; nothing else happens', () => {
    const enrichAny = enricher()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(body.length - 1), (noise, at) => {
        const damaged = Buffer.from(body)
        damaged.set(noise.subarray(0, Math.min(4, body.length - at)), at)
        for (const bytes of [Buffer.from(noise), damaged]) {
          const { values, rejected } = enrichAny(record(0, Buffer.concat([header, bytes])))
          expect(values.length + rejected.length).toBeLessThanOrEqual(1)
        }
      }),
      { seed: 20_260_102, numRuns: 3_000 },
    )
  })
})
