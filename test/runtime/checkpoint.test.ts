import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  formatSource,
  parseSource,
} from '../../services/runtime/checkpoint.ts'

const SEED = { seed: 20_260_102 }
const MAX_OFFSET = 2n ** 63n - 1n
const offset = fc.bigInt(0n, MAX_OFFSET)
const part = fc.nat(10_000)
const source = fc
  .tuple(fc.stringMatching(/^[a-zA-Z0-9._-]{1,40}$/), fc.nat(1_000))
  .map(([topic, partition]) => `${topic}/${partition}`)

const checkpoint: fc.Arbitrary<Checkpoint> = fc
  .tuple(
    fc.array(fc.tuple(source, fc.record({ offset, part })), { maxLength: 20 }),
    fc.option(offset, { nil: undefined }),
    fc.option(offset, { nil: undefined }),
  )
  .map(([sources, pendingTo, rememberFrom]) => ({
    sources: new Map(sources),
    ...(pendingTo === undefined ? {} : { pendingTo }),
    ...(rememberFrom === undefined ? {} : { rememberFrom }),
  }))

test('A source position comes back from its text', () => {
  fc.assert(
    fc.property(fc.record({ source, offset, part }), (position) => {
      expect(parseSource(formatSource(position))).toEqual(position)
    }),
    SEED,
  )
})

test.each([
  '',
  'spans',
  'spans/1',
  'spans/1/2',
  '/1/2/3',
  'spans/a/2/3',
  'spans/1/-2/3',
  'spans/1/2/3/',
])('The text "%s" is no source position', (text) => {
  expect(parseSource(text)).toBeUndefined()
})

describe('A checkpoint', () => {
  test('comes back from its text', () => {
    fc.assert(
      fc.property(checkpoint, (before) => {
        expect(decodeCheckpoint(encodeCheckpoint(before))).toEqual(before)
      }),
      SEED,
    )
  })

  test('is empty where nothing was committed with the offset', () => {
    expect(decodeCheckpoint('')).toEqual({ sources: new Map() })
  })

  test('of 64 sources fits into the 4 KiB that Kafka takes, with the largest offsets', () => {
    const sources = new Map(
      Array.from({ length: 64 }, (_, i) => [
        `spans.enriched/${100 + i}`,
        { offset: MAX_OFFSET, part: 999 },
      ]),
    )
    const text = encodeCheckpoint({ sources, pendingTo: MAX_OFFSET, rememberFrom: MAX_OFFSET })
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_096)
    expect(decodeCheckpoint(text).sources.size).toBe(64)
  })

  test.each([
    'another tool',
    '{}',
    '{"v":2}',
    '{"v":1,"s":{"spans/0":"7"}}',
    '{"v":1,"p":"-1"}',
    '[]',
  ])('is not read from %s', (text) => {
    expect(() => decodeCheckpoint(text)).toThrow(Error)
  })
})
