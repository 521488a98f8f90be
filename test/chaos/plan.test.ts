import { expect, test } from 'vitest'
import { COPIES, type Fault, planFaults, type PlanOptions } from './plan.ts'

const OPTIONS: PlanOptions = {
  seed: 1,
  faults: 400,
  meanPauseMs: 1_500,
  topics: ['spans', 'alerts'],
  without: new Set(),
}

const KINDS = [
  'copy',
  'fill-disk',
  'freeze',
  'hold',
  'jump-clock',
  'kill',
  'lose-answers',
  'poison',
  'refuse',
  'swallow',
  'terminate',
  'throttle',
]
const kindsOf = (plan: readonly Fault[]) => [...new Set(plan.map(({ kind }) => kind))].toSorted()

test('a seed names a plan', () => {
  expect(planFaults(OPTIONS)).toEqual(planFaults(OPTIONS))
  expect(planFaults(OPTIONS)).not.toEqual(planFaults({ ...OPTIONS, seed: 2 }))
})

test('a plan has so many faults, of every kind, in the order of their times', () => {
  const plan = planFaults(OPTIONS)
  expect(plan).toHaveLength(400)
  expect(kindsOf(plan)).toEqual(KINDS)
  expect(plan).toEqual(plan.toSorted((a, b) => a.atMs - b.atMs))
})

test('kinds that the machine cannot do are left out', () => {
  const plan = planFaults({ ...OPTIONS, without: new Set(['fill-disk', 'jump-clock']) })
  expect(kindsOf(plan)).toEqual(KINDS.filter((kind) => !/disk|clock/.test(kind)))
})

test('faults overlap', () => {
  const plan = planFaults(OPTIONS)
  const overlapping = plan.filter((one, i) => {
    const next = plan[i + 1]
    return next !== undefined && next.atMs < one.atMs + one.lastMs
  })
  expect(overlapping.length).toBeGreaterThan(100)
})

test('in a long plan one worker sleeps for long, while a copy of it works', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const plan = planFaults({ ...OPTIONS, seed })
    const long = plan.filter(({ kind, lastMs }) => kind === 'freeze' && lastMs > 60_000)
    expect(long).toHaveLength(1)
    const { target = '', atMs = 0, lastMs = 0 } = long[0] ?? {}
    expect(lastMs).toBeLessThanOrEqual(300_000)
    const copy = COPIES.find((name) => name === `${target}-2`)
    expect(plan).toContainEqual({ kind: 'copy', target: copy, atMs, lastMs, isKilled: false })
  }
  const short = planFaults({ ...OPTIONS, faults: 50 })
  expect(short.every(({ lastMs }) => lastMs <= 40_000)).toBe(true)
})
