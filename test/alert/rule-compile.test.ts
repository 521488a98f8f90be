import { describe, expect, test } from 'vitest'
import type { Rule } from '../../services/alert/rule.ts'
import { conditionOf, DAY, HOUR, levelsOf, MINUTE, readRules, ruleOf } from './rule-texts.ts'

const HEX = /^[0-9a-f]{16}$/

describe('A rule', () => {
  test('with nothing but what it must have has the defaults', () => {
    const series = {
      id: 'a76f1abe7766d00d',
      source: 'spans',
      where: [],
      by: [],
      keyLength: 0,
      hasBins: false,
      bucketMs: MINUTE,
      retainMs: 5 * MINUTE,
      maxGroups: 10_000,
    } as const
    const expected: Rule = {
      id: 'one',
      name: 'one',
      level: '',
      severity: 'warning',
      labels: {},
      summary: '{{rule}}: {{value}} (limit {{threshold}})',
      annotations: {},
      link: '{{grafana}}/d/spanmeter-overview?from={{from}}&to={{to}}',
      sources: ['spans'],
      by: [],
      condition: {
        type: 'threshold',
        measure: { series, read: { type: 'count' }, unit: '' },
        windowMs: 5 * MINUTE,
        direction: 'below',
        limit: 1,
        resolveLimit: 1,
      },
      everyMs: MINUTE,
      forCount: 1,
      resolveCount: 1,
      minCount: 0,
      noData: 'ok',
      renotifyMs: 4 * HOUR,
      flap: { firings: 4, withinMs: HOUR },
      maintenance: [],
      isEarly: false,
      inhibitedBy: [],
    }
    expect(ruleOf('metric: count\nwindow: 5m\ncondition: { below: 1 }')).toEqual(expected)
  })

  test('with everything has what it says', () => {
    const rule = ruleOf(`
summary: 'P95 of {{model}} is {{value}}'
metric: p95(duration)
where: { kind: llm, environment: [staging, production, staging], error_type: { not: cancelled } }
by: [model, attributes.app.tier]
max_groups: 50
contributors: tenant
window: 10m
every: 5m
condition: { above: 5s, resolve: 4s }
for: 5
resolve_after: 3
min_count: 20
no_data: keep
renotify: never
flap: { firings: 2, within: 2h }
severity: critical
labels: { team: platform }
annotations: { runbook: 'https://example.com/{{model}}' }
link: '{{grafana}}/d/mine?{{from}}'
`)
    const where = [
      { dimension: 'environment', values: ['production', 'staging'], isNegated: false },
      { dimension: 'error_type', values: ['cancelled'], isNegated: true },
      { dimension: 'kind', values: ['llm'], isNegated: false },
    ]
    const series = {
      source: 'spans',
      where,
      value: 'duration',
      bucketMs: 5 * MINUTE,
      retainMs: 10 * MINUTE,
    }
    const by = ['model', 'attributes.app.tier']
    expect(rule).toMatchObject({
      summary: 'P95 of {{model}} is {{value}}',
      by,
      condition: {
        measure: {
          series: { ...series, by, keyLength: 2, hasBins: true, maxGroups: 50 },
          read: { type: 'quantile', q: 0.95 },
          unit: 's',
        },
        windowMs: 10 * MINUTE,
        limit: 5,
        resolveLimit: 4,
      },
      contributors: {
        ...series,
        by: [...by, 'tenant'],
        keyLength: 2,
        hasBins: false,
        maxGroups: 250,
      },
      everyMs: 5 * MINUTE,
      forCount: 5,
      resolveCount: 3,
      minCount: 20,
      noData: 'keep',
      renotifyMs: 0,
      flap: { firings: 2, withinMs: 2 * HOUR },
      severity: 'critical',
      labels: { team: 'platform' },
      annotations: { runbook: 'https://example.com/{{model}}' },
      link: '{{grafana}}/d/mine?{{from}}',
    })
  })

  test('names its group where nobody says what it says', () => {
    const rule = ruleOf(
      'metric: sum(cost)\nwindow: 1h\nby: [tenant, attributes.a]\ncondition: { above: 1 USD }',
    )
    expect(rule.summary).toBe(
      '{{rule}} of tenant {{tenant}}, attributes.a {{attributes.a}}: {{value}} (limit {{threshold}})',
    )
    expect(rule.link).toBe(
      '{{grafana}}/d/spanmeter-cost?from={{from}}&to={{to}}&var-tenant={{tenant}}',
    )
  })

  test('is quiet for a stretch of time, or weekly', () => {
    const { maintenance } = ruleOf(`
metric: count
window: 5m
condition: { above: 1 }
maintenance:
  - { name: weekly, time_zone: Europe/Berlin, days: [sunday, monday], from: '22:00', until: '4:30' }
  - { name: daily, from: 02:00, until: 03:00 }
  - { name: move, from: 2026-12-01T00:00:00Z, until: 2026-12-02 }
`)
    const daily = { timeZone: 'UTC', days: [1, 2, 3, 4, 5, 6, 7] }
    expect(maintenance).toEqual([
      {
        name: 'weekly',
        timeZone: 'Europe/Berlin',
        days: [1, 7],
        fromMinute: 1_320,
        untilMinute: 270,
      },
      { name: 'daily', ...daily, fromMinute: 120, untilMinute: 180 },
      {
        name: 'move',
        timeZone: 'UTC',
        fromMs: Date.UTC(2026, 11, 1),
        untilMs: Date.UTC(2026, 11, 2),
      },
    ])
  })
})

describe('A metric', () => {
  test.each<[string, object]>([
    ['metric: count\ncondition: { above: 5 }', { read: { type: 'count' }, unit: '' }],
    [
      'metric: error_rate\ncondition: { above: 5% }',
      {
        read: { type: 'rate' },
        unit: 'ratio',
        series: {
          bad: { matches: [{ dimension: 'error_type', values: [''], isNegated: true }] },
        },
      },
    ],
    [
      'metric: rate\nbad: { status: error, kind: { not: [tool, agent] } }\ncondition: { above: 5% }',
      {
        series: {
          bad: {
            matches: [
              { dimension: 'kind', values: ['agent', 'tool'], isNegated: true },
              { dimension: 'status', values: ['error'], isNegated: false },
            ],
          },
        },
      },
    ],
    [
      'metric: rate\nbad: { ttft: above 1.5s, kind: llm }\ncondition: { above: 5% }',
      {
        series: {
          value: 'ttft',
          bad: {
            matches: [{ dimension: 'kind', values: ['llm'], isNegated: false }],
            above: { field: 'ttft', units: 1_500_000_000 },
          },
        },
      },
    ],
    [
      'metric: rate\nbad: { cost: above 0.1 USD }\ncondition: { above: 5% }',
      { series: { bad: { matches: [], above: { field: 'cost', units: 100_000_000_000 } } } },
    ],
    ['metric: sum(cost)\ncondition: { above: 1 USD }', { read: { type: 'sum' }, unit: 'USD' }],
    ['metric: sum(output_tokens)\ncondition: { above: 10 tokens }', { unit: 'tokens' }],
    [
      'metric: p99.9(ttft)\ncondition: { above: 1s }',
      { read: { type: 'quantile', q: 0.999 }, unit: 's', series: { value: 'ttft', hasBins: true } },
    ],
    [
      'metric: mean(score)\nsource: evaluations\ncondition: { below: 0.5 }',
      { read: { type: 'mean' }, unit: 'score', series: { source: 'evaluations', hasBins: false } },
    ],
    [
      'metric: mean(gauge)\nsource: system\nwhere: { observation: lag }\ncondition: { above: 100 }',
      { read: { type: 'mean' }, unit: '', series: { value: 'gauge' } },
    ],
    [
      'metric: mean(gauge)\nsource: system\nwhere: { observation: watermark_lag }\ncondition: { above: 5m }',
      { unit: 's' },
    ],
  ])('%s', (yaml, measure) => {
    expect(conditionOf(`window: 5m\n${yaml}`)).toMatchObject({ measure })
  })

  test.each([
    ['count', 0],
    ['sum(cost)', 0],
    ['mean(cost)', 1],
    ['p50(cost)', 1],
  ])('%s needs at least %d records to say something', (metric, minCount) => {
    const above = metric === 'count' ? '1' : '1 USD'
    const rule = ruleOf(`metric: ${metric}\nwindow: 5m\ncondition: { above: ${above} }`)
    expect(rule.minCount).toBe(minCount)
  })
})

describe('Steps', () => {
  test.each([
    ['40s', 40],
    ['90s', 30],
    ['1m', 60],
    ['1h', 60],
    ['3h', 60],
    ['6h', 300],
    ['1d', 900],
    ['7d', 3_600],
  ])('of a window of %s are %d s', (window, seconds) => {
    const rule = ruleOf(`metric: count\nwindow: ${window}\ncondition: { below: 1 }`)
    expect(rule.everyMs).toBe(seconds * 1_000)
  })
})

describe('A baseline', () => {
  const window = 'metric: sum(cost)\nwindow: 1h\nevery: 5m'

  test('may be the time before', () => {
    const baseline = 'baseline: { trailing: 1d, warmup: 12h, min_count: 5 }'
    expect(
      conditionOf(`${window}\ncondition: { above: 2x, ${baseline}, floor: 1 USD, resolve: 1.5x }`),
    ).toMatchObject({
      type: 'baseline',
      windowMs: HOUR,
      direction: 'above',
      times: 2,
      resolveTimes: 1.5,
      floor: 1,
      baseline: { type: 'trailing', overMs: DAY, warmupMs: 12 * HOUR, minCount: 5 },
      measure: { series: { retainMs: 25 * HOUR, bucketMs: 5 * MINUTE } },
    })
  })

  test.each([
    ['below: 0.9x', 'below', 0.9, 0.9],
    ['down: 10%', 'below', 0.9, 0.9],
    ['down: 10%, resolve: 7%', 'below', 0.9, 0.93],
    ['up: 50%, resolve: 20%', 'above', 1.5, 1.2],
  ])('%s', (form, direction, times, resolveTimes) => {
    expect(
      conditionOf(`${window}\ncondition: { ${form}, baseline: { trailing: 1d } }`),
    ).toMatchObject({
      direction,
      times,
      resolveTimes,
      floor: 0,
      baseline: { warmupMs: DAY, minCount: 20 },
    })
  })

  test('may be the first values', () => {
    const first = 'condition: { below: 0.7x, baseline: { first: 100 } }'
    expect(
      conditionOf(`source: evaluations\nmetric: mean(score)\nwindow: 1h\n${first}`),
    ).toMatchObject({
      baseline: { type: 'first', count: 100 },
      measure: { series: { retainMs: HOUR } },
    })
  })
})

describe('Burn rates', () => {
  test('are four levels, of which faster ones keep slower ones quiet', () => {
    const levels = levelsOf(
      'metric: error_rate\nby: [service]\ncondition: { burn: { objective: 99.9% } }',
    )
    expect(levels.map(({ id, level, severity }) => [id, level, severity])).toEqual([
      ['one/14.4x', '14.4x', 'critical'],
      ['one/6x', '6x', 'critical'],
      ['one/3x', '3x', 'warning'],
      ['one/1x', '1x', 'warning'],
    ])
    expect(levels.map(({ inhibitedBy }) => inhibitedBy)).toEqual([
      [],
      ['one/14.4x'],
      ['one/14.4x', 'one/6x'],
      ['one/14.4x', 'one/6x', 'one/3x'],
    ])
    const windows = [
      { rate: 14.4, longMs: HOUR, shortMs: 5 * MINUTE },
      { rate: 6, longMs: 6 * HOUR, shortMs: 30 * MINUTE },
      { rate: 3, longMs: DAY, shortMs: 2 * HOUR },
      { rate: 1, longMs: 3 * DAY, shortMs: 6 * HOUR },
    ]
    const series = { bucketMs: MINUTE, retainMs: 3 * DAY }
    expect(levels.map(({ condition }) => condition)).toMatchObject(
      windows.map((window) => ({
        type: 'burn',
        allowed: 0.001,
        periodMs: 30 * DAY,
        ...window,
        measure: { series },
      })),
    )
    expect(levels.map(({ everyMs, isEarly }) => [everyMs, isEarly])).toEqual(
      levels.map(() => [MINUTE, false]),
    )
  })

  test('may be of an amount, and of levels of their own', () => {
    const [fast, slow] = levelsOf(`
metric: sum(cost)
severity: info
condition:
  burn:
    budget: 700 USD
    period: 7d
    levels:
      - { rate: 2, long: 6h, short: 1h }
      - { rate: 10, long: 1h, short: 5m, severity: critical }
`)
    expect(fast).toMatchObject({ id: 'one/2x', severity: 'info', inhibitedBy: ['one/10x'] })
    expect(slow).toMatchObject({ id: 'one/10x', severity: 'critical', inhibitedBy: [] })
    expect(fast?.condition).toMatchObject({ allowed: 700, periodMs: 7 * DAY, longMs: 6 * HOUR })
  })

  test('of one level go by the name of the rule', () => {
    const levels = '[{ rate: 2, long: 6h, short: 1h }]'
    const rule = ruleOf(
      `metric: error_rate\ncondition: { burn: { objective: 99%, levels: ${levels} } }`,
    )
    expect(rule).toMatchObject({ id: 'one', level: '', inhibitedBy: [] })
  })
})

describe('A budget', () => {
  test('has a level for each part and one for its projection', () => {
    const levels = levelsOf(`
metric: sum(cost)
by: [tenant]
condition:
  budget:
    limit: 100 USD
    period: month
    at: [50%, { part: 100%, severity: critical }, 80%]
    projected: 90%
    time_zone: Europe/Berlin
    cycle_day: 3
    overrides:
      - { match: { tenant: acme }, limit: 500 USD, time_zone: America/New_York, cycle_day: 15 }
      - { match: { tenant: house }, limit: 1 USD }
`)
    const rows = levels.map((rule) => [rule.id, rule.severity, rule.isEarly, rule.inhibitedBy])
    expect(rows).toEqual([
      ['one/50%', 'warning', true, []],
      ['one/100%', 'critical', true, []],
      ['one/80%', 'warning', true, []],
      ['one/projected', 'warning', false, []],
    ])
    const period = { unit: 'month', timeZone: 'Europe/Berlin', cycleDay: 3 }
    expect(levels.map(({ condition }) => condition)).toMatchObject(
      [
        [0.5, false],
        [1, false],
        [0.8, false],
        [0.9, true],
      ].map(([part, isProjected]) => ({
        type: 'budget',
        limit: 100,
        part,
        isProjected,
        period,
        overrides: [
          {
            match: { tenant: 'acme' },
            limit: 500,
            period: { unit: 'month', timeZone: 'America/New_York', cycleDay: 15 },
          },
          { match: { tenant: 'house' }, limit: 1, period },
        ],
        measure: { series: { bucketMs: HOUR } },
      })),
    )
  })

  test.each([
    ['hour', 'UTC', MINUTE],
    ['hour', 'Asia/Kolkata', MINUTE],
    ['day', 'UTC', HOUR],
    ['week', 'Europe/Berlin', HOUR],
    ['day', 'Asia/Kolkata', 15 * MINUTE],
    ['month', 'Asia/Kathmandu', 15 * MINUTE],
  ])('of a %s in %s counts in buckets that fit', (period, zone, bucketMs) => {
    const budget = `{ limit: 1 USD, period: ${period}, time_zone: ${zone} }`
    const rule = ruleOf(`metric: sum(cost)\ncondition: { budget: ${budget} }`)
    expect(rule).toMatchObject({ id: 'one', level: '', everyMs: bucketMs, isEarly: true })
    expect(rule.condition).toMatchObject({ measure: { series: { bucketMs } }, part: 1 })
  })

  test('counts in the buckets that the zone of an override needs', () => {
    const overrides = '[{ match: { tenant: a }, time_zone: Australia/Lord_Howe }]'
    const rule = ruleOf(
      `metric: count\nby: [tenant]\ncondition: { budget: { limit: 9, period: day, overrides: ${overrides} } }`,
    )
    expect(rule.everyMs).toBe(15 * MINUTE)
  })

  test.each([
    ['hour', HOUR],
    ['day', DAY],
    ['week', 7 * DAY],
    ['month', 31 * DAY],
  ])('of a %s keeps all of it, also when clocks change', (period, ms) => {
    const rule = ruleOf(`metric: count\ncondition: { budget: { limit: 9, period: ${period} } }`)
    const { retainMs = 0 } = 'measure' in rule.condition ? rule.condition.measure.series : {}
    expect(retainMs).toBeGreaterThanOrEqual(period === 'hour' ? ms : ms + HOUR)
    expect(retainMs).toBeLessThanOrEqual(ms + 2 * HOUR)
  })

  test('that is projected keeps what its profile is made of', () => {
    const rule = ruleOf(
      'metric: count\ncondition: { budget: { limit: 9, period: day, projected: 100% } }',
    )
    expect(rule.condition).toMatchObject({ isProjected: true })
    const { retainMs = 0 } = 'measure' in rule.condition ? rule.condition.measure.series : {}
    expect(retainMs).toBeGreaterThanOrEqual(29 * DAY)
  })
})

describe('Several conditions', () => {
  const rule = ruleOf(`
by: [feature]
contributors: model
every: 5m
condition:
  all:
    - metric: mean(duration)
      where: { kind: llm }
      window: 30m
      condition: { above: 1.5x, baseline: { trailing: 1d } }
    - { metric: mean(score), source: evaluations, window: 1h, condition: { below: 0.9 } }
    - not: { metric: error_rate, window: 10m, condition: { above: 5% } }
`)

  test('each have their own metric and window', () => {
    expect(rule).toMatchObject({
      sources: ['spans', 'evaluations'],
      everyMs: 5 * MINUTE,
      minCount: 1,
    })
    expect(rule.condition).toMatchObject({
      type: 'all',
      conditions: [
        { type: 'baseline', windowMs: 30 * MINUTE, times: 1.5 },
        { type: 'threshold', windowMs: HOUR, limit: 0.9, measure: { unit: 'score' } },
        { type: 'not', condition: { type: 'threshold', windowMs: 10 * MINUTE, limit: 0.05 } },
      ],
    })
    expect(rule.isEarly).toBe(false)
  })

  test('have contributors of the first', () => {
    expect(rule.contributors).toMatchObject({
      source: 'spans',
      value: 'duration',
      by: ['feature', 'model'],
      keyLength: 1,
      bucketMs: 5 * MINUTE,
      retainMs: 30 * MINUTE,
    })
    expect(rule.contributors?.id).toMatch(HEX)
  })

  test('of several sources are kept longer, as the slowest decides', () => {
    const retained =
      rule.condition.type === 'all'
        ? rule.condition.conditions.map((part) =>
            'measure' in part ? part.measure.series.retainMs : undefined,
          )
        : []
    expect(retained).toEqual([DAY + 30 * MINUTE + 6 * HOUR, 7 * HOUR, undefined])
  })
})

describe('What later records cannot undo', () => {
  test.each([
    ['metric: sum(cost)\nwindow: 1h\ncondition: { above: 5 USD }', true],
    ['metric: count\nwindow: 1h\ncondition: { above: 5 }', true],
    ['metric: count\nwindow: 1h\ncondition: { above: 5 }\nfor: 2', false],
    ['metric: count\nwindow: 1h\ncondition: { below: 5 }', false],
    ['metric: mean(cost)\nwindow: 1h\ncondition: { above: 5 USD }', false],
    ['metric: error_rate\nwindow: 1h\ncondition: { above: 5% }', false],
    ['metric: sum(cost)\nwindow: 1h\ncondition: { above: 2x, baseline: { trailing: 1d } }', false],
  ])('%s: %s', (yaml, isEarly) => {
    expect(ruleOf(yaml).isEarly).toBe(isEarly)
  })

  test.each([
    ['30s', '1m', 1, 2],
    ['30s', '10s', 1, 4],
    ['25s', '10s', 1, 4],
    ['0s', '1m', 1, 1],
    ['30s', '1m', 5, 5],
  ])(
    'with a lateness of %s and steps of %s, resolves after %d: %d',
    (late, every, given, expected) => {
      const [rule] = readRules(`
allowed_lateness: ${late}
rules:
  - name: one
    metric: count
    window: 10m
    every: ${every}
    resolve_after: ${given}
    condition: { above: 5 }
`).rules
      expect(rule).toMatchObject({ isEarly: true, resolveCount: expected })
    },
  )

  test('but for a budget, which lasts for its period', () => {
    const rule = ruleOf('metric: count\ncondition: { budget: { limit: 9, period: hour } }')
    expect(rule).toMatchObject({ isEarly: true, resolveCount: 1 })
  })
})
