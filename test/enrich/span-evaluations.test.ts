import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { evaluationIdOf } from '#runtime/evaluation-id.ts'
import { enrichedSpans, evaluations, spans } from '#schemas/topics.ts'
import { parseConfig } from '../../services/enrich/config.ts'
import { createEnricher, type EnrichOptions } from '../../services/enrich/enrich.ts'
import { parseTagRules } from '../../services/enrich/tags.ts'
import { record } from '../support/memory.ts'
import { type Decoded, spanBatch } from '../support/spans.ts'

const { prices } = parseConfig({})
const START = 1_767_323_045_123_456_789n
const RECEIVED = START + 77n

/** What enrichment makes of some spans; gives the evaluations and what is rejected. */
function enrich(items: readonly Decoded[], options: Partial<EnrichOptions> = {}) {
  const enrichBatch = createEnricher({
    prices,
    tagSpan: () => undefined,
    contentRate: 1,
    onPriced: () => {},
    ...options,
  })
  const { values, secondValues = [], rejected } = enrichBatch(record(0, spanBatch(...items)))
  return {
    batches: secondValues,
    found: secondValues.flatMap((value) => evaluations.codec.decode(value)),
    spans: values.flatMap((value) => enrichedSpans.codec.decode(value)),
    rejected,
  }
}

const event = (name: string, attributes: Readonly<Record<string, string>> = {}, time = START) => ({
  time_unix_nano: time,
  name,
  attributes,
})
const scored = (score: string, time = START) =>
  event('gen_ai.evaluation.result', attributesOf(score), time)
const attributesOf = (score: string) => ({
  'gen_ai.evaluation.name': 'factuality',
  'gen_ai.evaluation.score.value': score,
})

const cohort = {
  trace_id: 'ab'.repeat(16),
  span_id: 'cd'.repeat(8),
  tenant: 'acme',
  team: 'support',
  feature: 'chat',
  environment: 'production',
  cost_centre: 'cc-1',
  user_tier: 'pro',
  user: 'u1',
  session: 's1',
  request_id: 'r1',
  service: 'assistant',
  provider: 'openai',
  prompt_id: 'answer',
  prompt_version: 'v2',
  experiment: 'tone',
  variant: 'b',
  domain: 'legal',
}
const span: Decoded = {
  ...cohort,
  start_time_unix_nano: START,
  duration_nano: 1_000n,
  received_time_unix_nano: RECEIVED,
  request_model: 'gpt-4o',
  response_model: 'gpt-4o-2024-08-06',
  response_id: 'chatcmpl-1',
  attributes: { use_case: 'critical' },
}

const idsOf = (items: readonly Decoded[]) =>
  enrich(items).found.map(({ evaluation_id }) => evaluation_id)

describe('An event that judges its span', () => {
  test('becomes an evaluation with the cohort of the span, and stays in the span', () => {
    const events = [event('exception', { a: 'b' }), scored('0.75', START + 5n)]
    const result = enrich([{ ...span, events }])
    const judged = {
      ...cohort,
      evaluator: 'factuality',
      evaluator_version: '',
      dimension: 'factuality',
      score: 0.75,
      label: '',
      explanation: '',
      response_id: 'chatcmpl-1',
    }
    expect(result.found).toEqual([
      {
        ...judged,
        evaluation_id: evaluationIdOf({ ...judged, time: START + 5n }),
        time_unix_nano: START + 5n,
        model: 'gpt-4o',
        use_case: 'critical',
        origin: 'span_event',
        received_time_unix_nano: RECEIVED,
      },
    ])
    expect(result.spans).toMatchObject([{ events }])
  })

  test('has the tags that the rules settle', () => {
    const tagSpan = parseTagRules(
      'rules: [{ when: { service: assistant }, set: { tenant: house, team: payments } }]',
      'rules.yaml',
    )
    const { found } = enrich([{ ...span, events: [scored('1')] }], { tagSpan })
    expect(found).toMatchObject([{ tenant: 'house', team: 'payments', feature: 'chat' }])
  })

  test('is of the model that answered where none was asked for', () => {
    const { found } = enrich([{ ...span, request_model: '', events: [scored('1')] }])
    expect(found).toMatchObject([{ model: 'gpt-4o-2024-08-06' }])
  })

  test('goes before the span with what it says itself', () => {
    const own = { ...attributesOf('1'), 'gen_ai.response.id': 'own', use_case: 'house' }
    const { found } = enrich([{ ...span, events: [event('gen_ai.evaluation.result', own)] }])
    expect(found).toMatchObject([{ response_id: 'own', use_case: 'house' }])
  })

  test('without a time was told as the span ended', () => {
    const { found } = enrich([{ ...span, events: [scored('1', 0n)] }])
    expect(found).toMatchObject([{ time_unix_nano: START + 1_000n }])
  })

  test('may be of low quality alone', () => {
    const { found } = enrich([{ ...span, events: [event('low_quality_output', { reason: 'no' })] }])
    expect(found).toMatchObject([
      { evaluator: 'low_quality_output', label: 'low_quality', score: null, explanation: 'no' },
    ])
  })

  test('has an id that differs with what it says, and with nothing else', () => {
    const events = [scored('1'), scored('0.9'), scored('1', START + 1n)]
    const ids = idsOf([{ ...span, events }])
    expect(new Set(ids).size).toBe(3)
    expect(idsOf([{ ...span, team: 'x', received_time_unix_nano: 1n, events }])).toEqual(ids)
    expect(idsOf([{ ...span, span_id: 'ef'.repeat(8), events }])).not.toContain(ids[0])
  })
})

describe('Among other events', () => {
  test.each([
    'gen_ai.evaluation.resul',
    'gen_ai.evaluation.results',
    'Gen_ai.evaluation.result',
    'low_quality',
    'low_quality_outputs',
    '',
  ])('%j is no evaluation', (name) => {
    expect(enrich([{ ...span, events: [event(name, attributesOf('1'))] }]).batches).toEqual([])
  })

  test('all evaluations are found, in order, and the spans are as they would be without', () => {
    const name = fc.constantFrom(
      'gen_ai.evaluation.result',
      'low_quality_output',
      'exception',
      'gen_ai.evaluation.result.more',
    )
    const attributes = fc.dictionary(fc.string({ maxLength: 5 }), fc.string({ maxLength: 200 }), {
      maxKeys: 3,
    })
    const events = fc.array(fc.tuple(name, attributes), { maxLength: 6 })
    fc.assert(
      fc.property(fc.array(events, { minLength: 1, maxLength: 5 }), (lists) => {
        let count = 0
        const items = lists.map((list) => ({
          ...span,
          events: list.map(([own, more]) =>
            event(own, { ...more, reason: `no ${count}`, dimension: String(count++) }),
          ),
        }))
        const result = enrich(items)
        const expected = items.flatMap((item) =>
          item.events.filter(
            (each) =>
              each.name === 'gen_ai.evaluation.result' || each.name === 'low_quality_output',
          ),
        )
        expect(result.found.map(({ dimension }) => dimension)).toEqual(
          expected.map((each) => each.attributes['dimension']),
        )
        expect(result.spans.map(({ events: kept }) => kept)).toEqual(
          items.map((item) => item.events),
        )
      }),
      { seed: 20_260_102, numRuns: 300 },
    )
  })

  test('a record after one with evaluations has its own alone', () => {
    const enrichBatch = createEnricher({
      prices,
      tagSpan: () => undefined,
      contentRate: 1,
      onPriced: () => {},
    })
    enrichBatch(record(0, spanBatch({ ...span, events: [scored('1')] })))
    expect(enrichBatch(record(1, spanBatch(span))).secondValues).toEqual([])
  })

  test('a record that is cut leaves nothing of its evaluations', () => {
    const batch = spanBatch({ ...span, events: [scored('1')] }, span)
    const enrichBatch = createEnricher({
      prices,
      tagSpan: () => undefined,
      contentRate: 1,
      onPriced: () => {},
    })
    expect(enrichBatch(record(0, batch.subarray(0, -5))).secondValues ?? []).toEqual([])
    expect(enrichBatch(record(1, spanBatch(span))).secondValues).toEqual([])
  })
})

const many = (count: number) => Array.from({ length: count }, (_, i) => scored('1', BigInt(i + 1)))

describe('Very many evaluations', () => {
  test('of one span are taken up to a thousand, and the rest is a dead letter', () => {
    const items = [span, { ...span, name: 'chatty', events: many(1_001) }]
    const { found, rejected, spans: enriched } = enrich(items)
    expect([found.length, enriched.length]).toEqual([1_000, 2])
    expect(rejected).toMatchObject([{ index: 1, reason: 'too_many_evaluations', format: 'avro' }])
    const [payload] = rejected.map((each) => each.payload)
    expect(spans.codec.decode(payload ?? Buffer.alloc(0))).toMatchObject([{ name: 'chatty' }])
  })

  test('of one record go in several', () => {
    const items = Array.from({ length: 3 }, () => ({ ...span, events: many(700) }))
    const { batches, found, rejected } = enrich(items)
    expect(batches.map((value) => evaluations.codec.decode(value).length)).toEqual([
      1_000, 1_000, 100,
    ])
    expect([found.length, rejected]).toEqual([2_100, []])
  })

  test('are counted', () => {
    const told: number[] = []
    enrich([{ ...span, events: many(3) }, span], { onEvaluations: (count) => told.push(count) })
    enrich([span], { onEvaluations: (count) => told.push(count) })
    expect(told).toEqual([3])
  })
})
