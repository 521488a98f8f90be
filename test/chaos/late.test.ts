import { expect, test } from 'vitest'
import { otlpRequest } from '../support/otlp-proto.ts'
import { lateSpans } from './late.ts'

const taken = (takenMs: number, spans: number) => ({
  atMs: 0,
  via: 'http' as const,
  of: 'spans' as const,
  body: otlpRequest({ spans: Array.from({ length: spans }, () => ({})) }),
  takenMs,
})
const seen = (atMs: number, landed: number) => ({ atMs, landed, aggregates: 0 })

test('spans that land more than a minute after they were taken are late', () => {
  const accepted = [taken(0, 3), taken(1_000, 2), taken(2_000, 4)]
  const progress = [seen(500, 3), seen(60_900, 3), seen(61_100, 5), seen(61_900, 9)]
  expect(lateSpans(accepted, progress)).toBe(2)
})

test('what was sent twice landed once', () => {
  const first = taken(0, 3)
  const again = { ...first, takenMs: 100 }
  expect(lateSpans([again, first, taken(200, 1)], [seen(300, 4)])).toBe(0)
})
