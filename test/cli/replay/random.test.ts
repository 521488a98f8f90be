import { describe, expect, it } from 'vitest'
import {
  createRandom,
  hashText,
  hexDigits,
  logNormal,
  pickWeighted,
} from '../../../services/cli/replay/random.ts'

const draws = 20_000
const draw = <T>(make: () => T): T[] => Array.from({ length: draws }, make)
const first = (key: readonly [number, number, number]) => createRandom(key).uint32()

describe('createRandom', () => {
  it('gives the same stream for the same key and another for any other', () => {
    expect(first([1, 2, 3])).toBe(first([1, 2, 3]))
    const keys = [0, 1, 2].flatMap((a) => [0, 1, 2].flatMap((b) => [0, 1].map((c) => [a, b, c])))
    expect(new Set(keys.map(([a = 0, b = 0, c = 0]) => first([a, b, c]))).size).toBe(keys.length)
  })

  it('is uniform also over the first draws of neighbouring rows', () => {
    const values = Array.from({ length: draws }, (_, row) => createRandom([1, row, 1]).next())
    const buckets = Array.from({ length: 20 }, () => 0)
    for (const value of values) buckets[Math.floor(value * 20)]! += 1
    const expected = draws / 20
    const chiSquare = buckets.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
    // The 99.9th percentile of chi-square with 19 degrees of freedom.
    expect(chiSquare).toBeLessThan(43.8)
  })
})

describe('distributions', () => {
  it('draws log-normal noise with median 1 and the given sigma', () => {
    const random = createRandom([7, 0, 0])
    const logs = draw(() => Math.log(logNormal(random, 0.25))).sort((a, b) => a - b)
    expect(logs[draws / 2]).toBeCloseTo(0, 2)
    const deviation = Math.sqrt(logs.reduce((sum, value) => sum + value ** 2, 0) / draws)
    expect(deviation).toBeCloseTo(0.25, 2)
  })

  it('picks by weight, whatever the weights add up to', () => {
    const random = createRandom([7, 1, 0])
    const items = [
      { name: 'a', weight: 6 },
      { name: 'b', weight: 2 },
    ]
    const share = draw(() => pickWeighted(random, items)).filter(({ name }) => name === 'a').length
    expect(share / draws).toBeCloseTo(0.75, 1)
  })

  it('makes ids of lower-case hexadecimal digits', () => {
    expect(hexDigits(createRandom([1, 1, 1]), 32)).toMatch(/^[0-9a-f]{32}$/)
  })

  it('hashes texts to 32 bits that differ for neighbours', () => {
    const hashes = Array.from({ length: 1000 }, (_, index) => hashText(`user-${index}`))
    expect(new Set(hashes).size).toBe(1000)
    expect(hashes.filter((hash) => hash % 2 === 0).length).toBeGreaterThan(400)
  })
})
