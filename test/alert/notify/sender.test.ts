import { describe, expect, test } from 'vitest'
import { judge } from '../../../services/alert/notify/sender.ts'
import { answerOf, firstTry, NOON_MS } from './samples.ts'

const again = { type: 'again', afterMs: 0, isUnknown: false }

describe('An answer', () => {
  test.each([
    [200, { type: 'delivered', status: 200 }],
    [202, { type: 'delivered', status: 202 }],
    [204, { type: 'delivered', status: 204 }],
    [301, { type: 'failed', status: 301, detail: 'HTTP 301: redirects are not followed' }],
    [307, { type: 'failed', status: 307, detail: 'HTTP 307: redirects are not followed' }],
    [400, { type: 'failed', status: 400, detail: 'HTTP 400: why' }],
    [401, { type: 'failed', status: 401, detail: 'HTTP 401: why' }],
    [404, { type: 'failed', status: 404, detail: 'HTTP 404: why' }],
    [408, { type: 'failed', status: 408, detail: 'HTTP 408: why' }],
    [429, { ...again, status: 429, detail: 'HTTP 429: why' }],
    [500, { ...again, status: 500, detail: 'HTTP 500: why' }],
    [502, { ...again, status: 502, detail: 'HTTP 502: why' }],
    [503, { ...again, status: 503, detail: 'HTTP 503: why' }],
    [504, { ...again, status: 504, detail: 'HTTP 504: why', isUnknown: true }],
  ])('with status %i', (status, expected) => {
    expect(judge(answerOf(status, 'why'), firstTry())).toEqual(expected)
  })

  test.each([
    ['3', 3_000],
    [' 120 ', 120_000],
    ['0', 0],
    ['Sun, 01 Mar 2026 12:02:00 GMT', 60_000],
    ['Sun, 01 Mar 2026 11:00:00 GMT', 0],
    ['soon', 0],
    ['-5', 0],
  ])('that asks to come again after "%s"', (retryAfter, afterMs) => {
    const attempt = firstTry({ nowMs: NOON_MS + 60_000 })
    expect(judge(answerOf(503, '', retryAfter), attempt)).toMatchObject({ afterMs })
  })

  test('is quoted in one short line', () => {
    const body = `<html>\r\n\t<b>No\u0000 way</b> ${'x'.repeat(500)}`
    const sent = judge(answerOf(400, body), firstTry())
    const detail = sent.type === 'failed' ? sent.detail : ''
    expect(detail).toMatch(/^HTTP 400: <html> <b>No way<\/b> x+$/)
    expect(detail.length).toBeLessThan(250)
  })
})

describe('No answer', () => {
  test.each([
    [false, false, false],
    [true, false, true],
    [false, true, true],
    [true, true, true],
  ])(
    'where sent is %s, and one may have arrived before is %s',
    (isSent, mayHaveArrived, isUnknown) => {
      const sent = judge({ type: 'lost', detail: 'reset', isSent }, firstTry({ mayHaveArrived }))
      expect(sent).toEqual({ type: 'again', status: 0, detail: 'reset', afterMs: 0, isUnknown })
    },
  )

  test('is tried again after a server error as unknown as it was', () => {
    expect(judge(answerOf(500), firstTry({ mayHaveArrived: true }))).toMatchObject({
      isUnknown: true,
    })
  })

  test('where the address may not be talked to', () => {
    const sent = judge({ type: 'refused', detail: 'private' }, firstTry())
    expect(sent).toEqual({ type: 'refused', status: 0, detail: 'private' })
  })
})
