import { describe, expect, test } from 'vitest'
import {
  alertsOf,
  calls,
  DAY,
  every,
  HOUR,
  MINUTE,
  scores,
  START,
  statesOf,
} from './shipped-lab.ts'

const AT = START + DAY

/** Calls of each five minutes that take so long. */
const callsOfFeature = (fromMs: number, toMs: number, seconds: number) =>
  every(5 * MINUTE, fromMs, toMs).flatMap((atMs) =>
    calls(atMs, 4, {
      texts: { feature: 'search', model: 'gpt-4o' },
      values: { duration: Math.round(seconds * 1e9) },
    }),
  )

/** A day of usual calls and scores, and then two hours of others. */
function slowerAndWorse({ slower = 1, score = 1, knownMs = DAY, scored = 'search' }) {
  const at = START + knownMs
  const records = [
    ...callsOfFeature(START, at, 2),
    ...scores(START, at, (knownMs / HOUR) * 40, 0.8, { feature: scored }),
    ...callsOfFeature(at, at + 2 * HOUR, 2 * slower),
    ...scores(at, at + 2 * HOUR, 80, 0.8 * score, { feature: scored }),
  ]
  return alertsOf('latency-and-quality', records, at + 2 * HOUR)
}

describe('latency-and-quality', () => {
  test.each([
    ['slower and worse', { slower: 1.6, score: 0.85 }, ['firing']],
    ['just as much slower as is allowed', { slower: 1.5, score: 0.85 }, []],
    ['just as much worse as is allowed', { slower: 1.6, score: 0.9 }, []],
    ['slower alone', { slower: 5 }, []],
    ['worse alone', { score: 0.3 }, []],
    ['slower and better', { slower: 2, score: 1.2 }, []],
    ['slower and worse, at a cold start', { slower: 2, score: 0.5, knownMs: 6 * HOUR }, []],
    ['slower, while another feature is worse', { slower: 2, score: 0.5, scored: 'chat' }, []],
  ])('Calls become %s: %j', (_, how, states) => {
    expect(statesOf(slowerAndWorse(how))).toEqual(states)
  })

  test('tells of the latency, and who it is of', () => {
    const [alert] = slowerAndWorse({ slower: 1.6, score: 0.85 })
    expect(alert).toMatchObject({ group: { feature: 'search' }, severity: 'critical', unit: 's' })
    expect(alert?.baseline).toBeCloseTo(2, 1)
    expect(alert?.contributors.map(({ name }) => name)).toEqual(['gpt-4o'])
  })
})

/** Calls of each five minutes, of which so many per thousand fail, and that take so long. */
const failing = (fromMs: number, toMs: number, perMille: number, seconds: number, count = 100) =>
  every(5 * MINUTE, fromMs, toMs).flatMap((atMs, i) => {
    const failed = Math.floor(((i + 1) * count * perMille) / 1_000)
    const before = Math.floor((i * count * perMille) / 1_000)
    const values = { duration: Math.round(seconds * 1e9) }
    const texts = { error_type: 'rate_limit' }
    return calls(atMs, count, { values }, failed - before, { values, texts })
  })

/** A day of calls that fail so often, and then half an hour of others. */
function moreErrors({ usual = 10, now = 10, slower = 1, count = 100, before = 20, knownMs = DAY }) {
  const at = START + knownMs
  const records = [
    ...failing(START, at, usual, 2, before),
    ...failing(at, at + 30 * MINUTE, now, 2 * slower, count),
  ]
  return alertsOf('errors-without-latency', records, at + 30 * MINUTE)
}

describe('errors-without-latency', () => {
  test.each([
    ['more than twice as many errors', { now: 30 }, ['firing']],
    ['hardly twice as many', { usual: 21, now: 40 }, []],
    ['just more than twice as many', { usual: 19, now: 40 }, ['firing']],
    ['more than twice as many, but below 2 %', { usual: 5, now: 15 }, []],
    ['many errors and slower calls', { now: 200, slower: 1.3 }, []],
    ['many errors and calls that are hardly slower', { now: 200, slower: 1.19 }, ['firing']],
    ['many errors of few calls', { now: 500, count: 16, before: 16 }, []],
    ['many errors at a cold start', { now: 500, knownMs: 6 * HOUR }, []],
    ['slower calls alone', { slower: 3 }, []],
  ])('There are %s: %j', (_, how, states) => {
    expect(statesOf(moreErrors(how))).toEqual(states)
  })

  test('names the model and the types of errors', () => {
    const [alert] = moreErrors({ now: 50 })
    expect(alert).toMatchObject({ group: { model: 'gpt-4o' }, severity: 'warning', unit: 'ratio' })
    expect(alert?.contributors).toMatchObject([{ dimension: 'error_type', name: 'rate_limit' }])
    expect(Number(alert?.window_end_unix_nano ?? 0n) / 1e6).toBeGreaterThan(AT)
  })
})
