import { expect, test } from 'vitest'
import { createRequestMaker, numberText } from '../../bench/load-requests.ts'
import { parseConfig } from '../../services/ingest/config.ts'
import { createTranscoder } from '../../services/ingest/transcode.ts'
import { spans as spansTopic } from '../../schemas/topics.ts'

const AT_MS = 1_790_000_000_000
const LONGEST_CALL_MS = 9_000
const NANO_PER_MS = 1e6
const maker = createRequestMaker(20, 1)
const { conventions, transcode: limits } = parseConfig({})
const transcode = createTranscoder(conventions, limits)

/** The spans of a request as ingest reads them. */
function spansOf(body: Buffer) {
  const { batches, rejected } = transcode(body, AT_MS)
  expect(rejected).toEqual([])
  return batches.flatMap((batch) => spansTopic.codec.decode(batch))
}

test('the same number and time make the same bytes', () => {
  expect(maker.make(70, AT_MS)).toEqual(maker.make(70, AT_MS))
})

test('every span of a request carries its number, and no two requests share one', () => {
  const numbers = [0, 6, 70, 134, 2 ** 32 - 1]
  const all = numbers.flatMap((number) => {
    const spans = spansOf(maker.make(number, AT_MS))
    expect(spans).toHaveLength(20)
    for (const span of spans) expect(String(span['trace_id']).slice(0, 8)).toBe(numberText(number))
    return spans.map((span) => [span['trace_id'], span['span_id']].join('/'))
  })
  expect(new Set(all).size).toBe(numbers.length * 20)
})

test('all calls of a request have just ended', () => {
  const ends = spansOf(maker.make(5, AT_MS)).map(
    (span) => (Number(span['start_time_unix_nano']) + Number(span['duration_nano'])) / NANO_PER_MS,
  )
  expect(Math.max(...ends)).toBeCloseTo(AT_MS, 0)
  expect(Math.min(...ends)).toBeGreaterThan(AT_MS - LONGEST_CALL_MS - 1_000)
})

test('a number that does not fit is refused', () => {
  expect(() => maker.make(2 ** 32, AT_MS)).toThrow(RangeError)
})
