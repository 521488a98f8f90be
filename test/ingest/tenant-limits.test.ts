import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createTenantLimits, TokenBucket } from '../../services/ingest/tenant-limits.ts'

const SEED = Number(process.env['SPANMETER_TEST_SEED'] ?? 1)
const RUNS = { seed: SEED, numRuns: 500 }

/** Steps of time, and what a request takes after each. */
const requests = fc.array(
  fc.record({ afterMs: fc.integer({ min: 0, max: 5_000 }), tokens: fc.nat(10_000) }),
  { minLength: 1, maxLength: 60 },
)
const rates = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 1_000_000_000 }))

/** Sends requests as the gate does: one that finds no room takes nothing. */
function run(bucket: TokenBucket, sent: readonly { afterMs: number; tokens: number }[]) {
  let nowMs = 0
  let taken = 0
  for (const { afterMs, tokens } of sent) {
    nowMs += afterMs
    if (bucket.waitMs(nowMs) > 0) continue
    bucket.take(tokens, nowMs)
    taken += tokens
  }
  return { nowMs, taken }
}

describe('A token bucket', () => {
  test('says exactly when there is room: then there is, and a millisecond before there is none', () => {
    fc.assert(
      fc.property(rates, requests, (perSecond, sent) => {
        const bucket = new TokenBucket(perSecond, 0)
        const { nowMs } = run(bucket, sent)
        const waitMs = bucket.waitMs(nowMs)
        if (waitMs === 0) return
        expect(bucket.waitMs(nowMs + waitMs - 1)).toBe(1)
        expect(bucket.waitMs(nowMs + waitMs)).toBe(0)
      }),
      RUNS,
    )
  })

  test('lets no more through than its rate, one second of it at once, and the last request', () => {
    fc.assert(
      fc.property(rates, requests, (perSecond, sent) => {
        const { nowMs, taken } = run(new TokenBucket(perSecond, 0), sent)
        const largest = Math.max(...sent.map(({ tokens }) => tokens))
        expect(taken).toBeLessThanOrEqual((perSecond * nowMs) / 1_000 + perSecond + largest)
      }),
      RUNS,
    )
  })

  test('lets a sender that always waits as told have its whole rate', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 20, maxLength: 60 }),
        (perSecond, sizes) => {
          const bucket = new TokenBucket(perSecond, 0)
          let nowMs = 0
          let taken = 0
          for (const tokens of sizes) {
            nowMs += bucket.waitMs(nowMs)
            bucket.take(tokens, nowMs)
            taken += tokens
          }
          // What it waited for is what was taken before the last request, but for a millisecond each.
          const owed = taken - (sizes.at(-1) ?? 0)
          expect(nowMs).toBeLessThanOrEqual((owed * 1_000) / perSecond + sizes.length)
        },
      ),
      RUNS,
    )
  })

  test('is as full after giving back as it would be without the request, and never over the brim', () => {
    const bucket = new TokenBucket(10, 0)
    bucket.take(1_000, 0)
    bucket.take(-1_000, 0)
    bucket.take(-1_000, 0)
    bucket.take(10, 0)
    expect(bucket.waitMs(0)).toBe(1)
  })

  test('neither starves nor feeds anybody when the clock is set back', () => {
    const bucket = new TokenBucket(10, 3_600_000)
    bucket.take(20, 3_600_000)
    expect(bucket.waitMs(0)).toBe(1_001)
    expect(bucket.waitMs(1_001)).toBe(0)
  })
})

/** Meters, and the clock that they read. */
function setUp() {
  const clock = { nowMs: 0 }
  return { clock, limits: createTenantLimits(() => clock.nowMs) }
}

describe('Meters', () => {
  const acme = { name: 'acme', limits: { spans_per_second: 10, bytes_per_second: 1_000 } }

  test('tell the longest wait of spans and bytes', () => {
    const { clock, limits } = setUp()
    const meter = limits.meterOf([acme])
    meter.take({ spans: 20, bytes: 4_000 })
    expect(meter.waitMs()).toBe(3_001)
    clock.nowMs = 3_001.7
    expect(meter.waitMs()).toBe(0)
    meter.take({ spans: 100, bytes: 0 })
    meter.giveBack({ spans: 100, bytes: 0 })
    expect(meter.waitMs()).toBe(0)
  })

  test('of one tenant share its limits, whichever key sends, and those of another do not', () => {
    const { limits } = setUp()
    const own = { name: 'key', limits: { spans_per_second: 1 } }
    const [both, shared] = [limits.meterOf([acme, own]), limits.meterOf([acme])]
    both.take({ spans: 5, bytes: 0 })
    expect([both.waitMs(), shared.waitMs()]).toEqual([4_001, 0])
    shared.take({ spans: 25, bytes: 0 })
    expect([both.waitMs(), shared.waitMs()]).toEqual([4_001, 2_001])
    expect(limits.meterOf([{ ...acme, name: 'globex' }]).waitMs()).toBe(0)
  })

  test('without limits never wait', () => {
    const meter = setUp().limits.meterOf([{ name: 'x', limits: {} }])
    meter.take({ spans: 1e9, bytes: 1e12 })
    expect(meter.waitMs()).toBe(0)
  })

  test('keep what was sent when limits are read again, and forget who is gone', () => {
    const { limits } = setUp()
    limits.meterOf([acme]).take({ spans: 60, bytes: 0 })
    limits.keep([{ name: 'acme', limits: { spans_per_second: 50 } }])
    expect(limits.meterOf([acme]).waitMs()).toBe(1_001)
    limits.keep([])
    expect(limits.meterOf([acme]).waitMs()).toBe(0)
  })
})
