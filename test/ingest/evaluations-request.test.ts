import { describe, expect, test } from 'vitest'
import { readEvaluationsRequest } from '../../services/ingest/evaluations-request.ts'

const RECEIVED = 1_767_323_046_000_000_000n
const good = { trace_id: 'ab'.repeat(16), evaluator: 'factuality', score: 0.5 }

const read = (body: string | Buffer) => readEvaluationsRequest(Buffer.from(body), RECEIVED)
const readJson = (body: unknown) => read(JSON.stringify(body))

describe('A request', () => {
  test.each<[string, unknown, number]>([
    ['one evaluation', good, 1],
    ['a list', [good, good], 2],
    ['a list by its name', { evaluations: [good, good, good] }, 3],
    ['a list of none', [], 0],
  ])('may hold %s', (_, body, count) => {
    expect(readJson(body)).toMatchObject({
      type: 'read',
      evaluations: Array.from({ length: count }, () => ({ evaluator: 'factuality' })),
      bad: [],
    })
  })

  test('keeps the good ones and tells the bad ones by their numbers, with their JSON', () => {
    const bad = { ...good, score: 7, label: 'é' }
    expect(readJson([bad, good, null])).toMatchObject({
      type: 'read',
      evaluations: [{ score: 0.5 }],
      bad: [
        {
          index: 0,
          mistakes: [{ field: 'score', message: 'must be a number from 0 to 1' }],
          payload: Buffer.from(JSON.stringify(bad)),
        },
        { index: 2, payload: Buffer.from('null') },
      ],
    })
  })

  test.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['no JSON', '{'],
    ['two values', '{}{}'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['text', '"x"'],
    ['a number', '1'],
    ['null', 'null'],
    ['evaluations that are no list', '{"evaluations":{}}'],
    ['something beside the list', '{"evaluations":[],"x":1}'],
    ['an evaluation without a bottom', `[{"label":${'['.repeat(100_000)}${']'.repeat(100_000)}}]`],
  ])('of %s is malformed', (_, body) => {
    expect(read(body)).toEqual({ type: 'malformed', message: expect.any(String) })
  })

  test('of far more objects than evaluations may have is refused before any is made', () => {
    const dense = Buffer.from(`[${'{},'.repeat(200_000)}{}]`)
    const message = 'The request holds more than 200000 objects and arrays'
    expect(read(dense)).toEqual({ type: 'too_large', message })
  })

  test('holds ten thousand evaluations at most', () => {
    const list = Array.from({ length: 10_001 }, () => good)
    expect(readJson(list.slice(1))).toMatchObject({ type: 'read' })
    expect(readJson(list)).toEqual({
      type: 'too_large',
      message: 'The request holds 10001 evaluations; send at most 10000',
    })
  })
})
