import { describe, expect, test } from 'vitest'
import { Noise } from './noise.ts'
import { DAY, HOUR, onlyRule } from './shipped-lab.ts'
import { type BucketTally, firingsOf } from './tally-runs.ts'

const RUNS = 1_000
/** Of each thousand runs, so many have what is to be found at their end. */
const CHANGED = 500
const SCORE_UNITS = 1e9
const TIMEOUT_MS = 120_000

/** Runs that fire before anything has changed, and changed ones that do after. */
function countOf(fired: ReadonlyMap<number, number>, changeMs: number) {
  const all = [...fired]
  return {
    falseAlarms: all.filter(([, atMs]) => atMs <= changeMs).length,
    found: all.filter(([run, atMs]) => run < CHANGED && atMs > changeMs).length,
  }
}

/** What so many scores come to, if they are so much lower than usual. */
type Scores = (noise: Noise, count: number, drop: number) => number

/** Marks that are so good on average; the sum of normal numbers is one. */
const marks =
  (mean: number, deviation: number): Scores =>
  (noise, count, drop) =>
    count * mean * (1 - drop) + Math.sqrt(count) * deviation * noise.normal()
/** Pass or fail: standard deviations are 0.36 and 0.4 where 85 and 80 of 100 pass. */
const passes =
  (share: number): Scores =>
  (noise, count, drop) => {
    let sum = 0
    for (let i = 0; i < count; i++) if (noise.uniform() < share * (1 - drop)) sum++
    return sum
  }

describe('score-drop', () => {
  const quietMs = 3.5 * DAY

  test.each([
    { name: 'marks that stray by 3 %', scores: marks(0.85, 0.0255), anHour: 30, least: 0.99 },
    { name: 'pass or fail where 85 of 100 pass', scores: passes(0.85), anHour: 30, least: 0.9 },
    { name: 'pass or fail where 80 of 100 pass', scores: passes(0.8), anHour: 40, least: 0.9 },
  ])(
    'of $name: noise fires in at most 1 % of runs, a drop of 12 % within a day',
    ({ scores, anHour, least }) => {
      const noise = new Noise(anHour)
      const fired = firingsOf({
        rules: onlyRule('score-drop'),
        runs: RUNS,
        durationMs: quietMs + DAY,
        tally(run, atMs): BucketTally {
          const isLow = run < CHANGED && atMs >= quietMs
          const count = noise.poisson(anHour / 2)
          const sum = scores(noise, count, isLow ? 0.12 : 0)
          return { count, sum: BigInt(Math.round(sum * SCORE_UNITS)) }
        },
      })
      const { falseAlarms, found } = countOf(fired, quietMs)
      expect(falseAlarms).toBeLessThanOrEqual(RUNS / 100)
      expect(found).toBeGreaterThanOrEqual(least * CHANGED)
    },
    TIMEOUT_MS,
  )
})

describe('cost-spike', () => {
  const quietMs = 1.5 * DAY
  /** 2 cents; e times as much at one standard deviation, as costs of calls stray about. */
  const MEDIAN_PICO_USD = 2e10
  const CALLS_AN_HOUR = 150

  test(
    'of 150 calls an hour: noise fires in at most 1 % of runs, three times the cost in 99 %',
    () => {
      const noise = new Noise(7)
      const fired = firingsOf({
        rules: onlyRule('cost-spike'),
        runs: RUNS,
        durationMs: quietMs + HOUR,
        tally(run, atMs): BucketTally {
          const times = run < CHANGED && atMs >= quietMs ? 3 : 1
          const count = noise.poisson(CALLS_AN_HOUR / 12)
          let sum = 0
          for (let i = 0; i < count; i++) sum += Math.exp(noise.normal())
          return { count, sum: BigInt(Math.round(sum * times * MEDIAN_PICO_USD)) }
        },
      })
      const { falseAlarms, found } = countOf(fired, quietMs)
      expect(falseAlarms).toBeLessThanOrEqual(RUNS / 100)
      expect(found).toBeGreaterThanOrEqual(0.99 * CHANGED)
    },
    TIMEOUT_MS,
  )
})
