import { describe, expect, test } from 'vitest'
import { alertsOf, calls, fails, HOUR, MINUTE, minutesOf, START, statesOf } from './shipped-lab.ts'

const TEXTS = { model: 'gpt-4o', environment: 'production' }
const failing = (errorType: string) => ({ texts: { ...TEXTS, ...fails(errorType).texts } })

/** Minutes of so many calls, of which so many fail. */
const minutes = (
  each: readonly (readonly [count: number, failed: number])[],
  errorType = 'timeout',
) =>
  each.flatMap(([count, failed], minute) =>
    calls(START + minute * MINUTE, count, { texts: TEXTS }, failed, failing(errorType)),
  )
const times = <T>(count: number, one: T): readonly T[] => Array.from({ length: count }, () => one)

/** A hundred calls of a model, of which so many fail. */
const hundredCalls = (model: string, failed: number) =>
  calls(START, 100, { texts: { model } }, failed, { texts: { model, error_type: 'timeout' } })

describe('error-rate', () => {
  test.each([
    ['6 of 100 calls fail', times(10, [10, 0.6] as const), ['firing', 'resolved']],
    ['5 of 100 calls fail', times(10, [10, 0.5] as const), []],
    ['1 of 1 call fails', [[1, 1] as const], []],
    ['10 of 99 calls fail', [...times(9, [10, 1] as const), [9, 1] as const], []],
    ['all of 100 calls fail', times(10, [10, 10] as const), ['firing', 'resolved']],
  ])('%s: %j', (_, each, states) => {
    // So many a minute may be half a call: then every other minute has one.
    const whole = each.map(
      ([count, failed], i) =>
        [count, Math.floor(failed * (i + 1)) - Math.floor(failed * i)] as const,
    )
    expect(statesOf(alertsOf('error-rate', minutes(whole), START + HOUR))).toEqual(states)
  })

  test('It fires once, and resolves at 4 %', () => {
    const each = [
      ...times(10, [20, 0] as const),
      ...times(10, [20, 2] as const),
      ...times(20, [20, 0] as const),
    ]
    const alerts = alertsOf('error-rate', minutes(each), START + 40 * MINUTE)
    expect(statesOf(alerts)).toEqual(['firing', 'resolved'])
    // 12 of 200 are over the limit, 8 of 200 are not over where it resolves.
    expect(minutesOf(alerts, START)).toEqual([16, 26])
  })

  test('It names the types of errors, the most frequent first', () => {
    const records = [
      ...minutes(times(10, [20, 1]), 'timeout'),
      ...minutes(times(10, [20, 2]), 'rate_limit'),
    ]
    const [alert] = alertsOf('error-rate', records, START + 10 * MINUTE)
    expect(alert?.contributors.map(({ dimension, name }) => `${dimension} ${name}`)).toEqual([
      'error_type rate_limit',
      'error_type timeout',
    ])
  })

  test('What the caller cancelled is neither a failure nor a success', () => {
    const cancelled = minutes(times(10, [50, 50]), 'cancelled')
    expect(alertsOf('error-rate', cancelled, START + HOUR)).toEqual([])
    const records = [...cancelled, ...minutes(times(10, [10, 1]))]
    const [alert] = alertsOf('error-rate', records, START + 10 * MINUTE)
    expect(alert).toMatchObject({ value: 0.1, count: 100n })
  })

  test('It is of one model', () => {
    const alerts = alertsOf(
      'error-rate',
      [...hundredCalls('a', 0), ...hundredCalls('b', 9)],
      START + 10 * MINUTE,
    )
    expect(alerts.map(({ group, severity }) => [group, severity])).toEqual([
      [{ model: 'b' }, 'warning'],
    ])
  })
})

/** Sixty calls within a minute, of which six fail. */
const sixtyCalls = (model: string, environment: string) =>
  calls(START, 60, { texts: { model, environment } }, 6, {
    texts: { model, environment, error_type: 'timeout' },
  })

describe('error-rate-critical', () => {
  test.each([
    [
      '5 of 100 calls',
      [
        [50, 2],
        [50, 3],
      ] as const,
      [],
    ],
    [
      '6 of 100 calls',
      [
        [50, 3],
        [50, 3],
      ] as const,
      ['firing', 'resolved'],
    ],
    [
      '6 of 99 calls',
      [
        [50, 3],
        [49, 3],
      ] as const,
      [],
    ],
    [
      '6 of 100 calls in three minutes',
      [
        [34, 2],
        [33, 2],
        [33, 2],
      ] as const,
      [],
    ],
  ])('%s fail in two minutes: %j', (_, each, states) => {
    expect(statesOf(alertsOf('error-rate-critical', minutes(each), START + HOUR))).toEqual(states)
  })

  test('It is over all models of an environment', () => {
    const records = [
      ...sixtyCalls('a', 'production'),
      ...sixtyCalls('b', 'production'),
      ...sixtyCalls('a', 'staging'),
    ]
    const alerts = alertsOf('error-rate-critical', records, START + 2 * MINUTE)
    expect(alerts.map(({ group, severity }) => [group, severity])).toEqual([
      [{ environment: 'production' }, 'critical'],
    ])
    expect(alerts[0]?.contributors.map(({ name }) => name)).toEqual(['a', 'b'])
  })
})
