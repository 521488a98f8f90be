import { describe, expect, test } from 'vitest'
import {
  type AnyValue,
  anyValueText,
  attributesJson,
  BOOL,
  BYTES,
  DepthError,
  DOUBLE,
  EMPTY,
  INT,
  readAnyValue,
  readKeyValue,
  STRING,
} from '../../services/ingest/any-value.ts'
import { ProtoError, ProtoReader } from '../../services/ingest/otlp-reader.ts'
import { ProtoWriter } from '../../services/ingest/proto-writer.ts'

type Fill = (out: ProtoWriter) => void

const message = (fill: Fill): Buffer => {
  const out = new ProtoWriter(64)
  fill(out)
  return Buffer.from(out.finish())
}
const nested = (out: ProtoWriter, field: number, fill: Fill) => {
  const start = out.begin(field)
  fill(out)
  out.end(start)
}
function read(bytes: Buffer): { value: AnyValue; text: string } {
  const reader = new ProtoReader(bytes)
  const value: AnyValue = { type: EMPTY, start: 0, end: 0, number: 0 }
  readAnyValue(reader, 0, bytes.length, value)
  return { value, text: anyValueText(reader, value) }
}
const list = (levels: number): Fill =>
  levels === 0
    ? (out) => out.int64(3, 7)
    : (out) => nested(out, 5, (array) => nested(array, 1, list(levels - 1)))

describe('A value', () => {
  test.each<[string, Fill, number, string]>([
    ['text', (out) => out.string(1, 'é'), STRING, 'é'],
    ['empty text', (out) => out.string(1, ''), STRING, ''],
    ['true', (out) => out.bool(2, true), BOOL, 'true'],
    ['false', (out) => out.bool(2, false), BOOL, 'false'],
    ['an integer', (out) => out.int64(3, -42), INT, '-42'],
    ['a large integer', (out) => out.int64(3, 2n ** 62n), INT, '4611686018427387904'],
    ['a double', (out) => out.double(4, 0.1), DOUBLE, '0.1'],
    ['not a number', (out) => out.double(4, Number.NaN), DOUBLE, 'NaN'],
    ['bytes', (out) => out.bytes(7, Buffer.from([1, 2])), BYTES, 'AQI='],
    ['nothing', () => {}, EMPTY, ''],
    ['a field of another version', (out) => out.uint(8, 5), EMPTY, ''],
    ['text behind such a field', (out) => (out.uint(9, 5), out.string(1, 'a')), STRING, 'a'],
    ['the last of two', (out) => (out.string(1, 'a'), out.int64(3, 1)), INT, '1'],
  ])('of %s is read', (_, fill, type, text) => {
    const { value, text: found } = read(message(fill))
    expect([value.type, found]).toEqual([type, text])
  })

  test('that nests is JSON, down to 32 levels with the innermost', () => {
    expect(read(message(list(31))).text).toBe(`${'['.repeat(31)}7${']'.repeat(31)}`)
    expect(() => read(message(list(32)))).toThrow(DepthError)
    expect(() => read(message(list(1_000)))).toThrow(DepthError)
  })

  test.each<[string, Fill]>([
    ['text given as a number', (out) => out.uint(1, 5)],
    ['a flag given as bytes', (out) => out.string(2, 'true')],
    ['a double given as a number', (out) => out.uint(4, 5)],
    ['an array given as a number', (out) => out.uint(5, 5)],
  ])('of the wrong wire type is refused: %s', (_, fill) => {
    expect(() => read(message(fill))).toThrow(ProtoError)
  })
})

const entry = () => ({ keyStart: 0, keyEnd: 0, valueStart: 0, valueEnd: 0 })

const readEntry = (bytes: Buffer) => readKeyValue(new ProtoReader(bytes), 0, bytes.length, entry())

describe('An attribute', () => {
  test('is found as ranges of its key and value, in either order', () => {
    const forth = readEntry(
      message((out) => (out.string(1, 'key'), out.bytes(2, Buffer.from('v')))),
    )
    const back = readEntry(message((out) => (out.bytes(2, Buffer.from('v')), out.string(1, 'key'))))
    expect(forth).toEqual({ keyStart: 2, keyEnd: 5, valueStart: 7, valueEnd: 8 })
    expect(back).toEqual({ keyStart: 5, keyEnd: 8, valueStart: 2, valueEnd: 3 })
  })

  test('without a key or value has empty ranges', () => {
    const { keyStart, keyEnd, valueStart, valueEnd } = readEntry(message((out) => out.uint(3, 1)))
    expect([keyEnd - keyStart, valueEnd - valueStart]).toEqual([0, 0])
  })

  test('whose key is a number is refused', () => {
    expect(() => readEntry(message((out) => out.uint(1, 1)))).toThrow(ProtoError)
  })
})

const pair = (key: string, fill: Fill) =>
  message((out) => {
    out.string(1, key)
    nested(out, 2, fill)
  })

test('Attributes are a JSON object', () => {
  const first = pair('a "quoted" key', (out) => out.double(4, Number.POSITIVE_INFINITY))
  const second = pair('b', (out) =>
    nested(out, 6, (map) =>
      map.bytes(
        1,
        pair('c', () => {}),
      ),
    ),
  )
  const reader = new ProtoReader(Buffer.concat([first, second]))
  const json = attributesJson(reader, [0, first.length, first.length, reader.buffer.length])
  expect(JSON.parse(json)).toEqual({ 'a "quoted" key': 'Infinity', b: { c: null } })
})
