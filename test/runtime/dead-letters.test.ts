import { expect, test } from 'vitest'
import { deadLetters } from '../../schemas/topics.ts'
import { deadLetterRecord, recordFrom } from '../../services/runtime/dead-letters.ts'
import { record } from '../support/memory.ts'

const chunk = {
  topic: 'spans',
  partition: 7,
  first: 40n,
  last: 50n,
  records: [],
  wasPending: false,
}

test.each([
  [4, 3],
  [8, 7],
  [1, 0],
])(
  'With %d partitions, a record made from one of partition 7 goes to partition %d',
  (partitions, to) => {
    const value = Buffer.from('batch')
    expect(recordFrom(chunk, record(42, 'x'), { partitions, value, part: 3 })).toEqual({
      partition: to,
      key: null,
      value,
      headers: { source: 'spans/7/42/3' },
    })
  },
)

const bad = (index: number) => ({
  index,
  reason: 'invalid_time',
  detail: 'no start',
  format: 'otlp_span_proto',
  payload: Buffer.from([0, 255, index]),
  tenant: 'acme',
})

test('All that was rejected of one record becomes one record of dead letters', () => {
  const input = record(42, 'input', { timeMs: 1_700_000_000_123.7 })
  const written = deadLetterRecord({ worker: 'ingest', partitions: 4 }, chunk, input, [
    bad(0),
    bad(5),
  ])
  expect(written).toMatchObject({ partition: 3, headers: { source: 'spans/7/42/0' } })
  expect(deadLetters.codec.decode(written.value)).toEqual(
    [bad(0), bad(5)].map((item) => ({
      ...item,
      time_unix_nano: 1_700_000_000_123_000_000n,
      worker: 'ingest',
      source: 'spans',
      partition: 7,
      offset: 42n,
    })),
  )
})
