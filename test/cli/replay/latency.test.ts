import { describe, expect, it } from 'vitest'
import { callLatency } from '../../../services/cli/replay/latency.ts'
import { createRandom } from '../../../services/cli/replay/random.ts'

const model = { baseMs: 300, prefillTokensPerSecond: 10_000, msPerOutputToken: 10 }

const median = (values: number[]) => values.sort((a, b) => a - b)[5000] ?? Number.NaN

/** The medians of many calls, where the noise cancels out. */
function medians(size: { inputTokens: number; cacheReadTokens: number; outputTokens: number }) {
  const random = createRandom([3, 0, 0])
  const calls = Array.from({ length: 10_001 }, () => callLatency(model, size, random))
  return {
    firstChunkMs: median(calls.map(({ firstChunkMs }) => firstChunkMs)),
    decodeMs: median(calls.map(({ firstChunkMs, durationMs }) => durationMs - firstChunkMs)),
  }
}

/** How far a value is from the expected one, as a share of it. */
const distance = (value: number, expected: number) => Math.abs(value / expected - 1)

describe('callLatency', () => {
  it('takes base and prefill to the first chunk, then a time for each token', () => {
    const { firstChunkMs, decodeMs } = medians({
      inputTokens: 5000,
      cacheReadTokens: 0,
      outputTokens: 200,
    })
    expect(distance(firstChunkMs, 300 + 500)).toBeLessThan(0.02)
    expect(distance(decodeMs, 2000)).toBeLessThan(0.02)
  })

  it('works through cached tokens ten times as fast', () => {
    const size = { inputTokens: 5000, cacheReadTokens: 4000, outputTokens: 200 }
    expect(distance(medians(size).firstChunkMs, 300 + 100 + 40)).toBeLessThan(0.02)
  })

  it('ends with the first chunk when nothing is generated', () => {
    const size = { inputTokens: 10, cacheReadTokens: 0, outputTokens: 0 }
    const { firstChunkMs, durationMs } = callLatency(model, size, createRandom([1, 1, 1]))
    expect(durationMs).toBe(firstChunkMs)
  })
})
