import * as fc from 'fast-check'
import { z } from 'zod'

const fieldsOf = z.object({
  type: z.literal('record'),
  fields: z.array(z.object({ name: z.string(), type: z.unknown() })),
})
const mapOf = z.object({ type: z.literal('map'), values: z.unknown() })
const arrayOf = z.object({ type: z.literal('array'), items: z.unknown() })
const maybeOf = z.tuple([z.literal('null'), z.unknown()])

const TWO_63 = 2n ** 63n

/** Whole Unicode, without the half surrogates that UTF-8 cannot hold. */
export const anyText = fc.string({ unit: 'binary', maxLength: 60 })

/** Values of an Avro schema (JSON), as the codec of schemas/codec.ts takes them. */
export function avroValue(type: unknown): fc.Arbitrary<unknown> {
  if (type === 'string') return anyText
  if (type === 'long') return fc.bigInt(-TWO_63, TWO_63 - 1n)
  if (type === 'int') return fc.integer()
  if (type === 'boolean') return fc.boolean()
  if (type === 'double') return fc.double({ noNaN: true })
  if (type === 'bytes') return fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes))
  const maybe = maybeOf.safeParse(type)
  if (maybe.success) return fc.option(avroValue(maybe.data[1]))
  const map = mapOf.safeParse(type)
  // avsc sets keys by assignment, which for this one changes the prototype instead.
  const key = anyText.filter((text) => text !== '__proto__')
  if (map.success) {
    return fc.dictionary(key, avroValue(map.data.values), { maxKeys: 4, noNullPrototype: true })
  }
  const array = arrayOf.safeParse(type)
  if (array.success) return fc.array(avroValue(array.data.items), { maxLength: 3 })
  const { fields } = fieldsOf.parse(type)
  return fc.record(Object.fromEntries(fields.map((field) => [field.name, avroValue(field.type)])), {
    noNullPrototype: true,
  })
}

/** Items of a record schema. */
export const avroRecord = (schema: unknown): fc.Arbitrary<Readonly<Record<string, unknown>>> =>
  avroValue(schema).map((value) => z.record(z.string(), z.unknown()).parse(value))
