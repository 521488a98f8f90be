import { describe, expect, test } from 'vitest'
import type { Answer } from '../../bench/load-client.ts'
import { createLedger, judge, sumVerdicts } from '../../bench/load-ledger.ts'

const answered = (status: number, retryAfterS?: number): Answer => ({
  type: 'answered',
  status,
  retryAfterS,
  ms: 1,
})
const unanswered: Answer = { type: 'unanswered', why: 'timed out' }

describe('The fate of a request', () => {
  test.each<[string, Answer[], string]>([
    ['is accepted after one 200', [answered(200)], 'accepted'],
    ['is accepted when it is refused first', [answered(429, 1), answered(200)], 'accepted'],
    ['is accepted after no answer', [unanswered, answered(200)], 'accepted'],
    ['stays accepted', [answered(200), unanswered], 'accepted'],
    ['is refused after refusals alone', [answered(429, 1), answered(503, 5)], 'refused'],
    ['is unknown after no answer', [unanswered], 'unknown'],
    ['is unknown where it was refused as well', [unanswered, answered(429)], 'unknown'],
    ['is unknown while nothing came', [], 'unknown'],
  ])('%s', (_, answers, fate) => {
    const ledger = createLedger(7)
    const number = ledger.next()
    for (const answer of answers) ledger.note(number, answer)
    expect(number).toBe(7)
    expect(ledger.fateOf(number)).toBe(fate)
  })
})

test('totals count requests by their fate, and attempts by their answer', () => {
  const ledger = createLedger(100)
  const [first, second, third] = [ledger.next(), ledger.next(), ledger.next()]
  ledger.next()
  ledger.note(first, answered(429, 1))
  ledger.note(first, answered(200))
  ledger.note(second, answered(503))
  ledger.note(third, unanswered)
  ledger.noteUnsent()
  expect(ledger.end()).toBe(104)
  expect(ledger.totals()).toEqual({
    requests: 4,
    accepted: 1,
    refused: 1,
    unknown: 2,
    unsent: 1,
    attempts: 4,
    answers: { '200': 1, '429': 1, '503': 1, 'timed out': 1 },
    backedOff: 2,
    withRetryAfter: 1,
  })
})

describe('The verdict', () => {
  const ledger = createLedger(0)
  for (const answer of [answered(200), answered(200), answered(429), unanswered]) {
    ledger.note(ledger.next(), answer)
  }
  const all = { rows: 10, spans: 10 }

  test('is good where all that was accepted is there once', async () => {
    const landed = [
      { number: 0, ...all },
      { number: 1, ...all },
    ]
    const good = { acceptedSpans: 20, lost: 0, doubled: 0, unpromised: 0 }
    expect(await judge(ledger, 10, landed)).toEqual(good)
  })

  test('finds what is missing, of a request and of all of one', async () => {
    expect((await judge(ledger, 10, [{ number: 1, rows: 7, spans: 7 }])).lost).toBe(13)
    expect((await judge(ledger, 10, [])).lost).toBe(20)
  })

  test('finds rows that are there twice, whoever sent them', async () => {
    const landed = [
      { number: 0, rows: 13, spans: 10 },
      { number: 1, ...all },
      { number: 3, rows: 20, spans: 10 },
    ]
    const verdict = { acceptedSpans: 20, lost: 0, doubled: 13, unpromised: 10 }
    expect(await judge(ledger, 10, landed)).toEqual(verdict)
  })

  test('lets no span too many of one request make up for another', async () => {
    const landed = [{ number: 0, rows: 12, spans: 12 }]
    expect((await judge(ledger, 10, landed)).lost).toBe(10)
  })

  test('of several phases is their sum', () => {
    const one = { acceptedSpans: 10, lost: 1, doubled: 2, unpromised: 3 }
    const sum = { acceptedSpans: 20, lost: 2, doubled: 4, unpromised: 6 }
    expect(sumVerdicts([one, one])).toEqual(sum)
  })
})
