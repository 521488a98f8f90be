import { expect, test } from 'vitest'
import type { DeadLetter } from '../../schemas/items.ts'
import { deadLetters } from '../../schemas/topics.ts'
import { createFold } from '../../services/alert/fold.ts'
import type { SeriesSpec } from '../../services/alert/series.ts'

const letter = (seconds: bigint, fields: Partial<DeadLetter> = {}): DeadLetter => ({
  time_unix_nano: seconds * 1_000_000_000n,
  worker: 'ingest',
  source: 'otlp_http',
  partition: -1,
  offset: -1n,
  index: -1,
  reason: 'invalid_trace_id',
  detail: '',
  format: 'otlp_proto',
  payload: Buffer.alloc(0),
  tenant: '',
  ...fields,
})

const LETTERS: SeriesSpec = {
  id: 'letters',
  source: 'dead_letters',
  where: [{ dimension: 'source', values: ['otlp_http'], isNegated: false }],
  by: ['worker', 'reason'],
  keyLength: 0,
  bad: { matches: [{ dimension: 'format', values: ['avro'], isNegated: false }] },
  hasBins: false,
  bucketMs: 60_000,
  retainMs: 3_600_000,
  maxGroups: 10,
}

test('Dead letters are counted when they were refused, by what they tell', () => {
  const fold = createFold([LETTERS], 'dead_letters')
  const letters = [
    letter(59n),
    letter(60n),
    letter(61n, { format: 'avro' }),
    letter(62n, { reason: 'too_large' }),
    letter(200n, { source: 'spans' }),
  ]
  fold.add(deadLetters.codec.encode(letters))
  const nothing = {
    series: 'letters',
    bad: 0,
    high: 0,
    low: 0,
    bins: [],
    traceId: '',
    traceValue: 0,
  }
  const invalid = 'ingest\u001Finvalid_trace_id'
  expect(fold.drain()).toEqual({
    deltas: [
      { ...nothing, group: invalid, bucket: 0, count: 1 },
      { ...nothing, group: invalid, bucket: 1, count: 2, bad: 1 },
      { ...nothing, group: 'ingest\u001Ftoo_large', bucket: 1, count: 1 },
    ],
    records: 5,
    maxEventMs: 200_000,
  })
})
