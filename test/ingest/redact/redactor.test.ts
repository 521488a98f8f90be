import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readEvaluationsRequest } from '../../../services/ingest/evaluations-request.ts'
import {
  createRedactor,
  createSwappableRedactor,
} from '../../../services/ingest/redact/redactor.ts'
import type { Rejected } from '#runtime/dead-letters.ts'
import { type Attributes, otlpRequest } from '../../support/otlp-proto.ts'
import { transcoder } from '../../support/spans.ts'
import { hashOf, policiesOf } from './policies.ts'

const CANARY = 'bob@example.com'
const redactorOf = (file: string) => createRedactor(policiesOf(file))

const rejected = (payload: Buffer, format = 'otlp_proto'): Rejected => ({
  index: 0,
  reason: 'invalid_trace_id',
  detail: `of ${CANARY}`,
  format,
  payload,
  tenant: '',
})

/** A request whose only span is refused, and the letter that is made of it. */
function letterOf(attributes: Attributes): Rejected {
  const span = {
    traceId: Buffer.alloc(3),
    name: CANARY,
    status: { message: CANARY },
    attributes,
    events: [{ name: CANARY, attributes }],
  }
  const scope = { name: CANARY, version: '1' }
  const body = otlpRequest({ resource: [['owner', CANARY]], scope, spans: [span] })
  const [letter] = transcoder()(body, 0).rejected
  if (letter === undefined) throw new Error('the span was not refused')
  return letter
}

const one = (file: string, letter: Rejected): Rejected => {
  const [redacted] = redactorOf(file).redactRejected([letter])
  if (redacted === undefined) throw new Error('a letter stays a letter')
  return redacted
}

const number = (value: number) => letterOf([['n', value]]).payload

describe('What was refused', () => {
  const letter = letterOf([
    ['to', CANARY],
    ['list', { array: [CANARY, { map: [['x', 'pay 4111 1111 1111 1111']] }] }],
    ['number', 4_111_111_111_111_111],
    ['double', { double: 4_111_111_111_111_111 }],
    ['kept', 'plain'],
  ])

  test('is masked without a change of its length, and can still be read', () => {
    const { payload, detail } = one('', letter)
    expect(payload).toHaveLength(letter.payload.length)
    expect(payload.includes('example.com')).toBe(false)
    expect(payload.includes('4111')).toBe(false)
    expect(payload.includes('plain')).toBe(true)
    const again = transcoder()(payload, 0).rejected
    expect(again).toMatchObject([{ reason: letter.reason }])
    expect(detail).toBe(letter.detail)
  })

  test('as numbers becomes zero', () => {
    const { payload } = one('', rejected(number(4_111_111_111_111_111)))
    expect(payload).toHaveLength(number(4_111_111_111_111_111).length)
    expect(payload).not.toEqual(number(4_111_111_111_111_111))
    expect(one('', rejected(number(1_767_323_046_000))).payload.includes('owner')).toBe(true)
  })

  test('as JSON stays JSON', () => {
    const text = `{"a":"${CANARY}","ü":378282246310005,"b":"1.2.3"}`
    const { payload } = one('', rejected(Buffer.from(text), 'otlp_json'))
    expect(JSON.parse(payload.toString())).toEqual({
      a: '*'.repeat(CANARY.length),
      ü: 999_999_999_999_999,
      b: '1.2.3',
    })
  })

  test('is left out where nobody can read it', () => {
    const { payload, detail } = one('', rejected(Buffer.from(`\x0a\xff${CANARY}`)))
    expect(payload).toHaveLength(0)
    expect(detail).toMatch(/^of \[email\] \(what was sent is left out/)
  })

  test.each(['content: drop', 'user: hash', 'detectors: { ip: hash }', 'fields: { name: mask }'])(
    'is left out where the policy asks for more than masking: %s',
    (policy) => {
      const { payload, detail } = one(`default: { ${policy} }`, letter)
      expect(payload).toHaveLength(0)
      expect(detail).toContain('left out')
    },
  )

  test('stays whole where the policy is off', () => {
    expect(one('default: off', letter)).toEqual(letter)
  })

  test('No bytes make it fail', () => {
    const redactor = redactorOf('')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(), fc.nat(), (junk, at, kind) => {
        const payload = Buffer.from(letter.payload)
        payload.set(junk.subarray(0, payload.length), at % (payload.length - 60))
        const format = ['otlp_proto', 'otlp_json', 'evaluation_json'][kind % 3] ?? ''
        const [after] = redactor.redactRejected([rejected(payload, format)])
        expect([0, payload.length]).toContain(after?.payload.length)
      }),
      { numRuns: 2_000, seed: 3 },
    )
  })
})

const read = (sent: object) => {
  const request = readEvaluationsRequest(Buffer.from(JSON.stringify(sent)), 5n)
  if (request.type !== 'read') throw new Error(request.message)
  return request.evaluations
}

describe('Evaluations', () => {
  const sent = {
    request_id: CANARY,
    evaluator: 'judge',
    score: 1,
    explanation: `said ${CANARY}`,
    user: CANARY,
    tenant: 'acme',
  }

  test('are redacted in every text', () => {
    const [evaluation] = redactorOf('').redactEvaluations(read(sent))
    expect(evaluation).toMatchObject({
      explanation: 'said [email]',
      user: '[email]',
      request_id: '[email]',
      evaluator: 'judge',
      tenant: 'acme',
    })
  })

  test('follow rules for fields', () => {
    const file = 'default: { user: hash, fields: { explanation: drop } }'
    const [evaluation] = redactorOf(file).redactEvaluations(read(sent))
    expect(evaluation).toMatchObject({ explanation: '', user: hashOf(CANARY) })
  })

  test('stay two where their ids held the same kind of thing', () => {
    const ids = [CANARY, 'amy@example.com'].map((evaluation_id, score) => ({
      ...sent,
      evaluation_id,
      score,
    }))
    const redacted = redactorOf('').redactEvaluations(ids.flatMap((each) => read(each)))
    const found = redacted.map((each) => each.evaluation_id)
    expect(new Set(found).size).toBe(2)
    expect(found.join(' ')).not.toContain('@')
  })
})

test('Policies can be replaced while a redactor is in use', () => {
  const redactor = createSwappableRedactor(undefined)
  const letter = rejected(Buffer.from(CANARY), 'otlp_json')
  const payloads = () => redactor.redactRejected([letter]).map(({ payload }) => payload.toString())
  expect(payloads()).toEqual([CANARY])
  redactor.swap(policiesOf(''))
  expect(payloads()).toEqual(['***************'])
  redactor.swap(undefined)
  expect(payloads()).toEqual([CANARY])
})
