import { describe, expect, test } from 'vitest'
import { Noise } from './noise.ts'
import { DAY, HOUR, MINUTE, onlyRule } from './shipped-lab.ts'
import { type BucketTally, firingsOf } from './tally-runs.ts'

const RUNS = 1_000
const SCORE_UNITS = 1e9

/** One score of an answer, 0 to 1. */
type Score = (noise: Noise, drop: number) => number

/** An evaluator that gives marks: so good on average, and so far from it. */
const marks =
  (mean: number, deviation: number): Score =>
  (noise, drop) =>
    Math.min(1, Math.max(0, mean * (1 - drop) + deviation * noise.normal()))
/** One that says pass or fail: standard deviations are 0.36 and 0.4 where 85 and 80 of 100 pass. */
const passes =
  (share: number): Score =>
  (noise, drop) =>
    noise.uniform() < share * (1 - drop) ? 1 : 0

interface Scores {
  readonly name: string
  readonly score: Score
  readonly anHour: number
  /** Runs of 1,000 with a drop of 12 % that fire within a day at least. */
  readonly found: number
}

const SCORES: readonly Scores[] = [
  { name: 'marks that stray by 3 %', score: marks(0.85, 0.0255), anHour: 22, found: 1_000 },
  { name: 'marks that stray by 0.15', score: marks(0.8, 0.15), anHour: 30, found: 990 },
  { name: 'pass or fail, 85 of 100 pass', score: passes(0.85), anHour: 30, found: 930 },
  { name: 'pass or fail, 80 of 100 pass', score: passes(0.8), anHour: 40, found: 930 },
]

describe('score-drop', () => {
  /** Half of the runs are noise, in the other half scores drop by 12 % for the last day. */
  function firings({ score, anHour }: Scores) {
    const quietMs = 4 * DAY
    const noise = new Noise(anHour)
    const fired = firingsOf({
      rules: onlyRule('score-drop'),
      runs: 2 * RUNS,
      durationMs: quietMs + DAY,
      tally(run, _bucket, atMs): BucketTally {
        const isLow = run >= RUNS && atMs >= quietMs
        const count = noise.poisson(anHour / 2)
        let sum = 0
        for (let i = 0; i < count; i++) sum += score(noise, isLow ? 0.12 : 0)
        return { count, sum: BigInt(Math.round(sum * SCORE_UNITS)) }
      },
    })
    const all = [...fired]
    return {
      falseAlarms: all.filter(([run, atMs]) => run < RUNS && atMs <= quietMs).length,
      found: all.filter(([run, atMs]) => run >= RUNS && atMs > quietMs).length,
      early: all.filter(([run, atMs]) => run >= RUNS && atMs <= quietMs).length,
    }
  }

  test.each(SCORES)(
    'of $name: noise fires at most 1 % of runs, a drop of 12 % is found',
    (scores) => {
      const { falseAlarms, found, early } = firings(scores)
      expect(falseAlarms).toBeLessThanOrEqual(RUNS / 100)
      expect(early).toBeLessThanOrEqual(RUNS / 100)
      expect(found).toBeGreaterThanOrEqual(scores.found)
    },
    60_000,
  )
})

describe('cost-spike', () => {
  /** Calls cost 2 cents at the median, and e times as much at one standard deviation. */
  const MEDIAN_PICO_USD = 2e10

  function firings(anHour: number) {
    const quietMs = DAY + 12 * HOUR
    const noise = new Noise(anHour)
    const fired = firingsOf({
      rules: onlyRule('cost-spike'),
      runs: RUNS,
      durationMs: quietMs + HOUR,
      tally(_run, _bucket, atMs): BucketTally {
        const times = atMs >= quietMs ? 3 : 1
        const count = noise.poisson(anHour / 12)
        let sum = 0
        for (let i = 0; i < count; i++) sum += Math.exp(noise.normal())
        return { count, sum: BigInt(Math.round(sum * times * MEDIAN_PICO_USD)) }
      },
    })
    const times = [...fired.values()]
    return {
      falseAlarms: times.filter((atMs) => atMs <= quietMs).length,
      found: times.filter((atMs) => atMs > quietMs).length,
    }
  }

  test.each([150, 300])(
    'of %i calls an hour: noise fires at most 1 % of runs, three times the cost 99 %',
    (anHour) => {
      const { falseAlarms, found } = firings(anHour)
      expect(falseAlarms).toBeLessThanOrEqual(RUNS / 100)
      expect(found).toBeGreaterThanOrEqual(0.99 * RUNS)
    },
    60_000,
  )
})
