import { expect, test } from 'vitest'
import { shareOfOthers } from '../../bench/meter.ts'

const use = (cpuMs: number) => ({ cpuMs, peakBytes: 0 })

test('what others used is the busy time that is not of measured processes', () => {
  const before = { busyMs: 1_000, totalMs: 10_000 }
  const after = { busyMs: 2_500, totalMs: 12_000 }
  expect(shareOfOthers(before, after, [use(600), use(400)])).toBe(0.25)
})

test('ticks that were rounded do not make it negative', () => {
  const before = { busyMs: 0, totalMs: 0 }
  expect(shareOfOthers(before, { busyMs: 990, totalMs: 2_000 }, [use(1_000)])).toBe(0)
  expect(shareOfOthers(before, before, [])).toBe(0)
})
