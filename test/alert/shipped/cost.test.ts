import { describe, expect, test } from 'vitest'
import {
  alertsOf,
  DAY,
  every,
  HOUR,
  MINUTE,
  minutesOf,
  shippedRules,
  spend,
  START,
  statesOf,
} from './shipped-lab.ts'

/** So much an hour, from one time to another, in two calls a minute. */
const spending = (fromMs: number, toMs: number, usdAnHour: number, texts = {}) =>
  every(MINUTE / 2, fromMs, toMs).map((atMs) => spend(atMs, usdAnHour / 120, texts))

/** Hours of usual spending, an hour of `times` as much, and three more as before. */
function spike(times: number, { usual = 2, knownMs = 30 * HOUR } = {}) {
  const at = START + knownMs
  const records = [
    ...spending(START, at, usual),
    ...spending(at, at + HOUR, usual * times),
    ...spending(at + HOUR, at + 4 * HOUR, usual),
  ]
  return alertsOf('cost-spike', records, at + 4 * HOUR)
}

describe('cost-spike', () => {
  test.each([
    [3, ['firing', 'resolved']],
    [2.1, ['firing', 'resolved']],
    [2, []],
    [1.9, []],
    [0.1, []],
  ])('An hour of %f times the usual: %j', (times, states) => {
    expect(statesOf(spike(times))).toEqual(states)
  })

  test.each([
    ['silent below 1 USD, however small the usual is', { usual: 0.1 }, 9.9, []],
    ['not silent above it', { usual: 0.1 }, 10.1, ['firing', 'resolved']],
    ['silent at a cold start', { knownMs: 0 }, 30, []],
    ['silent while less than a day and the window are known', { knownMs: 23 * HOUR }, 3, []],
    ['not silent from then on', { knownMs: 24 * HOUR + 5 * MINUTE }, 3, ['firing', 'resolved']],
  ])('It is %s', (_, known, times, states) => {
    expect(statesOf(spike(times, known))).toEqual(states)
  })

  test('It names the tenant, the usual and the models that cost most', () => {
    const at = START + 30 * HOUR
    const records = [
      ...spending(START, at + HOUR, 2, { model: 'small' }),
      ...spending(START, at + HOUR, 2, { tenant: 'other' }),
      ...spending(at, at + HOUR, 4, { model: 'large' }),
    ]
    const [alert, ...others] = alertsOf('cost-spike', records, at + HOUR)
    expect(others).toEqual([])
    expect(alert).toMatchObject({ group: { tenant: 'acme' }, unit: 'USD' })
    expect(alert?.baseline).toBeCloseTo(2, 4)
    expect(alert?.value).toBeGreaterThan(4)
    expect(alert?.contributors.map(({ name }) => name)).toEqual(['large', 'small'])
  })
})

describe('spend-day', () => {
  test.each([
    [99.99, []],
    [100, ['firing']],
    [300, ['firing']],
  ])('%f USD in a day: %j', (usd, states) => {
    const records = spending(START, START + 23 * HOUR, usd / 23)
    expect(statesOf(alertsOf('spend-day', records, START + 23 * HOUR))).toEqual(states)
  })

  test('Days are told apart, and each has a firing of its own', () => {
    const records = spending(START, START + 2 * DAY, 5)
    const alerts = alertsOf('spend-day', records, START + 2 * DAY + HOUR)
    expect(statesOf(alerts)).toEqual(['firing', 'resolved', 'firing', 'resolved'])
    expect(minutesOf(alerts, START).map((minutes) => minutes / 60)).toEqual([20, 24, 44, 48])
    const two = spending(START + 12 * HOUR, START + 36 * HOUR, 8)
    expect(alertsOf('spend-day', two, START + 2 * DAY)).toEqual([])
  })
})

describe.each([
  ['spend-hour', 10, 'warning'],
  ['spend-hour-critical', 50, 'critical'],
])('%s', (rule, limit, severity) => {
  test.each([
    [limit, []],
    [limit + 0.01, ['firing', 'resolved']],
  ])('%f USD within an hour: %j', (usd, states) => {
    const at = START + 30 * MINUTE
    const records = [spend(at, usd / 2), spend(at + 59 * MINUTE, usd / 2)]
    const alerts = alertsOf(rule, records, at + 3 * HOUR)
    expect(statesOf(alerts)).toEqual(states)
    expect(alerts.every((alert) => alert.severity === severity)).toBe(true)
  })

  test('What is spent in two hours is not spent in one', () => {
    const records = [spend(START, limit), spend(START + 61 * MINUTE, limit)]
    expect(alertsOf(rule, records, START + 3 * HOUR)).toEqual([])
  })
})

describe('user-spend-hour', () => {
  test.each([
    [5, 'u1', []],
    [5.01, 'u1', ['firing', 'resolved']],
    [50, '', []],
  ])('%f USD of the user "%s" within an hour: %j', (usd, user, states) => {
    const records = [0, 15, 30, 50].map((minute) =>
      spend(START + minute * MINUTE, usd / 4, { user }),
    )
    expect(statesOf(alertsOf('user-spend-hour', records, START + 3 * HOUR))).toEqual(states)
  })

  test('Of 10,000 users the one who spends too much is named, and nobody else', () => {
    const records = Array.from({ length: 10_000 }, (_, i) =>
      spend(START + (i % 60) * MINUTE, i === 4_711 ? 5.01 : 4.99, { user: `u${i}` }),
    )
    const alerts = alertsOf('user-spend-hour', records, START + 2.5 * HOUR)
    expect(statesOf(alerts)).toEqual(['firing', 'resolved'])
    expect(alerts[0]?.group).toEqual({ tenant: 'acme', user: 'u4711' })
    expect(alerts[0]?.summary).toContain('u4711')
  })

  test('Users of the same name are those of their tenants', () => {
    const records = ['a', 'b'].map((tenant) => spend(START, 3, { user: 'u', tenant }))
    expect(alertsOf('user-spend-hour', records, START + HOUR)).toEqual([])
  })
})

const RULE = 'tenant-feature-month'

/** Levels of the rule, with a file of a user's. */
const levelsOf = (own: string) =>
  shippedRules(own)
    .rules.filter(({ name }) => name === RULE)
    .map(({ level }) => level)

/** So much each day, from so many days before the month on; other amounts at weekends. */
function daily(usd: number, { fromDay = 0, days = 5, weekend = usd } = {}) {
  const records = every(HOUR, START + fromDay * DAY, START + days * DAY).map((atMs) => {
    const isWeekend = [0, 6].includes(new Date(atMs).getUTCDay())
    return spend(atMs, (isWeekend ? weekend : usd) / 24)
  })
  return alertsOf(RULE, records, START + days * DAY)
}

describe('tenant-feature-month', () => {
  const END = START + 30 * DAY

  test.each([
    [1_499.99, []],
    [1_500, ['firing 50%']],
    [2_399.99, ['firing 50%']],
    [2_400, ['firing 50%', 'firing 80%']],
    [2_999.99, ['firing 50%', 'firing 80%']],
    [3_000, ['firing 50%', 'firing 80%', 'firing 100%']],
  ])('%f USD by the last day of a month, each part once: %j', (usd, states) => {
    const lastDay = END - DAY
    const records = [
      ...[0.5, 0.8, 1].map((part, i, parts) =>
        spend(lastDay + i * HOUR, (part - (parts[i - 1] ?? 0)) * usd),
      ),
      ...spending(lastDay + 4 * HOUR, END, 0.000001),
    ]
    const alerts = alertsOf(RULE, records, END - HOUR)
    expect(statesOf(alerts).filter((state) => !state.includes('projected'))).toEqual(states)
  })

  test('Parts have severities of their own', () => {
    const records = [0, 1, 2].map((hour) => spend(END - DAY + hour * HOUR, 1_499))
    const alerts = alertsOf(RULE, [...records, spend(END - 20 * HOUR, 9)], END - HOUR)
    expect(alerts.map(({ level, severity }) => [level, severity])).toEqual(
      expect.arrayContaining([
        ['50%', 'info'],
        ['80%', 'warning'],
        ['100%', 'critical'],
      ]),
    )
  })

  test('It is the month of one tenant and one feature', () => {
    const at = END - DAY
    const records = [
      spend(at, 1_400),
      spend(at, 1_400, { tenant: 'other' }),
      spend(at, 1_400, { feature: 'chat' }),
    ]
    expect(alertsOf(RULE, records, END)).toEqual([])
  })

  test('The next month begins anew', () => {
    const records = [spend(END - HOUR, 1_600), spend(END + 29 * DAY, 1_600)]
    const alerts = alertsOf(RULE, records, END + 29.5 * DAY)
    expect(statesOf(alerts)).toEqual(['firing 50%', 'resolved 50%', 'firing 50%'])
    expect(minutesOf(alerts, END)[1]).toBe(0)
  })

  describe('The projection', () => {
    test.each([
      ['99 USD a day', 99, []],
      ['101 USD a day', 101, ['firing projected']],
    ])('goes on as so far while no week is known: %s', (_, usd, states) => {
      expect(statesOf(daily(usd))).toEqual(states)
    })

    test('waits for a day of the month', () => {
      expect(minutesOf(daily(120), START)).toEqual([24 * 60])
      expect(daily(120, { days: 0.9 })).toEqual([])
    })

    test.each([
      ['136 USD on each of the 22 days of work', 136, []],
      ['137 USD', 137, ['firing projected']],
    ])('knows the days of a week once it has seen some: %s', (_, usd, states) => {
      const alerts = daily(usd, { fromDay: -28, weekend: 0 })
      const own = alerts.filter(({ time_unix_nano: time }) => Number(time / 1_000_000n) > START)
      expect(statesOf(own).filter((state) => state.startsWith('firing'))).toEqual(states)
    })

    test('tells for itself beside the limit', () => {
      const alerts = alertsOf(
        RULE,
        [spend(START + HOUR, 3_100), ...spending(START + 2 * HOUR, START + 3 * DAY, 1)],
        START + 3 * DAY,
      )
      const projected = alerts.filter(({ level }) => level === 'projected')
      expect(projected.map(({ notify, muted_by }) => [notify, muted_by])).toEqual([[true, '']])
    })
  })

  describe('A file of a user', () => {
    const OWN = `
rules:
  - name: tenant-feature-month
    metric: sum(cost)
    by: [tenant, feature]
    condition:
      budget:
        limit: 3000 USD
        period: month
        at: [50%, 80%, 100%]
        overrides:
          - { match: { tenant: acme }, limit: 100 USD, time_zone: America/New_York, cycle_day: 15 }`
    /** New York's 15th starts four hours after that of UTC. */
    const CYCLE = Date.parse('2026-06-15T04:00:00Z')

    test('has limits, time zones and cycle days of tenants', () => {
      const records = [
        spend(CYCLE - HOUR, 60),
        spend(CYCLE - HOUR, 1_000, { tenant: 'other' }),
        spend(CYCLE + HOUR, 60),
        spend(CYCLE + HOUR, 500, { tenant: 'other' }),
        spend(CYCLE + 20 * DAY, 20),
      ]
      const alerts = alertsOf(RULE, records, CYCLE + 25 * DAY, OWN)
      const of = (tenant: string) => alerts.filter(({ group }) => group['tenant'] === tenant)
      const parts = (tenant: string, level: string) =>
        of(tenant)
          .filter((alert) => alert.level === level)
          .map(({ state }) => state)
      expect(parts('acme', '50%')).toEqual(['firing', 'resolved', 'firing'])
      expect(parts('acme', '80%')).toEqual(['firing'])
      expect(parts('acme', '100%')).toEqual([])
      expect(statesOf(of('other'))).toEqual(['firing 50%', 'resolved 50%'])
      const [, resolved] = minutesOf(
        of('acme').filter(({ level }) => level === '50%'),
        CYCLE,
      )
      expect(resolved).toBe(0)
    })

    test('replaces the whole rule that ships', () => {
      expect(levelsOf('')).toEqual(['50%', '80%', '100%', 'projected'])
      expect(levelsOf(OWN)).toEqual(['50%', '80%', '100%'])
    })
  })
})
