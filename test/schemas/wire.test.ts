import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { batchBody, batchHeader, createCodec, type SchemaJson } from '../../schemas/codec.ts'
import { schemas, spans } from '../../schemas/topics.ts'
import { BatchWriter, readBlock } from '../../schemas/batch.ts'
import { createLayout } from '../../schemas/layout.ts'
import { AvroReader, AvroWriter, WireError } from '../../schemas/wire.ts'
import { anyText, avroRecord } from '../support/avro-values.ts'
import { spanBatch } from '../support/spans.ts'

const SEED = { seed: 20_260_102 }
const TWO_63 = 2n ** 63n
const MAX = Number.MAX_SAFE_INTEGER

const recordOf = (type: string) => ({ type: 'record', name: 'V', fields: [{ name: 'v', type }] })
const codecs = {
  long: createCodec<{ v: bigint }>(recordOf('long')),
  string: createCodec<{ v: string }>(recordOf('string')),
  double: createCodec<{ v: number }>(recordOf('double')),
  boolean: createCodec<{ v: boolean }>(recordOf('boolean')),
}

/** What avsc reads of one value that AvroWriter wrote. */
function readBack(type: keyof typeof codecs, write: (out: AvroWriter) => void): unknown {
  const codec = codecs[type]
  const batch = new BatchWriter(batchHeader(codec.fingerprint))
  write(batch.items)
  batch.count = 1
  return codec.decode(batch.finish())[0]?.v
}

const halves = (value: bigint) => [Number(value & 0xffff_ffffn), Number(value >> 32n)] as const

type Fields = Readonly<Record<string, unknown>>
const recordSchema = z.object({ fields: z.array(z.looseObject({ name: z.string() })) })

/** The schema of a record with but one field. */
function schemaOfOne(field: object): SchemaJson {
  const schema: SchemaJson = JSON.parse(
    JSON.stringify({ type: 'record', name: 'One', namespace: 'spanmeter', fields: [field] }),
  )
  return schema
}

/** The name of the error that a call throws, if it does. */
function errorOf(call: () => void): string | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.name : String(error)
  }
}

/** The bytes that avsc writes for one long. */
const avscLong = (v: bigint): Buffer => batchBody(codecs.long.encode([{ v }])).subarray(1, -1)

const edges = [0, 1, 63, 64, 8191, 8192, 2 ** 28, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 52, MAX]

describe('What AvroWriter writes is what avsc reads', () => {
  test.each([...edges, ...edges.map((value) => -value)])('the long %d', (value) => {
    expect(readBack('long', (out) => out.long(value))).toBe(BigInt(value))
  })

  test('every safe integer as a long', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        expect(readBack('long', (out) => out.long(value))).toBe(BigInt(value))
      }),
      { ...SEED, numRuns: 2_000 },
    )
  })

  test('every long from 0 to 2^63 - 1, given as halves', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, TWO_63 - 1n), (value) => {
        expect(readBack('long', (out) => out.long64(...halves(value)))).toBe(value)
      }),
      { ...SEED, numRuns: 2_000, examples: [[0n], [2n ** 31n], [2n ** 32n], [TWO_63 - 1n]] },
    )
  })

  test('every string, given as text or as bytes', () => {
    fc.assert(
      fc.property(anyText, fc.nat(3), (text, before) => {
        const bytes = Buffer.from(`${'x'.repeat(before)}${text}y`)
        expect(readBack('string', (out) => out.string(text))).toBe(text)
        expect(readBack('string', (out) => out.stringFrom(bytes, before, bytes.length - 1))).toBe(
          text,
        )
      }),
      { ...SEED, numRuns: 1_000 },
    )
  })

  test.each([39, 40, 41, 100_000])('a string of %d bytes, given as bytes', (length) => {
    const text = 'a'.repeat(length - 2) + 'é'
    expect(readBack('string', (out) => out.stringFrom(Buffer.from(text), 0, length))).toBe(text)
  })

  test('bytes that are not UTF-8 as U+FFFD', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (array) => {
        const bytes = Buffer.from(array)
        const text = readBack('string', (out) => out.stringFrom(bytes, 0, bytes.length))
        expect(text).toBe(bytes.toString('utf8'))
      }),
      { ...SEED, numRuns: 1_000, examples: [[Buffer.from([0xff])], [Buffer.alloc(50, 0xc3)]] },
    )
  })

  test('a half surrogate as U+FFFD', () => {
    expect(readBack('string', (out) => out.string('a\ud800b'))).toBe('a\ufffdb')
  })

  test('every double and both booleans', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        expect(readBack('double', (out) => out.double(value))).toBe(value)
      }),
      SEED,
    )
    expect(readBack('boolean', (out) => out.boolean(true))).toBe(true)
    expect(readBack('boolean', (out) => out.boolean(false))).toBe(false)
  })

  test('a buffer that grows keeps what it holds', () => {
    const out = new AvroWriter(1)
    for (let i = 0; i < 1_000; i++) out.string(String(i))
    const reader = new AvroReader(out.buffer.subarray(0, out.length))
    for (let i = 0; i < 1_000; i++) expect(reader.string()).toBe(String(i))
    expect(reader.position).toBe(out.length)
  })
})

describe('What avsc writes AvroReader reads', () => {
  test('every long that a double holds', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const reader = new AvroReader(avscLong(BigInt(value)))
        expect(reader.long()).toBe(value)
        expect(reader.position).toBe(reader.buffer.length)
      }),
      {
        ...SEED,
        numRuns: 2_000,
        examples: [...edges, ...edges.map((x) => -x || 0)].map((x) => [x]),
      },
    )
  })

  test('every long steps over as many bytes as it has', () => {
    fc.assert(
      fc.property(fc.bigInt(-TWO_63, TWO_63 - 1n), (value) => {
        const reader = new AvroReader(avscLong(value))
        reader.skipLong()
        expect(reader.position).toBe(reader.buffer.length)
      }),
      SEED,
    )
  })

  test('a nullable long as null or as the long', () => {
    expect(new AvroReader(Buffer.from([0])).nullableLong()).toBeNull()
    expect(new AvroReader(Buffer.from([2, 84])).nullableLong()).toBe(42)
  })

  test('blocks with and without their size in bytes', () => {
    // Two blocks of longs: 3 and 4 with a size of 2 bytes, then 5 without.
    const reader = new AvroReader(Buffer.from([3, 4, 6, 8, 2, 10, 0]))
    let items = 0
    reader.skipBlocks(() => {
      reader.skipLong()
      items++
    })
    expect([reader.position, items]).toEqual([7, 3])
  })

  test.each([
    ['of an array', { type: 'array', items: 'string' }],
    ['of a map', { type: 'map', values: 'string' }],
  ])('a block %s that holds more items than its bytes is none', (_, type) => {
    // 2^40 items in no bytes: who decodes them would be busy for hours.
    const block = new AvroWriter(20)
    block.long(-(2 ** 40))
    block.long(0)
    block.long(0)
    const layout = createLayout({ type: 'record', name: 'R', fields: [{ name: 'field', type }] })
    const reader = new AvroReader(block.buffer.subarray(0, block.length))
    expect(() => layout.locate(reader, new Uint32Array(1))).toThrow(WireError)
  })
})

describe('BatchWriter writes what the codec writes', () => {
  test.each([0, 1, 2, 63, 64, 65, 10_000])(
    'for %d items, and again when it is used again',
    (count) => {
      const items = Array.from({ length: count }, (_, i) => ({ v: `item ${i}` }))
      const batch = new BatchWriter(batchHeader(codecs.string.fingerprint))
      for (const _ of [1, 2]) {
        for (const { v } of items) {
          batch.items.string(v)
          batch.count++
        }
        expect(batch.finish()).toEqual(codecs.string.encode(items))
      }
    },
  )

  test('and says how many bytes the items take', () => {
    const batch = new BatchWriter(batchHeader(codecs.string.fingerprint))
    expect(batch.bytes).toBe(0)
    batch.items.string('abc')
    expect(batch.bytes).toBe(4)
    batch.reset()
    expect(batch.bytes).toBe(0)
  })
})

describe('The block of a batch', () => {
  test.each([0, 1, 100])('of %d items is found', (count) => {
    const items = Array.from({ length: count }, () => ({ v: 'ab' }))
    const block = readBlock(batchBody(codecs.string.encode(items)))
    expect([block.count, block.end - block.start]).toEqual([count, count * 3])
  })

  test.each([
    ['a block with its size', [1, 2, 0, 0]],
    ['no zero at the end', [2, 2, 97]],
    ['nothing', []],
  ])('is refused: %s', (_, bytes) => {
    expect(() => readBlock(Buffer.from(bytes))).toThrow(WireError)
  })
})

describe.each([
  ['span.avsc', schemas.span],
  ['enriched-span.avsc', schemas.enrichedSpan],
])('The layout of %s', (_, schema) => {
  const layout = createLayout(schema)
  const codec = createCodec<Fields>(schema)
  const fields = recordSchema.parse(schema).fields.map((field) => ({
    name: field.name,
    codec: createCodec<Fields>(schemaOfOne(field)),
  }))

  test('finds the bytes of each field', () => {
    fc.assert(
      fc.property(fc.array(avroRecord(schema), { minLength: 1, maxLength: 3 }), (items) => {
        const body = batchBody(codec.encode(items))
        const { start, end } = readBlock(body)
        const reader = new AvroReader(body, start)
        const starts = new Uint32Array(layout.names.length)
        for (const item of items) {
          layout.locate(reader, starts)
          for (const [i, field] of fields.entries()) {
            const bytes = body.subarray(starts[i], starts[i + 1] ?? reader.position)
            const alone = batchBody(field.codec.encode([{ [field.name]: item[field.name] }]))
            expect([field.name, bytes.toString('hex')]).toEqual([
              field.name,
              alone.toString('hex', 1, alone.length - 1),
            ])
          }
        }
        expect(reader.position).toBe(end)
      }),
      { ...SEED, numRuns: 100 },
    )
  })
})

describe('Bytes that are cut off or wrong', () => {
  const batch = batchBody(
    spanBatch(
      { name: 'é'.repeat(30), attributes: { a: 'b' }, input_tokens: 2n ** 40n, temperature: 0.5 },
      { events: [{ time_unix_nano: 1n, name: 'e', attributes: { k: 'v' } }], streaming: true },
    ),
  )
  const layout = createLayout(schemas.span)
  const starts = new Uint32Array(layout.names.length)
  const walk = (bytes: Buffer) => {
    const reader = new AvroReader(bytes)
    const count = reader.long()
    for (let i = 0; i < count; i++) layout.locate(reader, starts)
  }

  test('a batch that is whole is walked to its end', () => {
    expect(() => walk(batch)).not.toThrow()
    expect(spans.codec.decode(spanBatch({}, {}))).toHaveLength(2)
  })

  test('a cut at any byte throws WireError', () => {
    for (let cut = 0; cut < batch.length - 1; cut++) {
      expect(() => walk(batch.subarray(0, cut)), `cut at ${cut}`).toThrow(WireError)
    }
  })

  test('random bytes throw WireError or are read; nothing hangs', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (array) => {
        const reader = new AvroReader(Buffer.from(array))
        expect(errorOf(() => layout.locate(reader, starts))).toBeOneOf([undefined, 'WireError'])
      }),
      { ...SEED, numRuns: 3_000, examples: [[Buffer.alloc(300, 0xff)], [Buffer.alloc(300, 0x80)]] },
    )
  })

  test.each([
    ['a string that is longer than the bytes', [0x80, 0x80, 0x80, 0x80, 0x10]],
    ['a string of negative length', [1]],
    ['a length of a hundred digits', Buffer.alloc(300, 0xff)],
  ])('%s throws WireError', (_, bytes) => {
    expect(() => new AvroReader(Buffer.from(bytes)).string()).toThrow(WireError)
    expect(() => new AvroReader(Buffer.from(bytes)).skipString()).toThrow(WireError)
  })
})

test('A branch that a union does not have is not stepped over by a layout', () => {
  const fields = [{ name: 'field', type: ['null', 'long'] }]
  const layout = createLayout({ type: 'record', name: 'R', fields })
  const starts = new Uint32Array(1)
  const read = (...bytes: number[]) => layout.locate(new AvroReader(Buffer.from(bytes)), starts)
  read(0)
  read(2, 8)
  for (const branch of [4, 1, 118]) expect(() => read(branch, 8)).toThrow(WireError)
})

test.each([
  ['a string', 'string', [1]],
  ['a key of a map', { type: 'map', values: 'string' }, [2, 1, 0, 0]],
])('%s of negative length is not stepped over by a layout', (_, type, bytes) => {
  const layout = createLayout({ type: 'record', name: 'R', fields: [{ name: 'field', type }] })
  const reader = new AvroReader(Buffer.from(bytes))
  expect(() => layout.locate(reader, new Uint32Array(1))).toThrow(WireError)
})

test('A schema with a type that is not used here has no layout', () => {
  expect(() => createLayout(recordOf('float'))).toThrow('no layout for the Avro type "float"')
  expect(() => createLayout('string')).toThrow('not a record schema')
})
