import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { evaluations, schemas } from '#schemas/topics.ts'
import { readEvaluation } from '../../services/ingest/evaluations.ts'

const RECEIVED = 1_767_323_046_000_000_000n
const TRACE = 'ab'.repeat(16)
const SPAN = 'cd'.repeat(8)
const least = { trace_id: TRACE, evaluator: 'factuality', score: 0.5 }

function read(sent: unknown) {
  const reading = readEvaluation(sent, RECEIVED)
  if (reading.type === 'bad') throw new Error(JSON.stringify(reading.mistakes))
  return reading.evaluation
}

/** What is wrong, as `field: message` each. */
function mistakesIn(sent: unknown): readonly string[] {
  const reading = readEvaluation(sent, RECEIVED)
  if (reading.type === 'read') return []
  return reading.mistakes.map(({ field, message }) => `${field}: ${message}`)
}

const full = {
  evaluation_id: 'mine',
  trace_id: TRACE,
  span_id: SPAN,
  time: '2026-01-02T03:04:05Z',
  evaluator: 'judge',
  evaluator_version: '3',
  dimension: 'toxicity',
  score: 1,
  label: 'fine',
  explanation: 'Nothing bad in it.',
  response_id: 'chatcmpl-1',
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
  model: 'gpt-4o',
  prompt_id: 'answer',
  prompt_version: 'v2',
  experiment: 'tone',
  variant: 'b',
  domain: 'legal',
  use_case: 'critical',
}

describe('An evaluation', () => {
  test('with all that may be told of it has just that', () => {
    const { time, ...rest } = full
    expect(time).toBe('2026-01-02T03:04:05Z')
    const evaluation = read(full)
    expect(evaluation).toEqual({
      ...rest,
      time_unix_nano: 1_767_323_045_000_000_000n,
      origin: 'api',
      received_time_unix_nano: RECEIVED,
    })
    expect(evaluations.codec.decode(evaluations.codec.encode([evaluation]))).toEqual([evaluation])
  })

  test('has every field of the schema, whatever was left out', () => {
    const names = JSON.stringify(schemas.evaluation['fields'])
    const evaluation = read(least)
    for (const name of Object.keys(evaluation)) expect(names).toContain(`"name":"${name}"`)
    expect(evaluations.codec.decode(evaluations.codec.encode([evaluation]))).toEqual([evaluation])
    expect(evaluation).toMatchObject({
      time_unix_nano: RECEIVED,
      evaluator: 'factuality',
      dimension: 'factuality',
      span_id: '',
      label: '',
      tenant: '',
    })
  })

  test.each<[string, object, object]>([
    ['a label alone', { trace_id: TRACE, evaluator: 'e', label: 'pass' }, { score: null }],
    ['a dimension alone', { trace_id: TRACE, dimension: 'd', score: 0 }, { evaluator: 'd' }],
    ['a request alone', { request_id: 'r', evaluator: 'e', score: 1 }, { trace_id: '' }],
    ['an answer alone', { response_id: 'r', evaluator: 'e', score: 1 }, { trace_id: '' }],
    ['ids in capitals', { ...least, trace_id: TRACE.toUpperCase() }, { trace_id: TRACE }],
    ['nulls and empty texts', { ...least, label: null, span_id: '', time: null }, { label: '' }],
  ])('may have %s', (_, sent, expected) => {
    expect(read(sent)).toMatchObject(expected)
  })

  test('may be told by the names of OpenTelemetry, and of the schema', () => {
    const sent = {
      trace_id: TRACE,
      time_unix_nano: '1767323045000000000',
      'gen_ai.evaluation.name': 'Relevance',
      'gen_ai.evaluation.score.value': 0.4,
      'gen_ai.evaluation.score.label': 'fail',
      'gen_ai.evaluation.explanation': 'Off topic.',
      'gen_ai.response.id': 'chatcmpl-1',
    }
    expect(read(sent)).toMatchObject({
      time_unix_nano: 1_767_323_045_000_000_000n,
      evaluator: 'Relevance',
      score: 0.4,
      label: 'fail',
      explanation: 'Off topic.',
      response_id: 'chatcmpl-1',
    })
  })

  test('has the same id for the same words, whenever it is received, and another for others', () => {
    const idOf = (sent: object, received = RECEIVED) => {
      const reading = readEvaluation(sent, received)
      return reading.type === 'read' ? reading.evaluation.evaluation_id : ''
    }
    const id = idOf(least)
    expect(id).toMatch(/^[0-9a-f]{32}$/)
    expect(idOf(least, RECEIVED + 5n)).toBe(id)
    expect(idOf({ ...least, tenant: 'acme' })).toBe(id)
    const others = [
      { score: 0.6 },
      { span_id: SPAN },
      { label: 'x' },
      { dimension: 'x' },
      { evaluator_version: '2' },
      { time: '2026-01-02' },
      { explanation: 'x' },
      { request_id: 'r' },
      { response_id: 'r' },
    ].map((more) => idOf({ ...least, ...more }))
    expect(new Set([id, ...others]).size).toBe(others.length + 1)
  })
})

describe('What is wrong with an evaluation is told, all of it', () => {
  test.each<[string, unknown, readonly string[]]>([
    ['a list', [], [': must be an object']],
    ['null', null, [': must be an object']],
    ['text', 'x', [': must be an object']],
    [
      'nothing',
      {},
      [
        'trace_id: is missing; request_id or response_id would do, too',
        'evaluator: is missing; a dimension would do, too',
        'score: is missing; a label would do, too',
      ],
    ],
    [
      'a span without its trace',
      { request_id: 'r', span_id: SPAN, evaluator: 'e', score: 1 },
      ['span_id: means nothing without the trace_id'],
    ],
    [
      'ids that are none',
      { ...least, trace_id: 'abc', span_id: '0'.repeat(16) },
      [
        'trace_id: must be 32 hexadecimal digits, not all of them zero',
        'span_id: must be 16 hexadecimal digits, not all of them zero',
      ],
    ],
    ['a score above 1', { ...least, score: 1.5 }, ['score: must be a number from 0 to 1']],
    ['a score below 0', { ...least, score: -0.1 }, ['score: must be a number from 0 to 1']],
    ['a score of text', { ...least, score: '0.5' }, ['score: must be a number from 0 to 1']],
    ['a score of a flag', { ...least, score: true }, ['score: must be a number from 0 to 1']],
    ['a label that is no text', { ...least, label: 1 }, ['label: must be text']],
    [
      'a typo and what is missing for it',
      { trace_id: TRACE, evaluator: 'e', scroe: 1 },
      ['score: is missing; a label would do, too', 'scroe: is not a field of an evaluation'],
    ],
    [
      'an unknown field that is null',
      { ...least, x: null },
      ['x: is not a field of an evaluation'],
    ],
    ['a field of ours', { ...least, origin: 'x' }, ['origin: is not a field of an evaluation']],
    [
      'a time that is none',
      { ...least, time: 'now' },
      ['time: must be an RFC 3339 time, or nanoseconds since the epoch'],
    ],
    [
      'one thing told twice',
      { ...least, 'gen_ai.evaluation.name': 'x' },
      ['gen_ai.evaluation.name: says the same as evaluator: give one of them'],
    ],
    [
      'a mistake under the name that it was told by',
      { trace_id: TRACE, evaluator: 'e', 'gen_ai.evaluation.score.value': 2 },
      ['gen_ai.evaluation.score.value: must be a number from 0 to 1'],
    ],
  ])('%s', (_, sent, mistakes) => {
    expect(mistakesIn(sent)).toEqual(mistakes)
  })

  test('texts that are too long, by their bytes', () => {
    const sent = { ...least, label: 'é'.repeat(512), tenant: 'é'.repeat(513) }
    expect(mistakesIn(sent)).toEqual(['tenant: is longer than 1024 bytes'])
    const limit = 64 * 1_024
    expect(mistakesIn({ ...least, explanation: 'x'.repeat(limit) })).toEqual([])
    expect(mistakesIn({ ...least, explanation: 'x'.repeat(limit + 1) })).toEqual([
      'explanation: is longer than 65536 bytes',
    ])
  })

  test('a name that objects have by themselves', () => {
    const sent: unknown = JSON.parse(
      `{"trace_id":"${TRACE}","evaluator":"e","score":1,"__proto__":{"a":1},"constructor":"x"}`,
    )
    expect(mistakesIn(sent)).toEqual([
      '__proto__: is not a field of an evaluation',
      'constructor: is not a field of an evaluation',
    ])
  })

  test('fields without number, without an answer without end', () => {
    const more = Object.fromEntries(
      Array.from({ length: 500 }, (_each, i) => [`${i}${'x'.repeat(500)}`, 1]),
    )
    const mistakes = mistakesIn({ ...least, ...more })
    expect(mistakes).toHaveLength(11)
    expect(mistakes.at(-1)).toBe(': has 490 more fields that are none of an evaluation')
    expect(Math.max(...mistakes.map((mistake) => mistake.length))).toBeLessThan(200)
  })

  test('or it is taken, whatever JSON it is; a taken one can be written and read again', () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.string(),
      fc.constantFrom(TRACE, SPAN, 0.5, '2026-01-02', ''),
    )
    const names = [...Object.keys(full), 'time_unix_nano', 'gen_ai.evaluation.name', 'x']
    const sent = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 6 })
    let taken = 0
    fc.assert(
      fc.property(sent, fc.boolean(), (fields, hasLeast) => {
        const reading = readEvaluation(hasLeast ? { ...fields, ...least } : fields, RECEIVED)
        if (reading.type === 'bad') return reading.mistakes.length > 0
        taken++
        const { evaluation } = reading
        const [again] = evaluations.codec.decode(evaluations.codec.encode([evaluation]))
        expect(again).toMatchObject({ evaluator: evaluation.evaluator, score: evaluation.score })
        expect(evaluation.trace_id).toMatch(/^([0-9a-f]{32})?$/)
        return true
      }),
      { seed: 20_260_102, numRuns: 2_000 },
    )
    expect(taken).toBeGreaterThan(50)
  })
})
