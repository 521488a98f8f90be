import { describe, expect, test } from 'vitest'
import { alertsOf, calls, HOUR, MINUTE, minutesOf, START, statesOf, takes } from './shipped-lab.ts'

/** Minutes of twenty calls each, that take so many seconds; none in a minute of 0 seconds. */
const minutes = (...seconds: readonly number[]) =>
  seconds.flatMap((one, minute) =>
    one === 0 ? [] : calls(START + minute * MINUTE, 20, takes(one)),
  )

/** Five minutes of twenty calls each. */
const fiveMinutes = (texts: Readonly<Record<string, string>>, seconds: number) =>
  [0, 1, 2, 3, 4].flatMap((minute) =>
    calls(START + minute * MINUTE, 20, { texts, ...takes(seconds) }),
  )

describe.each([
  { rule: 'latency-p95', limit: 5, back: 4, severity: 'warning' },
  { rule: 'latency-p95-critical', limit: 10, back: 8, severity: 'critical' },
])('$rule', ({ rule, limit, back, severity }) => {
  const bad = limit * 1.03
  const good = 1

  test.each([
    ['four bad minutes and a good one', [bad, bad, bad, bad, good], []],
    ['five bad minutes: at the end of the fifth', [bad, bad, bad, bad, bad], [5, 6]],
    ['eight bad minutes: once', [bad, bad, bad, bad, bad, bad, bad, bad], [5, 9]],
    ['four, and four more', [bad, bad, bad, bad, good, bad, bad, bad, bad], []],
    ['an empty minute, which counts as good', [bad, bad, bad, bad, 0, bad, bad], []],
    ['five minutes just below', Array.from({ length: 8 }, () => limit * 0.98), []],
  ])('%s', (_, seconds, changes) => {
    const alerts = alertsOf(rule, minutes(...seconds), START + HOUR)
    expect(minutesOf(alerts, START)).toEqual(changes)
    expect(statesOf(alerts)).toEqual(changes.map((_time, i) => (i === 0 ? 'firing' : 'resolved')))
    expect(alerts.every((alert) => alert.severity === severity)).toBe(true)
  })

  test('goes on until it is back to where it resolves', () => {
    const between = (limit + back) / 2
    const seconds = [bad, bad, bad, bad, bad, between, between, between, back * 0.98]
    const alerts = alertsOf(rule, minutes(...seconds), START + 9 * MINUTE)
    expect(minutesOf(alerts, START)).toEqual([5, 9])
  })

  test.each([
    [5, 0],
    [6, 1],
  ])('%i of 100 calls are slow: fires %i times', (slow, times) => {
    const records = [0, 1, 2, 3, 4].flatMap((minute) =>
      calls(START + minute * MINUTE, 100, takes(1), slow, takes(limit * 3)),
    )
    expect(alertsOf(rule, records, START + 5 * MINUTE)).toHaveLength(times)
  })

  test.each([
    [9, 0],
    [10, 1],
  ])('%i calls a minute: fires %i times', (count, times) => {
    const records = [0, 1, 2, 3, 4].flatMap((minute) =>
      calls(START + minute * MINUTE, count, takes(limit * 3)),
    )
    expect(alertsOf(rule, records, START + 5 * MINUTE)).toHaveLength(times)
  })

  test('is of one model, and of calls of models alone', () => {
    const records = [
      ...fiveMinutes({ model: 'fast' }, 1),
      ...fiveMinutes({ model: 'slow' }, limit * 2),
      ...fiveMinutes({ kind: 'tool', model: 'tool' }, limit * 5),
    ]
    const alerts = alertsOf(rule, records, START + 5 * MINUTE)
    expect(alerts.map(({ group }) => group)).toEqual([{ model: 'slow' }])
    expect(alerts[0]?.summary).toContain('slow')
  })
})
