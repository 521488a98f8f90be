import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  batchBody,
  BatchError,
  batchFingerprint,
  batchHeader,
  createCodec,
  rabin,
} from '../../schemas/codec.ts'
import { schemas } from '../../schemas/topics.ts'
import { avroRecord } from '../support/avro-values.ts'

const SEED = { seed: 20_260_102 }
type Fields = Readonly<Record<string, unknown>>

const id = { name: 'id', type: 'long' }
const text = { name: 'text', type: 'string', default: 'none' }
const schema = (...fields: readonly unknown[]) => ({ type: 'record', name: 'Item', fields })
const newest = schema(id, text)

test.each([
  ['"int"', '7275d51a3f395c8f'],
  ['"string"', '8f014872634503c7'],
  ['"long"', 'd054e14493f41db7'],
  ['"null"', '63dd24e7cc258f8a'],
  ['', 'c15d213aa4d7a795'],
])('The Rabin fingerprint of %s is %s, as in the test suite of Avro', (canonical, hex) => {
  expect(rabin(Buffer.from(canonical)).toString(16).padStart(16, '0')).toBe(hex)
})

test('The fingerprint is that of the parsing canonical form: without docs, defaults and namespaces', () => {
  const event = { type: 'record', name: 'Event', fields: [{ name: 'at', type: 'long', doc: 'x' }] }
  const codec = createCodec({
    doc: 'about it',
    namespace: 'a.b',
    fields: [{ default: [], type: { items: event, type: 'array' }, name: 'events', doc: 'y' }],
    name: 'Item',
    type: 'record',
  })
  const canonical =
    '{"name":"a.b.Item","type":"record","fields":[{"name":"events","type":{"type":"array","items":' +
    '{"name":"a.b.Event","type":"record","fields":[{"name":"at","type":"long"}]}}}]}'
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(rabin(Buffer.from(canonical)))
  expect(codec.fingerprint).toBe(bytes.toString('hex'))
})

test('A batch opens with C3 01 and the fingerprint, then one block of items', () => {
  const codec = createCodec<Fields>(newest)
  const batch = codec.encode([{ id: 21n, text: 'hi' }])
  expect(batch.toString('hex')).toBe(`c301${codec.fingerprint}022a04686900`)
  expect(batchFingerprint(batch)).toBe(codec.fingerprint)
  expect(batchHeader(codec.fingerprint)).toEqual(batch.subarray(0, 10))
  expect(batchBody(batch)).toEqual(batch.subarray(10))
})

test.each([
  ['span', schemas.span],
  ['enriched span', schemas.enrichedSpan],
  ['dead letter', schemas.deadLetter],
])('Every %s comes back as it went in', (_, avsc) => {
  const codec = createCodec<Fields>(avsc)
  fc.assert(
    fc.property(fc.array(avroRecord(avsc), { maxLength: 3 }), (items) => {
      expect(codec.decode(codec.encode(items)).map((item) => ({ ...item }))).toEqual(items)
    }),
    { ...SEED, numRuns: 60 },
  )
})

test.each([-(2n ** 63n), -1n, 2n ** 53n + 1n, 2n ** 63n - 1n])('The long %d is exact', (value) => {
  const codec = createCodec<Fields>(schema(id))
  expect(codec.decode(codec.encode([{ id: value }]))).toEqual([{ id: value }])
})

describe('Batches of an older schema', () => {
  const shorter = schema(id)
  const longer = schema(id, { name: 'gone', type: 'string' }, text)
  const codec = createCodec<Fields>(newest, [shorter, longer])

  test('get the default of a field that they lack', () => {
    const old = createCodec<Fields>(shorter).encode([{ id: 1n }, { id: 2n }])
    expect(codec.decode(old).map((item) => ({ ...item }))).toEqual([
      { id: 1n, text: 'none' },
      { id: 2n, text: 'none' },
    ])
  })

  test('lose a field that is no more', () => {
    const old = createCodec<Fields>(longer).encode([{ id: 1n, gone: 'x', text: 'y' }])
    expect(codec.decode(old).map((item) => ({ ...item }))).toEqual([{ id: 1n, text: 'y' }])
  })

  test('do not change the fingerprint that is written', () => {
    expect(codec.fingerprint).toBe(createCodec(newest).fingerprint)
    expect(batchFingerprint(codec.encode([]))).toBe(codec.fingerprint)
  })

  test('have their schema by fingerprint', () => {
    expect(codec.schemaOf(createCodec(shorter).fingerprint)).toBe(JSON.stringify(shorter))
    expect(codec.schemaOf(codec.fingerprint)).toBe(JSON.stringify(newest))
    expect(codec.schemaOf('0000000000000000')).toBeUndefined()
  })
})

describe('What is no batch throws BatchError', () => {
  const codec = createCodec<Fields>(newest)
  const batch = codec.encode([
    { id: 1n, text: 'one' },
    { id: 2n, text: 'two' },
  ])
  const header = batch.subarray(0, 10)

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a header alone', header],
    ['another magic', Buffer.concat([Buffer.from([0xc3, 0x02]), batch.subarray(2)])],
    ['JSON', Buffer.from('{"id":1,"text":"one"}')],
    ['an unknown fingerprint', Buffer.concat([batchHeader('0123456789abcdef'), batchBody(batch)])],
    ['a byte too many', Buffer.concat([batch, Buffer.from([0])])],
  ])('%s', (_, bytes) => {
    expect(() => codec.decode(bytes)).toThrow(BatchError)
  })

  test('a cut at any byte', () => {
    for (let cut = 0; cut < batch.length; cut++) {
      expect(() => codec.decode(batch.subarray(0, cut)), `cut at ${cut}`).toThrow(BatchError)
    }
  })

  // A count of 2^26 - 1, then what ends a batch.
  const trillions = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f, 0])
  const attributes = { name: 'attributes', type: { type: 'map', values: 'string' } }
  const mapped = createCodec<Fields>(schema(attributes))
  const mappedHeader = batchHeader(mapped.fingerprint)

  test.each([
    ['items', codec, Buffer.concat([header, trillions])],
    ['entries of a map', mapped, Buffer.concat([mappedHeader, Buffer.from([2]), trillions])],
  ])(
    // Read one by one they would take days.
    'a count of %s that the bytes cannot hold',
    (_, reader, bytes) => {
      expect(() => reader.decode(bytes)).toThrow(BatchError)
    },
  )

  test('with the unknown fingerprint in its message', () => {
    const unknown = Buffer.concat([batchHeader('0123456789abcdef'), Buffer.from([0])])
    expect(() => codec.decode(unknown)).toThrow('0123456789abcdef')
  })
})
