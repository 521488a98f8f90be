import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  int64,
  ProtoError,
  ProtoReader,
  WIRE_BYTES,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_VARINT,
} from '../../services/ingest/otlp-reader.ts'
import { ProtoWriter } from '../../services/ingest/proto-writer.ts'

const SEED = { seed: 20_260_102, numRuns: 2_000 }
const written = (fill: (out: ProtoWriter) => void): ProtoReader => {
  const out = new ProtoWriter(16)
  fill(out)
  return new ProtoReader(Buffer.from(out.finish()))
}
const ofHex = (hex: string) => new ProtoReader(Buffer.from(hex, 'hex'))
/** Reads one field whose tag is the first byte. */
const tagged = (hex: string) => {
  const reader = ofHex(hex)
  reader.tag(reader.buffer.length)
  return reader
}

describe('A reader reads what was written', () => {
  test('of every int64', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (value) => {
        const reader = written((out) => out.int64(3, value))
        expect(reader.tag(reader.buffer.length)).toBe(true)
        reader.varint64()
        expect([reader.field, reader.wire]).toEqual([3, WIRE_VARINT])
        expect(BigInt(int64(reader.low, reader.high))).toBe(value)
        expect(reader.tag(reader.buffer.length)).toBe(false)
      }),
      SEED,
    )
  })

  test('of every fixed64', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (value) => {
        const reader = written((out) => out.fixed64(7, value))
        reader.tag(reader.buffer.length)
        reader.fixed64()
        expect([reader.field, reader.wire]).toEqual([7, WIRE_FIXED64])
        expect((BigInt(reader.high) << 32n) | BigInt(reader.low)).toBe(value)
      }),
      SEED,
    )
  })

  test('of fields of every type and number, one after the other', () => {
    const reader = written((out) => {
      out.bytes(1, Buffer.from('abc'))
      out.fixed32(16, 1)
      out.double(2_047, 1)
      out.uint(536_870_911, 5)
    })
    const end = reader.buffer.length
    const seen: (readonly [number, number])[] = []
    while (reader.tag(end)) {
      seen.push([reader.field, reader.wire])
      reader.skip(end)
    }
    expect(seen).toEqual([
      [1, WIRE_BYTES],
      [16, WIRE_FIXED32],
      [2_047, WIRE_FIXED64],
      [536_870_911, WIRE_VARINT],
    ])
  })
})

test.each([
  [0, 0, 0],
  [0xffff_ffff, 0xffff_ffff, -1],
  [0xffff_ffff, 0x001f_ffff, Number.MAX_SAFE_INTEGER],
  [1, 0xffe0_0000, Number.MIN_SAFE_INTEGER],
  [0, 0x0020_0000, '9007199254740992'],
  [0xffff_ffff, 0x7fff_ffff, '9223372036854775807'],
  [0, 0x8000_0000, '-9223372036854775808'],
])('The halves %d and %d are the integer %s', (low, high, value) => {
  expect(int64(low, high)).toBe(value)
})

describe('A ProtoError is thrown for', () => {
  test.each([
    ['a number that ends with the bytes', () => ofHex('ff').uint32()],
    ['a number of more than ten bytes', () => ofHex('ff'.repeat(11)).varint64()],
    ['a fixed64 of seven bytes', () => ofHex('00'.repeat(7)).fixed64()],
    ['field number 0', () => ofHex('0201').tag(2)],
    [
      'a field that begins behind its message',
      () => Object.assign(ofHex('0801'), { position: 2 }).tag(1),
    ],
    ['a length beyond the message', () => tagged('0a0561').bytes(3)],
    ['a length beyond the outer message', () => tagged('0a02616263').bytes(3)],
    ['a length of more than 32 bits', () => tagged(`0a${'ff'.repeat(9)}01`).bytes(11)],
    ['a length of 2^32 and a little', () => tagged('0a818080801061').bytes(7)],
    ['bytes where a number stands', () => tagged('0801').bytes(2)],
    ['a number where bytes are meant', () => tagged('0801').expect(WIRE_BYTES)],
    ['the start of a group', () => tagged('0b0c').skip(2)],
    ['the wire type 6', () => tagged('0e').skip(1)],
    ['a skip over a cut-off fixed32', () => tagged('0d0000').skip(3)],
    ['a skip over a cut-off fixed64', () => tagged('0900').skip(2)],
    ['a skip over cut-off bytes', () => tagged('0a02').skip(2)],
  ])('%s', (_, read) => {
    expect(read).toThrow(ProtoError)
  })
})
