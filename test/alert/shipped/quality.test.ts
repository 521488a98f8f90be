import { describe, expect, test } from 'vitest'
import { scoreRow } from '../../support/alert-lab.ts'
import { alertsOf, DAY, every, HOUR, MINUTE, scores, START, statesOf } from './shipped-lab.ts'

/** Days of usual scores, and a day and a half of scores that are lower by a part. */
function drop(
  part: number,
  { usual = 0.9, knownMs = 4 * DAY, anHour = 30, lowMs = 36 * HOUR, afterMs = 0 } = {},
) {
  const count = (ms: number) => Math.round((ms / HOUR) * anHour)
  const at = START + knownMs
  const records = [
    ...scores(START, at, count(knownMs), usual),
    ...scores(at, at + lowMs, count(lowMs), usual * (1 - part)),
  ]
  return alertsOf('score-drop', records, at + lowMs + afterMs)
}

/** Four days of usual scores by one version of a prompt, and a day of others by the next. */
const fourDaysAndOne = (texts: Readonly<Record<string, string>>, low: number) => [
  ...scores(START, START + 4 * DAY, 2_880, 0.9, { ...texts, prompt_version: 'v1' }),
  ...scores(START + 4 * DAY, START + 5 * DAY, 720, low, { ...texts, prompt_version: 'v2' }),
]

describe('score-drop', () => {
  test.each([
    [0.12, ['firing']],
    [0.11, ['firing']],
    [0.1, []],
    [0.09, []],
    [-0.3, []],
  ])('The mean is lower by %f of itself: %j', (part, states) => {
    expect(statesOf(drop(part))).toEqual(states)
  })

  test.each([
    ['a cold start', { knownMs: 2 * HOUR }],
    ['less than 250 scores in 12 hours', { anHour: 20 }],
    ['one low window between others', { lowMs: 30 * MINUTE, afterMs: DAY }],
  ])('It is silent at %s', (_, known) => {
    expect(drop(0.5, known).filter(({ state }) => state === 'firing')).toEqual([])
  })

  test('It resolves when the mean is back', () => {
    const alerts = drop(0.2, { lowMs: 12 * HOUR })
    expect(statesOf(alerts)).toEqual(['firing'])
    const back = [
      ...scores(START, START + 4 * DAY, 2_880, 0.9),
      ...scores(START + 4 * DAY, START + 4.5 * DAY, 360, 0.7),
      ...scores(START + 4.5 * DAY, START + 6 * DAY, 1_080, 0.9),
    ]
    expect(statesOf(alertsOf('score-drop', back, START + 6 * DAY))).toEqual(['firing', 'resolved'])
  })

  test('It is of an evaluator, a dimension and a feature, and names versions of prompts', () => {
    const records = [
      ...fourDaysAndOne({ dimension: 'relevance' }, 0.7),
      ...fourDaysAndOne({ dimension: 'safety' }, 0.9),
      ...fourDaysAndOne({ feature: 'chat' }, 0.9),
      ...fourDaysAndOne({ evaluator: 'people' }, 0.9),
    ]
    const alerts = alertsOf('score-drop', records, START + 5 * DAY)
    expect(alerts.map(({ group }) => group)).toEqual([
      { evaluator: 'judge', dimension: 'relevance', feature: 'search' },
    ])
    expect(alerts[0]?.baseline).toBeCloseTo(0.9, 2)
    expect(alerts[0]?.contributors.map(({ dimension }) => dimension)).toContain('prompt_version')
  })
})

/** So many first scores, and then others within half an hour. */
const afterFirst = (first: number, later: number, score: number, pauseMs = HOUR) => {
  const at = START + 2 * HOUR + pauseMs
  const records = [
    ...scores(START, START + 100 * MINUTE, first, 0.9),
    ...scores(at, at + 30 * MINUTE, later, score),
  ]
  return statesOf(alertsOf('score-below-first', records, at + HOUR))
}

describe('score-below-first', () => {
  test.each([
    ['0.7 of the first', 100, 20, 0.63, []],
    ['less than 0.7 of the first', 100, 20, 0.62, ['firing']],
    ['less, but of 19 scores', 100, 19, 0.1, []],
    ['less, but of 99 first scores and one of these', 99, 20, 0.1, ['firing']],
    ['less than what few first scores were', 50, 30, 0.1, []],
  ])('The mean of an hour is %s', (_, first, later, score, states) => {
    expect(afterFirst(first, later, score)).toEqual(states)
  })

  test('The first scores stay what they were, over nights without any', () => {
    expect(afterFirst(100, 20, 0.62, 3 * DAY)).toEqual(['firing'])
    const records = every(8 * HOUR, START, START + 4 * DAY).flatMap((atMs, i) =>
      scores(atMs, atMs + 30 * MINUTE, 40, 0.9 - i * 0.03),
    )
    // 40 of 0.9, 40 of 0.87 and 20 of 0.84 are the first, and below 0.6132 is too low.
    const [alert] = alertsOf('score-below-first', records, START + 4 * DAY)
    expect(alert?.baseline).toBeCloseTo(0.876, 9)
  })
})

const USE_CASES = [
  { rule: 'quality-critical', limit: 0.75, use: 'critical', other: 'chat', severity: 'critical' },
  { rule: 'quality', limit: 0.65, use: 'chat', other: 'critical', severity: 'warning' },
  { rule: 'quality', limit: 0.65, use: '', other: 'critical', severity: 'warning' },
]

describe.each(USE_CASES)(
  '$rule of the use case "$use"',
  ({ rule, limit, use, other, severity }) => {
    const mean = (score: number, count = 20, use_case = use) =>
      alertsOf(
        rule,
        scores(START, START + 5 * MINUTE, count, score, { use_case }),
        START + 10 * MINUTE,
      )

    test.each([
      [limit, []],
      [limit - 0.001, ['firing']],
    ])('A mean of %f: %j', (score, states) => {
      expect(statesOf(mean(score))).toEqual(states)
      expect(mean(score).every((alert) => alert.severity === severity)).toBe(true)
    })

    test('It is silent of fewer than 20 scores, and of another use', () => {
      expect([mean(0.1, 19), mean(0.1, 20, other)]).toEqual([[], []])
    })

    test('It goes on until it is 0.02 better', () => {
      const records = [limit - 0.1, limit + 0.01, limit + 0.03].flatMap((score, i) => {
        const fromMs = START + i * 10 * MINUTE
        return scores(fromMs, fromMs + 10 * MINUTE, 20, score, { use_case: use })
      })
      const until = (minutes: number) => {
        const untilMs = START + minutes * MINUTE
        const own = records.filter(({ eventMs }) => eventMs < untilMs)
        return statesOf(alertsOf(rule, own, untilMs))
      }
      expect(until(20)).toEqual(['firing'])
      expect(until(30)).toEqual(['firing', 'resolved'])
    })
  },
)

/** So many equal scores within an hour. */
const hourOf = (score: number, texts: Readonly<Record<string, string>>, count = 20) =>
  Array.from({ length: count }, (_, i) => scoreRow(START + i * MINUTE, score, texts))

describe('quality-cohort', () => {
  test.each([
    ['0.65', hourOf(0.65, { user_tier: 'free' }), []],
    ['less than 0.65', hourOf(0.649, { user_tier: 'free' }), ['firing']],
    ['less, but of 19 scores', hourOf(0.1, { user_tier: 'free' }, 19), []],
    ['less, but of users of no tier', hourOf(0.1, { user_tier: '' }), []],
  ])('The mean of an hour is %s: %j', (_, records, states) => {
    expect(statesOf(alertsOf('quality-cohort', records, START + HOUR))).toEqual(states)
  })

  test('It is of a tier, over all features, which it names', () => {
    const records = [
      ...hourOf(0.5, { user_tier: 'free', feature: 'search' }, 12),
      ...hourOf(0.5, { user_tier: 'free', feature: 'chat' }, 13),
      ...hourOf(0.9, { user_tier: 'paid' }),
    ]
    const alerts = alertsOf('quality-cohort', records, START + HOUR)
    expect(alerts.map(({ group }) => group)).toEqual([
      { user_tier: 'free', dimension: 'relevance' },
    ])
    expect(alerts[0]?.contributors.map(({ name }) => name)).toEqual(['chat', 'search'])
  })
})
