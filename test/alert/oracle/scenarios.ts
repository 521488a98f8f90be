/** One rule as it is written for us, and what says the same to Prometheus. */
export interface Scenario {
  readonly name: string
  /** Length of a bucket and of a step, minutes. */
  readonly stepMinutes: number
  readonly buckets: number
  /** Longest phase of the series, buckets. */
  readonly longestPhase: number
  readonly series: number
  /** Rules of ours, as YAML. */
  readonly rules: string
  readonly alerts: readonly PrometheusAlert[]
}

export interface PrometheusAlert {
  /** Name and level of our rule. */
  readonly rule: string
  readonly expr: string
  readonly forMinutes: number
  readonly keepMinutes: number
}

/** No series changes often enough for this to damp anything: Prometheus has no such thing. */
const UNDAMPED = 'flap: { firings: 1000, within: 1m }\n    renotify: never'

interface ErrorRate {
  readonly name: string
  readonly window: number
  /** Share that is too much, as a percentage and as a fraction of whole numbers. */
  readonly above: string
  readonly share: readonly [num: number, den: number]
  readonly for: number
  readonly resolveAfter: number
  readonly minCount: number
}

const ERROR_RATES: readonly ErrorRate[] = [
  {
    name: 'at-once',
    window: 10,
    above: '5%',
    share: [5, 100],
    for: 1,
    resolveAfter: 1,
    minCount: 20,
  },
  {
    name: 'three-in-a-row',
    window: 10,
    above: '5%',
    share: [5, 100],
    for: 3,
    resolveAfter: 1,
    minCount: 1,
  },
  {
    name: 'two-and-three',
    window: 2,
    above: '5%',
    share: [5, 100],
    for: 2,
    resolveAfter: 3,
    minCount: 8,
  },
  {
    name: 'five-and-two',
    window: 5,
    above: '12.5%',
    share: [125, 1_000],
    for: 5,
    resolveAfter: 2,
    minCount: 10,
  },
]

/**
 * A sum over the buckets of a window. Prometheus 2 takes both ends of a range in, and 3 the later one
 * alone: a second less than the window holds the same samples in both, as those stand at whole minutes.
 */
const sumOver = (metric: string, minutes: number): string =>
  `sum_over_time(${metric}[${minutes * 60 - 1}s])`

function errorRates(): Scenario {
  return {
    name: 'error rates with `for` and `resolve_after`',
    stepMinutes: 1,
    buckets: 180,
    longestPhase: 40,
    series: 200,
    rules: ERROR_RATES.map(
      (rate) => `
  - name: ${rate.name}
    metric: error_rate
    by: [service]
    window: ${rate.window}m
    condition: { above: ${rate.above} }
    for: ${rate.for}
    resolve_after: ${rate.resolveAfter}
    min_count: ${rate.minCount}
    ${UNDAMPED}`,
    ).join(''),
    alerts: ERROR_RATES.map(({ name, window, share: [num, den], ...rate }) => ({
      rule: name,
      // Whole numbers on both sides: a division would round where the share is exactly the limit.
      expr: `${sumOver('bad', window)} * ${den} > ${num} * ${sumOver('calls', window)} and ${sumOver('calls', window)} >= ${rate.minCount}`,
      forMinutes: rate.for - 1,
      keepMinutes: rate.resolveAfter - 1,
    })),
  }
}

interface BurnLevel {
  /** Rate in tenths, so that it is whole. */
  readonly tenths: number
  readonly long: number
  readonly short: number
}

/** The four levels of the Google SRE workbook, chapter 5, and the first of them scaled to minutes. */
const REAL_LEVELS: readonly BurnLevel[] = [
  { tenths: 144, long: 60, short: 5 },
  { tenths: 60, long: 360, short: 30 },
  { tenths: 30, long: 1_440, short: 120 },
  { tenths: 10, long: 4_320, short: 360 },
]
const SCALED_LEVELS: readonly BurnLevel[] = [
  { tenths: 144, long: 12, short: 1 },
  { tenths: 60, long: 36, short: 3 },
  { tenths: 30, long: 72, short: 6 },
  { tenths: 10, long: 144, short: 12 },
]

/** 95 % of success: of 100 calls 5 may fail. */
const ALLOWED_PERCENT = 5
const MIN_CALLS = 30
/** What may be spent in a day, for burn rates of cost. */
const BUDGET_USD = 20
const DAY_MINUTES = 1_440

function burnRule(
  name: string,
  levels: readonly BurnLevel[],
  kind: 'errors' | 'cost',
  stepMinutes: number,
): string {
  const budget = kind === 'errors' ? 'objective: 95%' : `budget: ${BUDGET_USD} USD`
  const period = kind === 'errors' ? '30d' : '1d'
  const lines = levels.map(
    ({ tenths, long, short }) => `
          - { rate: ${tenths / 10}, long: ${long}m, short: ${short}m }`,
  )
  return `
  - name: ${name}
    metric: ${kind === 'errors' ? 'error_rate' : 'sum(cost)'}
    by: [service]
    every: ${stepMinutes}m
    condition:
      burn:
        ${budget}
        period: ${period}
        levels:${lines.join('')}
    min_count: ${kind === 'errors' ? MIN_CALLS : 0}
    ${UNDAMPED}`
}

function burnAlerts(
  name: string,
  levels: readonly BurnLevel[],
  kind: 'errors' | 'cost',
): readonly PrometheusAlert[] {
  return levels.map(({ tenths, long, short }) => {
    const isFast = (minutes: number) =>
      kind === 'errors'
        ? `${sumOver('bad', minutes)} * 1000 > ${tenths * ALLOWED_PERCENT} * ${sumOver('calls', minutes)}`
        : `${sumOver('cents', minutes)} * ${10 * DAY_MINUTES} > ${tenths * BUDGET_USD * 100 * minutes}`
    const enough = kind === 'errors' ? ` and ${sumOver('calls', long)} >= ${MIN_CALLS}` : ''
    return {
      rule: `${name}/${tenths / 10}x`,
      expr: `${isFast(long)} and ${isFast(short)}${enough}`,
      forMinutes: 0,
      keepMinutes: 0,
    }
  })
}

function burnRates(): Scenario {
  const costLevels = SCALED_LEVELS.slice(0, 2)
  return {
    name: 'burn rates of errors and cost, scaled to minutes',
    stepMinutes: 1,
    buckets: 300,
    longestPhase: 80,
    series: 40,
    rules:
      burnRule('burn', SCALED_LEVELS, 'errors', 1) + burnRule('burn-cost', costLevels, 'cost', 1),
    alerts: [
      ...burnAlerts('burn', SCALED_LEVELS, 'errors'),
      ...burnAlerts('burn-cost', costLevels, 'cost'),
    ],
  }
}

function workbook(): Scenario {
  return {
    name: 'the burn rates of the SRE workbook over four days',
    stepMinutes: 5,
    buckets: 4 * 288,
    longestPhase: 300,
    series: 10,
    rules: burnRule('workbook', REAL_LEVELS, 'errors', 5),
    alerts: burnAlerts('workbook', REAL_LEVELS, 'errors'),
  }
}

/** Everything that is compared: 250 series. */
export const SCENARIOS: readonly Scenario[] = [errorRates(), burnRates(), workbook()]
