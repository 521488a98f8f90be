import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PARTS, type Part, splitUsage, type Usage } from '../../services/enrich/usage.ts'
import { usage } from './calls.ts'

function split(fields: Partial<Usage>) {
  const units = new Float64Array(PARTS.length)
  const found = splitUsage(usage(fields), units)
  const counts = PARTS.map((part, i): [Part, number] => [part, units[i] ?? 0])
  return { found, units: Object.fromEntries(counts.filter(([, count]) => count > 0)) }
}

const count = (max: number) => fc.option(fc.nat(max), { nil: null })
const isTotal = (key: string) => key === 'input' || key === 'output'

describe('Nested counts become disjoint ones', () => {
  test('of everything that a call may use', () => {
    const all = split({
      input: 100,
      cacheRead: 10,
      cacheWrite5m: 11,
      cacheWrite1h: 12,
      inputAudio: 13,
      inputImage: 14,
      output: 200,
      reasoning: 20,
      outputAudio: 21,
      outputImage: 22,
      webSearches: 3,
    })
    expect(all).toEqual({
      found: 'whole',
      units: {
        input: 40,
        cache_read: 10,
        cache_write_5m: 11,
        cache_write_1h: 12,
        input_audio: 13,
        input_image: 14,
        output: 137,
        reasoning: 20,
        output_audio: 21,
        output_image: 22,
        web_search: 3,
        request: 1,
      },
    })
  })

  test.each<[string, Partial<Usage>, Readonly<Record<string, number>>]>([
    [
      'images that were cached',
      { input: 300, cacheRead: 240, inputImage: 200, output: 0 },
      { cache_read: 240, input_image: 60, request: 1 },
    ],
    [
      'audio before images',
      { input: 100, cacheRead: 50, inputAudio: 40, inputImage: 60 },
      { cache_read: 50, input_audio: 40, input_image: 10, request: 1 },
    ],
  ])('where counts overlap: %s', (_, fields, units) => {
    expect(split(fields)).toEqual({ found: 'overlap', units })
  })

  test.each<[string, Partial<Usage>]>([
    ['cache reads', { input: 5, cacheRead: 6 }],
    ['cache reads and writes', { input: 5, cacheRead: 2, cacheWrite5m: 2, cacheWrite1h: 2 }],
    ['audio and images', { input: 5, inputAudio: 3, inputImage: 3 }],
    ['reasoning', { input: 5, output: 5, reasoning: 6 }],
    ['reasoning, audio and images', { output: 5, reasoning: 2, outputAudio: 2, outputImage: 2 }],
    ['cached tokens without any', { output: 5, cacheRead: 1 }],
    ['reasoning without output', { input: 5, reasoning: 1 }],
    ['tokens below zero', { input: -1, output: 1 }],
    ['cache reads below zero', { input: 5, cacheRead: -1 }],
    ['searches below zero', { input: 5, webSearches: -1 }],
    ['more tokens than can be counted', { input: 2 ** 53 }],
  ])('but never where there are more parts than the whole: %s', (_, fields) => {
    expect(split(fields).found).toBe('invalid')
  })

  test('that are never negative and sum to the totals', () => {
    const keys = Object.keys(usage())
    const usages = fc.record(
      Object.fromEntries(keys.map((key) => [key, count(isTotal(key) ? 300 : 50)])),
    )
    let whole = 0
    fc.assert(
      fc.property(usages, (fields) => {
        const { found, units } = split(fields)
        if (found === 'invalid') return
        whole++
        const sum = (parts: readonly Part[]) =>
          parts.reduce((total, part) => total + (units[part] ?? 0), 0)
        expect(sum(PARTS.slice(0, 6))).toBe(fields['input'] ?? 0)
        expect(sum(PARTS.slice(6, 10))).toBe(fields['output'] ?? 0)
      }),
      { seed: 20_261_121, numRuns: 3_000 },
    )
    expect(whole).toBeGreaterThan(100)
  })
})
