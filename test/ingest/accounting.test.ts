import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Counts, settleCounts } from '../../services/ingest/accounting.ts'

const NONE: Counts = {
  input: null,
  output: null,
  cacheRead: null,
  cacheWrite5m: null,
  cacheWrite1h: null,
  inputAudio: null,
  inputImage: null,
  reasoning: null,
  outputAudio: null,
  outputImage: null,
  total: null,
}
const settle = (counts: Partial<Counts>, isExclusiveApi = false) =>
  settleCounts({ ...NONE, ...counts }, { convention: undefined, isExclusiveApi })

/** 130,213 tokens went in: 5 that were new, 128,955 read from a cache and 1,253 written to it. */
const CACHE = { cacheRead: 128_955, cacheWrite5m: 1_253 }
const INCLUSIVE = { input: 130_213, output: 420, ...CACHE }
const EXCLUSIVE = { input: 5, output: 420, ...CACHE }

describe('Inclusive counts', () => {
  test('stand as they are', () => {
    expect(settle(INCLUSIVE)).toEqual({ input: 130_213, output: 420, rule: '', flags: [] })
  })

  test('stand for a provider whose own API is exclusive, once an instrumentation has added them up', () => {
    expect(settle(INCLUSIVE, true)).toMatchObject({ input: 130_213, rule: '' })
  })

  test('stand where a total confirms them', () => {
    expect(settle({ ...INCLUSIVE, total: 130_633 })).toMatchObject({ input: 130_213, rule: '' })
  })
})

describe('Exclusive counts', () => {
  const convention = {
    name: 'd/r',
    inputExcludes: ['cache_read', 'cache_write'],
    outputExcludes: [],
  }

  test('become inclusive by the convention of their dialect', () => {
    const settled = settleCounts({ ...NONE, ...EXCLUSIVE }, { convention, isExclusiveApi: false })
    expect(settled).toEqual({ input: 130_213, output: 420, rule: 'd/r', flags: [] })
  })

  test('become inclusive where the total proves them exclusive', () => {
    expect(settle({ ...EXCLUSIVE, total: 130_633 })).toMatchObject({
      input: 130_213,
      rule: 'evidence/total_counts_cache',
    })
  })

  test('become inclusive where the provider’s API is exclusive and the cache is larger than the input', () => {
    expect(settle(EXCLUSIVE, true)).toMatchObject({
      input: 130_213,
      rule: 'evidence/cache_exceeds_input',
      flags: [],
    })
  })

  test('are flagged, and not touched, where nothing proves what they mean', () => {
    expect(settle(EXCLUSIVE)).toEqual({
      input: 5,
      output: 420,
      rule: '',
      flags: ['cache_exceeds_input'],
    })
  })

  test('of reasoning are added to the output where the total proves it', () => {
    expect(settle({ input: 10, output: 5, reasoning: 7, total: 22 })).toEqual({
      input: 10,
      output: 12,
      rule: 'evidence/total_counts_reasoning',
      flags: [],
    })
  })

  test('of cache and reasoning are added where the total holds both', () => {
    const counts = { input: 10, output: 5, cacheRead: 100, reasoning: 7, total: 122 }
    expect(settle(counts)).toMatchObject({ input: 110, output: 12 })
  })
})

test('An explicit convention that leaves nothing out is not overruled by evidence', () => {
  const convention = { name: 'd/inclusive', inputExcludes: [], outputExcludes: [] }
  const counts = { ...NONE, ...EXCLUSIVE, total: 130_633 }
  const settled = settleCounts(counts, { convention, isExclusiveApi: true })
  expect(settled).toMatchObject({ input: 5, rule: '', flags: ['cache_exceeds_input'] })
})

test.each<[Partial<Counts>, string]>([
  [{ input: 10, cacheRead: 8, cacheWrite1h: 3 }, 'cache_exceeds_input'],
  [{ input: 10, inputAudio: 11 }, 'audio_exceeds_input'],
  [{ input: 10, inputImage: 11 }, 'image_exceeds_input'],
  [{ output: 10, reasoning: 11 }, 'reasoning_exceeds_output'],
  [{ output: 10, outputAudio: 11 }, 'audio_exceeds_output'],
  [{ output: 10, outputImage: 11 }, 'image_exceeds_output'],
])('%o is flagged %s and left as it is', (counts, flag) => {
  const { input = null, output = null } = counts
  expect(settle(counts)).toEqual({ input, output, rule: '', flags: [flag] })
})

test('A part of an unknown whole is not impossible', () => {
  expect(settle({ cacheRead: 5, reasoning: 3 }).flags).toEqual([])
})

const count = fc.nat(1_000_000)
const parts = fc.record({
  text: count,
  cacheRead: count,
  cacheWrite5m: count,
  cacheWrite1h: count,
  audio: count,
  image: count,
})
const PARTS_IN = ['cache_read', 'cache_write', 'audio', 'image'] as const
const PARTS_OUT = ['reasoning', 'audio', 'image'] as const

test('Inclusive → any convention → inclusive is the identity', () => {
  const property = fc.property(
    parts,
    fc.record({ text: count, reasoning: count, audio: count, image: count }),
    fc.subarray([...PARTS_IN]),
    fc.subarray([...PARTS_OUT]),
    (input, output, inputExcludes, outputExcludes) => {
      const cacheWrite = input.cacheWrite5m + input.cacheWrite1h
      const inputOf = { ...input, cache_read: input.cacheRead, cache_write: cacheWrite }
      const canonicalInput = input.text + input.cacheRead + cacheWrite + input.audio + input.image
      const canonicalOutput = output.text + output.reasoning + output.audio + output.image
      const told: Counts = {
        input: inputExcludes.reduce((left, part) => left - inputOf[part], canonicalInput),
        output: outputExcludes.reduce((left, part) => left - output[part], canonicalOutput),
        cacheRead: input.cacheRead,
        cacheWrite5m: input.cacheWrite5m,
        cacheWrite1h: input.cacheWrite1h,
        inputAudio: input.audio,
        inputImage: input.image,
        reasoning: output.reasoning,
        outputAudio: output.audio,
        outputImage: output.image,
        total: null,
      }
      const convention = { name: 'd/r', inputExcludes, outputExcludes }
      const settled = settleCounts(told, { convention, isExclusiveApi: false })
      expect([settled.input, settled.output]).toEqual([canonicalInput, canonicalOutput])
      expect(settled.flags).toEqual([])
    },
  )
  fc.assert(property, { seed: 4, numRuns: 500 })
})
