import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ProtoWriter } from '../../services/ingest/proto-writer.ts'

const write = (fill: (out: ProtoWriter) => void): string => {
  const out = new ProtoWriter(0)
  fill(out)
  return out.finish().toString('hex')
}

test.each([
  ['an int64 of two bytes', (out: ProtoWriter) => out.int64(1, 150), '089601'],
  ['a negative int64', (out: ProtoWriter) => out.int64(1, -1), `08${'ff'.repeat(9)}01`],
  ['the least int64', (out: ProtoWriter) => out.int64(1, -(2n ** 63n)), `08${'80'.repeat(9)}01`],
  ['a uint32', (out: ProtoWriter) => out.uint(1, 0xffff_ffff), '08ffffffff0f'],
  ['a field number above 15', (out: ProtoWriter) => out.fixed32(16, 1), '850101000000'],
  ['a fixed64', (out: ProtoWriter) => out.fixed64(7, 2n ** 64n - 2n), '39feffffffffffffff'],
  ['a double', (out: ProtoWriter) => out.double(4, 1), '21000000000000f03f'],
  ['a bool', (out: ProtoWriter) => out.bool(2, true), '1001'],
  ['a string', (out: ProtoWriter) => out.string(2, 'testing'), '120774657374696e67'],
  ['bytes', (out: ProtoWriter) => out.bytes(2, Buffer.from([0, 255])), '120200ff'],
  ['hex', (out: ProtoWriter) => expect(out.hex(1, '00fF')).toBe(true), '0a0200ff'],
  ['an odd count of hex digits', (out: ProtoWriter) => expect(out.hex(1, '0')).toBe(false), ''],
  ['what is not hex', (out: ProtoWriter) => expect(out.hex(1, '00zz')).toBe(false), ''],
])('The writer writes %s', (_, fill, hex) => {
  expect(write(fill)).toBe(hex)
})

test('The writer nests messages of any length', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(70_000), { minLength: 1, maxLength: 5 }), (lengths) => {
      const hex = write((out) => {
        const starts = lengths.map((length) => {
          const start = out.begin(1)
          out.string(2, 'é'.repeat(length))
          return start
        })
        for (const start of starts.toReversed()) out.end(start)
      })
      const expected = lengths.reduceRight<Buffer>(
        (inner, length) =>
          field(1, Buffer.concat([field(2, Buffer.from('é'.repeat(length))), inner])),
        Buffer.alloc(0),
      )
      expect(hex).toBe(expected.toString('hex'))
    }),
    { seed: 1, numRuns: 30 },
  )
})

test('The writer takes back what was written since a position', () => {
  const hex = write((out) => {
    out.bool(1, true)
    const { position } = out
    out.string(2, 'x'.repeat(500))
    out.truncate(position)
    out.bool(3, true)
  })
  expect(hex).toBe('08011801')
})

function field(number: number, content: Buffer): Buffer {
  const length: number[] = []
  let rest = content.length
  for (; rest > 127; rest >>>= 7) length.push((rest & 127) | 128)
  return Buffer.concat([Buffer.from([number * 8 + 2, ...length, rest]), content])
}
