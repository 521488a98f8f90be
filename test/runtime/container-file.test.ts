import avro from 'avsc'
import { describe, expect, test } from 'vitest'
import { BatchError, createCodec } from '../../schemas/codec.ts'
import { enrichedSpans, spans } from '../../schemas/topics.ts'
import { WireError } from '../../schemas/wire.ts'
import { containerFile } from '#runtime/container-file.ts'
import { spanBatch } from '../support/spans.ts'

const schema = (...fields: readonly object[]) => ({ type: 'record', name: 'Item', fields })
const id = { name: 'id', type: 'int' }
const text = { name: 'text', type: 'string', default: 'none' }
const older = schema(id)
const codec = createCodec<{ id: number; text: string }>(schema(id, text), [older])

/** The items of a container file, and its schema, as avsc reads them. */
async function readFile(parts: readonly Buffer[]): Promise<{ items: unknown[]; schema: unknown }> {
  const decoder = new avro.streams.BlockDecoder()
  let found: unknown
  decoder.on('metadata', (type: avro.Type) => {
    found = type.schema({ exportAttrs: true })
  })
  decoder.end(Buffer.concat(parts))
  const items: unknown[] = []
  for await (const item of decoder) items.push(item)
  return { items: items.map((item) => ({ ...Object(item) })), schema: found }
}

describe('A container file', () => {
  test.each([
    ['no batch', []],
    ['an empty batch', [0]],
    ['a batch', [3]],
    ['batches, some of them empty', [0, 1, 0, 500, 2, 0]],
  ])('of %s holds the items that avsc reads', async (_, sizes) => {
    const batches = sizes.map((size, batch) =>
      Array.from({ length: size }, (__, i) => ({ id: i, text: `${batch}-${i}` })),
    )
    const file = containerFile(
      codec,
      batches.map((items) => codec.encode(items)),
    )
    expect((await readFile(file)).items).toEqual(batches.flat())
  })

  test('holds batches of an older schema as ones of the newest', async () => {
    const old = createCodec<{ id: number }>(older).encode([{ id: 7 }])
    const file = containerFile(codec, [old, codec.encode([{ id: 8, text: 'new' }])])
    expect((await readFile(file)).items).toEqual([
      { id: 7, text: 'none' },
      { id: 8, text: 'new' },
    ])
  })

  test('carries the schema with names and defaults', async () => {
    const file = containerFile(codec, [codec.encode([])])
    expect((await readFile(file)).schema).toMatchObject(schema(id, text))
    expect(file[0]?.toString('latin1', 0, 4)).toBe('Obj\u0001')
  })

  test('is the same whenever it is made', () => {
    const batches = [codec.encode([{ id: 1, text: 'a' }])]
    expect(containerFile(codec, batches)).toEqual(containerFile(codec, batches))
  })

  test('is made of what the pipeline writes', async () => {
    const file = containerFile(spans.codec, [
      spanBatch({ name: 'a' }),
      spanBatch({ name: 'b' }, {}),
    ])
    const { items } = await readFile(file)
    expect(items).toMatchObject([{ name: 'a' }, { name: 'b' }, { name: '' }])
  })

  test.each([
    ['bytes that are no batch', Buffer.from('hello, sink'), BatchError],
    ['a batch of another schema', enrichedSpans.codec.encode([]), BatchError],
    ['a batch without its end', codec.encode([{ id: 1, text: 'a' }]).subarray(0, -1), WireError],
  ])('is not made of %s', (_, batch, error) => {
    expect(() => containerFile(codec, [codec.encode([]), batch])).toThrow(error)
  })
})
