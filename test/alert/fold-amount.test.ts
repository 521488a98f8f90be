import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AvroWriter } from '../../schemas/wire.ts'
import { Amount } from '../../services/alert/fold-amount.ts'

const TWO_63 = 2n ** 63n
const BASE = 1_000_000_000n
/** Longs of all lengths in bytes, and those around powers of two and of ten. */
const anyLong = fc.oneof(
  fc.bigInt(-TWO_63, TWO_63 - 1n),
  fc
    .integer({ min: 0, max: 62 })
    .chain((power) => fc.bigInt(-(2n ** BigInt(power)), 2n ** BigInt(power))),
  fc
    .tuple(fc.integer({ min: 0, max: 9_223_372_035 }), fc.integer({ min: -2, max: 2 }))
    .map(([high, beside]) => BigInt(high) * BASE + BigInt(beside)),
  fc.constantFrom(0n, -1n, TWO_63 - 1n, -TWO_63, 2n ** 53n, 2n ** 53n - 1n, -(2n ** 53n)),
)

/** Avro's encoding of a long, by bigints alone. */
function encoded(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = value >= 0n ? value * 2n : -value * 2n - 1n
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}

function amountOf(value: bigint): Amount {
  const amount = new Amount()
  expect(amount.set(value)).toBe(true)
  return amount
}
const valueOf = ({ high, low }: Amount): bigint => BigInt(high) * BASE + BigInt(low)
const isWhole = ({ high, low }: Amount): boolean =>
  Number.isSafeInteger(high) && !Object.is(high, -0) && low >= 0 && low < 1e9 && !Object.is(low, -0)

describe('An amount', () => {
  test('reads every long exactly', () => {
    fc.assert(
      fc.property(anyLong, fc.integer({ min: 0, max: 5 }), (value, offset) => {
        const amount = new Amount()
        amount.read(
          Buffer.concat([Buffer.alloc(offset, 0xff), encoded(value), Buffer.from([0xff])]),
          offset,
        )
        expect(valueOf(amount)).toBe(value)
        expect(isWhole(amount)).toBe(true)
      }),
      { seed: 1, numRuns: 5_000 },
    )
  })

  test('reads what is written here', () => {
    const out = new AvroWriter(16)
    out.long64(0xffff_ffff, 0x7fff_ffff)
    const amount = new Amount()
    amount.read(out.buffer, 0)
    expect(valueOf(amount)).toBe(TWO_63 - 1n)
  })

  test('takes every number of 64 bits, and is a double as near as there is one', () => {
    fc.assert(
      fc.property(anyLong, (value) => {
        expect(valueOf(amountOf(value))).toBe(value)
        expect(isWhole(amountOf(value))).toBe(true)
        expect(amountOf(value).units).toBe(Number(value))
      }),
      { seed: 2, numRuns: 5_000 },
    )
  })

  test('takes no other', () => {
    const amount = amountOf(7n)
    const others = [Number.NaN, Infinity, -Infinity, 1e20, -1e300, 2n ** 66n, -(2n ** 66n)]
    expect(others.filter((units) => amount.set(units))).toEqual([])
    expect(valueOf(amount)).toBe(7n)
    expect(amount.set(-0) && isWhole(amount)).toBe(true)
    expect(amount.set(1.9) && valueOf(amount)).toBe(1n)
    expect(amount.set(2 ** 63) && valueOf(amount)).toBe(TWO_63)
    expect(amount.set(-(2 ** 64)) && valueOf(amount)).toBe(-2n * TWO_63)
  })

  test('sums, and takes away, exactly', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyLong, fc.constantFrom(1, -1)), { maxLength: 50 }),
        (parts) => {
          const sum = new Amount()
          for (const [value, sign] of parts) {
            const { high, low } = amountOf(value)
            sum.addHalves(sign * high, sign * low)
            expect(isWhole(sum)).toBe(true)
          }
          const exact = parts.reduce((total, [value, sign]) => total + value * BigInt(sign), 0n)
          expect(valueOf(sum)).toBe(exact)
        },
      ),
      { seed: 3, numRuns: 500 },
    )
  })

  test('is compared exactly', () => {
    fc.assert(
      fc.property(anyLong, anyLong, (left, right) => {
        expect(amountOf(left).isAbove(amountOf(right))).toBe(left > right)
        expect(amountOf(left).isAbove(amountOf(left))).toBe(false)
      }),
      { seed: 4, numRuns: 2_000 },
    )
  })
})
