import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batchHeader } from '../../schemas/codec.ts'
import { enrichedSpans } from '../../schemas/topics.ts'
import { AvroWriter, WireError } from '../../schemas/wire.ts'
import { createFold } from '../../services/alert/fold.ts'
import type { Delta, SeriesSpec, ValueField } from '../../services/alert/series.ts'
import type { Decoded } from '../support/spans.ts'
import { anySpan, encodeSpans } from './fold-items.ts'

const SECOND = 1_000_000_000n
const [SOME = {}] = fc.sample(anySpan, { seed: 1, numRuns: 1 })
const SPAN: Decoded = {
  ...SOME,
  start_time_unix_nano: 600n * SECOND,
  duration_nano: 2n * SECOND,
  received_time_unix_nano: 603n * SECOND,
  price_status: 'priced',
  input_tokens: 10n,
  output_tokens: 5n,
  cost_pico_usd: 7n,
  time_to_first_token_nano: 3n,
  trace_id: 'trace',
}

const SERIES: SeriesSpec = {
  id: 'series',
  source: 'spans',
  where: [],
  by: [],
  keyLength: 0,
  hasBins: false,
  bucketMs: 1_000,
  retainMs: 3_600_000,
  maxGroups: 10,
}

function deltaOf(series: Partial<SeriesSpec>, span: Decoded): Delta | undefined {
  const fold = createFold([{ ...SERIES, ...series }], 'spans')
  fold.add(encodeSpans([{ ...SPAN, ...span }]))
  return fold.drain().deltas[0]
}

/** A value of a span, or undefined where it does not count. */
function valueOf(value: ValueField, span: Decoded): bigint | undefined {
  const delta = deltaOf({ value }, span)
  return delta && BigInt(delta.high) * SECOND + BigInt(delta.low)
}

describe('The value of a span', () => {
  test.each<[ValueField, Decoded, bigint | undefined]>([
    ['cost', {}, 7n],
    ['cost', { cost_pico_usd: null }, undefined],
    ['cost', { cost_pico_usd: 0n }, 0n],
    ['cost', { cost_pico_usd: 2n ** 63n - 1n }, 2n ** 63n - 1n],
    ['duration', {}, 2n * SECOND],
    ['duration', { duration_nano: 0n }, 0n],
    ['ttft', {}, 3n],
    ['ttft', { time_to_first_token_nano: null }, undefined],
    ['tokens', {}, 15n],
    ['tokens', { input_tokens: null }, 5n],
    ['tokens', { output_tokens: null }, 10n],
    ['tokens', { input_tokens: null, output_tokens: null }, undefined],
    ['tokens', { price_status: 'nested' }, undefined],
    ['tokens', { price_status: 'unpriced' }, 15n],
    ['input_tokens', {}, 10n],
    ['input_tokens', { price_status: 'not_applicable' }, undefined],
    ['output_tokens', {}, 5n],
    ['output_tokens', { output_tokens: null }, undefined],
    ['skew', {}, 0n],
    ['skew', { received_time_unix_nano: 602n * SECOND }, 0n],
    ['skew', { received_time_unix_nano: 602n * SECOND - 1n }, 1n],
    ['skew', { duration_nano: 4_000n * SECOND }, 3_997n * SECOND],
    ['score', {}, undefined],
    ['gauge', {}, undefined],
  ])('%s of %o is %s', (field, span, value) => {
    expect(valueOf(field, span)).toBe(value)
  })
})

describe('The event time of a span', () => {
  test.each<[string, Decoded, number]>([
    ['is its end', {}, 602],
    ['is its end to the nanosecond', { duration_nano: 2n * SECOND - 1n }, 601],
    ['is when it came where it ends with that', { duration_nano: 3n * SECOND }, 603],
    ['is no later than when it came', { duration_nano: 5n * SECOND }, 603],
    ['is that for ever', { duration_nano: 2n ** 62n }, 603],
  ])('%s', (_, span, second) => {
    expect(deltaOf({}, span)?.bucket).toBe(second)
  })
})

const groupOf = (dimension: string, span: Decoded) => deltaOf({ by: [dimension] }, span)?.group

describe('The dimension of a span', () => {
  test('model is the one that was asked for, else the one that answered', () => {
    const models = { request_model: 'asked', response_model: 'answered' }
    expect(groupOf('model', models)).toBe('asked')
    expect(groupOf('model', { ...models, request_model: '' })).toBe('answered')
    expect(groupOf('model', { request_model: '', response_model: '' })).toBe('')
  })

  test('may be an attribute of it, or of its resource', () => {
    const long = 'x'.repeat(70)
    const maps = {
      attributes: { key: 'a', [long]: long },
      resource_attributes: { 'host.name': 'h' },
    }
    expect(groupOf('attributes.key', maps)).toBe('a')
    expect(groupOf(`attributes.${long}`, maps)).toBe(long)
    expect(groupOf('attributes.ke', maps)).toBe('')
    expect(groupOf('resource.host.name', maps)).toBe('h')
    expect(groupOf('resource.key', maps)).toBe('')
  })

  test.each(['', 'colour', 'attributes.', 'resource.', 'cost_pico_usd', 'flags', 'Tenant'])(
    'is not %o',
    (dimension) => {
      expect(() => groupOf(dimension, {})).toThrow('a span has no dimension')
    },
  )
})

describe('The bytes of a span', () => {
  const whole = encodeSpans([SPAN])

  /** Adds the span's bytes with those of one field changed. */
  function addWith(
    field: string,
    bytes: readonly number[],
    series: Partial<SeriesSpec> = {},
  ): void {
    const [before, after] = [1n, 2n].map((mark) => encodeSpans([{ ...SPAN, [field]: mark }]))
    const at = [...whole.keys()].find((index) => before?.[index] !== after?.[index]) ?? 0
    const fold = createFold([{ ...SERIES, ...series }], 'spans')
    const changed = [whole.subarray(0, at), Buffer.from(bytes)]
    fold.add(Buffer.concat([...changed, (before ?? whole).subarray(at + 1)]))
    expect(fold.drain().records).toBe(1)
  }
  const ELEVEN = [...Array.from({ length: 10 }, () => 0x80), 0]

  test('are refused with a number that is longer than one of 64 bits', () => {
    addWith('duration_nano', [2])
    expect(() => addWith('duration_nano', ELEVEN)).toThrow(WireError)
    addWith('cost_pico_usd', [2])
    expect(() => addWith('cost_pico_usd', ELEVEN)).toThrow(WireError)
  })

  test('are refused with a map in blocks that tell their size, where it is looked into', () => {
    const empty = {
      attributes: {},
      resource_attributes: {},
      prompt: '',
      completion: '',
      content: {},
    }
    const span = encodeSpans([{ ...SPAN, ...empty, cost_pico_usd: null, price_flags: [] }])
    const marked = encodeSpans([
      { ...SPAN, ...empty, attributes: { k: '' }, cost_pico_usd: null, price_flags: [] },
    ])
    const at = [...span.keys()].find((index) => span[index] !== marked[index]) ?? 0
    const sized = new AvroWriter(8)
    sized.long(-1)
    sized.long(3)
    const block = [...sized.buffer.subarray(0, sized.length), 2, 'k'.charCodeAt(0), 0]
    const batch = Buffer.concat([span.subarray(0, at), Buffer.from(block), span.subarray(at)])
    expect(batch.subarray(0, 10)).toEqual(batchHeader(enrichedSpans.codec.fingerprint))
    expect(enrichedSpans.codec.decode(batch)).toMatchObject([{ attributes: { k: '' } }])
    createFold([SERIES], 'spans').add(batch)
    const byAttribute = createFold([{ ...SERIES, by: ['attributes.k'] }], 'spans')
    expect(() => byAttribute.add(batch)).toThrow('a map is blocks without their sizes')
    expect(byAttribute.drain().records).toBe(0)
  })
})
