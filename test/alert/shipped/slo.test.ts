import { describe, expect, test } from 'vitest'
import type { LabRecord } from '../../support/alert-lab.ts'
import {
  alertsOf,
  calls,
  DAY,
  every,
  HOUR,
  MINUTE,
  minutesOf,
  spend,
  START,
  statesOf,
} from './shipped-lab.ts'

/** Levels, what they burn, and their windows: the four of the SRE workbook. */
const LEVELS = [
  { level: '14.4x', rate: 14.4, longMs: HOUR, shortMs: 5 * MINUTE, severity: 'critical' },
  { level: '6x', rate: 6, longMs: 6 * HOUR, shortMs: 30 * MINUTE, severity: 'critical' },
  { level: '3x', rate: 3, longMs: DAY, shortMs: 2 * HOUR, severity: 'warning' },
  { level: '1x', rate: 1, longMs: 3 * DAY, shortMs: 6 * HOUR, severity: 'warning' },
] as const

/** What may be bad or spent, by a rule. */
const RULES = [
  { rule: 'slo-errors', allowed: 0.01, bad: { texts: { service: 'api', error_type: 'timeout' } } },
  {
    rule: 'slo-latency',
    allowed: 0.05,
    bad: { texts: { service: 'api' }, values: { duration: 10_000_000_001 } },
  },
] as const

/** Calls of which a share is bad, as evenly as whole calls can be. */
function badShare(
  { bad }: Pick<(typeof RULES)[number], 'bad'>,
  fromMs: number,
  toMs: number,
  share: number,
  { stepMs = 5 * MINUTE, count = 60 } = {},
): readonly LabRecord[] {
  const good = { texts: { service: 'api' }, values: { duration: 9_999_999_999 } }
  return every(stepMs, fromMs, toMs).flatMap((atMs, i) => {
    // Share by share, so that the last of all is whole, too.
    const odd = Math.round((i + 1) * count * share) - Math.round(i * count * share)
    return calls(atMs, count, good, odd, bad)
  })
}

describe.each(RULES)('$rule', ({ rule, allowed, bad }) => {
  /** A stretch of time in which so many times what is allowed is bad, after an hour without. */
  function burn(rate: number, forMs: number, quietMs = HOUR) {
    const at = START + HOUR
    const records = [
      ...badShare({ bad }, START, at, 0),
      ...badShare({ bad }, at, at + forMs, rate * allowed),
      ...badShare({ bad }, at + forMs, at + forMs + quietMs, 0),
    ]
    return alertsOf(rule, records, at + forMs + quietMs)
  }
  const firing = (alerts: ReturnType<typeof burn>) =>
    statesOf(alerts).filter((state) => state.startsWith('firing'))

  test.each(LEVELS)(
    'burns above $level for its long window',
    ({ level, rate, longMs, severity }) => {
      const alerts = burn(rate * 1.05, longMs)
      const own = alerts.filter((alert) => alert.level === level)
      expect(statesOf(own)[0]).toBe(`firing ${level}`)
      expect(own[0]).toMatchObject({
        severity,
        group: { service: 'api' },
        unit: 'x',
        threshold: rate,
      })
    },
  )

  test.each(LEVELS)('does not burn at $level just below it', ({ level, rate, longMs }) => {
    expect(firing(burn(rate * 0.97, longMs))).not.toContain(`firing ${level}`)
  })

  test.each(LEVELS)(
    'ends when the short window of $level is over',
    ({ level, rate, longMs, shortMs }) => {
      const alerts = burn(rate * 1.3, longMs, shortMs + 10 * MINUTE)
      const own = alerts.filter((alert) => alert.level === level)
      expect(statesOf(own)).toEqual([`firing ${level}`, `resolved ${level}`])
      const [fired = 0, resolved = 0] = minutesOf(own, START + HOUR)
      expect(fired).toBeLessThan(longMs / MINUTE)
      // The long window is above the rate for longer: it holds all that was bad yet.
      expect(resolved).toBeGreaterThan(longMs / MINUTE)
      expect(resolved).toBeLessThanOrEqual((longMs + shortMs) / MINUTE)
    },
  )

  test('a faster level keeps the slower ones quiet', () => {
    const at = START + 3 * DAY
    const evenly = { count: 50 }
    const records = [
      ...badShare({ bad }, START, at, 0, evenly),
      ...badShare({ bad }, at, at + 3 * HOUR, 20 * allowed, evenly),
    ]
    const told = alertsOf(rule, records, at + 3 * HOUR)
    expect(told[0]).toMatchObject({ level: '14.4x', state: 'firing', notify: true, muted_by: '' })
    expect(told.slice(1).map(({ level }) => level)).toContain('6x')
    const mutes = told.slice(1).map(({ muted_by }) => muted_by)
    expect(new Set(mutes)).toEqual(new Set(['inhibited:14.4x']))
  })

  test('is silent of fewer than 500 calls', () => {
    const few = { stepMs: 10 * MINUTE, count: 80 }
    const records = badShare({ bad }, START, START + HOUR, 1, few)
    expect(alertsOf(rule, records, START + HOUR)).toEqual([])
    const more = badShare({ bad }, START, START + HOUR, 1, { ...few, count: 84 })
    expect(firing(alertsOf(rule, more, START + HOUR))).toContain('firing 14.4x')
  })
})

test('slo-latency is of calls of more than 10 s: 10 s are not', () => {
  const { bad } = { bad: { texts: { service: 'api' }, values: { duration: 10_000_000_000 } } }
  const records = every(5 * MINUTE, START, START + HOUR).flatMap((atMs) => calls(atMs, 60, bad))
  expect(alertsOf('slo-latency', records, START + HOUR)).toEqual([])
})

test('slo-errors does not count calls that were cancelled', () => {
  const cancelled = { texts: { service: 'api', error_type: 'cancelled' } }
  const records = every(5 * MINUTE, START, START + HOUR).flatMap((atMs) =>
    calls(atMs, 60, cancelled),
  )
  expect(alertsOf('slo-errors', records, START + HOUR)).toEqual([])
})

describe('slo-cost', () => {
  /** 3000 USD for 30 days. */
  const ALLOWED_AN_HOUR = 3_000 / (30 * 24)
  const burn = (rate: number, forMs: number, quietMs = 0) => {
    const usd = (rate * ALLOWED_AN_HOUR) / 12
    const records = every(5 * MINUTE, START, START + forMs).map((atMs) => spend(atMs, usd))
    return alertsOf('slo-cost', records, START + forMs + quietMs)
  }

  test.each(LEVELS)(
    'burns above $level for its long window',
    ({ level, rate, longMs, severity }) => {
      const own = burn(rate * 1.05, longMs).filter((alert) => alert.level === level)
      expect(statesOf(own)).toEqual([`firing ${level}`])
      expect(own[0]).toMatchObject({ severity, group: {}, unit: 'x' })
      expect(own[0]?.contributors).toMatchObject([{ dimension: 'tenant', name: 'acme' }])
    },
  )

  test.each(LEVELS)('does not burn at $level just below it', ({ level, rate, longMs }) => {
    expect(burn(rate * 0.97, longMs).filter((alert) => alert.level === level)).toEqual([])
  })

  test.each(LEVELS)(
    'ends when the short window of $level is over',
    ({ level, rate, longMs, shortMs }) => {
      const own = burn(rate * 1.3, longMs, shortMs + 10 * MINUTE).filter(
        (alert) => alert.level === level,
      )
      expect(statesOf(own)).toEqual([`firing ${level}`, `resolved ${level}`])
    },
  )
})
