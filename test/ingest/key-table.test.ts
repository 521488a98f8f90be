import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createKeyTable, hashBytes } from '../../services/ingest/key-table.ts'
import { anyText } from '../support/avro-values.ts'

const SEED = { seed: 20_260_102 }

/** Finds a text that stands among other bytes. */
const find = (table: ReturnType<typeof createKeyTable>, text: string) => {
  const bytes = Buffer.from(`[${text}]`)
  return table.find(bytes, 1, bytes.length - 1)
}

describe('A table of keys', () => {
  test('finds each of its keys by its bytes, and nothing else', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyText, { maxLength: 40 }), anyText, (keys, other) => {
        const table = createKeyTable(keys)
        for (const [index, key] of keys.entries()) expect(find(table, key)).toBe(index)
        expect(find(table, other)).toBe(keys.indexOf(other))
      }),
      SEED,
    )
  })

  test('tells keys apart that differ behind what is hashed', () => {
    const keys = ['x', 'y', 'z'].map((last) => 'a'.repeat(100) + last)
    const table = createKeyTable(keys)
    expect(keys.map((key) => find(table, key))).toEqual([0, 1, 2])
    expect(find(table, `${'a'.repeat(100)}w`)).toBe(-1)
  })

  test.each(['', 'servicename', 'service.nam', 'service.name.', 'Service.name'])(
    'does not take "%s" for service.name',
    (text) => {
      expect(find(createKeyTable(['service.name']), text)).toBe(-1)
    },
  )

  test('of no keys finds none', () => {
    expect(find(createKeyTable([]), 'a')).toBe(-1)
  })
})

test('Equal bytes have equal hashes, wherever they stand', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(9), (array, before) => {
      const bytes = Buffer.from(array)
      const moved = Buffer.concat([Buffer.alloc(before, 7), bytes, Buffer.from('z')])
      const end = before + bytes.length
      expect(hashBytes(moved, before, end)).toBe(hashBytes(bytes, 0, bytes.length))
    }),
    SEED,
  )
})
