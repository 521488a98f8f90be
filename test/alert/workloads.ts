import * as fc from 'fast-check'
import { type LabRecord, scoreRow, spanRow } from '../support/alert-lab.ts'
import { createRandom, type Random } from './random.ts'
import { MINUTE } from './rule-texts.ts'

/** What goes on for a while in one tenant. All kinds of rules of WORKLOAD_RULES find theirs in it. */
export interface Episode {
  readonly tenant: string
  readonly fromMinute: number
  readonly minutes: number
  readonly perMinute: number
  readonly seconds: number
  readonly errorPercent: number
  readonly cents: number
  /** Quality of answers, percent; one of five calls is scored. */
  readonly score: number
}

/** A stretch of time with calls and scores. */
export interface Workload {
  readonly seed: number
  readonly startMs: number
  readonly minutes: number
  readonly episodes: readonly Episode[]
}

const TENANTS = ['acme', 'umbrella'] as const
const MODELS = ['gpt-4o', 'claude', 'tiny'] as const
const ERRORS = ['timeout', 'rate_limit'] as const

/** Not long before midnight in UTC and in Berlin, so that hours and days end in it, and at whichever hour. */
const STARTS = ['2026-06-17T21:30:00Z', '2026-06-17T23:20:00Z', '2026-06-17T09:05:00Z'] as const

/** Workloads of so many minutes, and so many episodes at most. */
export function workloadsOf(minutes: number, episodes: number): fc.Arbitrary<Workload> {
  const episode: fc.Arbitrary<Episode> = fc.record({
    tenant: fc.constantFrom(...TENANTS),
    fromMinute: fc.nat(minutes),
    minutes: fc.integer({ min: 1, max: 30 }),
    perMinute: fc.constantFrom(1, 2, 5, 9),
    seconds: fc.constantFrom(1, 2, 6),
    errorPercent: fc.constantFrom(0, 0, 5, 40),
    cents: fc.constantFrom(0, 2, 10, 60),
    score: fc.constantFrom(95, 90, 60),
  })
  return fc.record({
    seed: fc.nat(),
    startMs: fc.constantFrom(...STARTS).map((start) => Date.parse(start)),
    minutes: fc.constant(minutes),
    episodes: fc.array(episode, { minLength: 1, maxLength: episodes }),
  })
}

/** A call now and then, so that no group is forgotten: which of them are depends on when time goes on. */
const TRICKLE: Omit<Episode, 'tenant' | 'minutes'> = {
  fromMinute: 0,
  perMinute: 0.15,
  seconds: 1,
  errorPercent: 0,
  cents: 0,
  score: 95,
}

/** The records of a workload by rising event time: the same for the same workload. */
export function recordsOf({ seed, startMs, minutes, episodes }: Workload): readonly LabRecord[] {
  const random = createRandom(seed)
  return [...episodes, ...TENANTS.map((tenant) => ({ ...TRICKLE, tenant, minutes }))]
    .flatMap((one) => {
      const untilMinute = Math.min(one.fromMinute + one.minutes, minutes)
      const calls = Math.round(Math.max(0, untilMinute - one.fromMinute) * one.perMinute)
      return Array.from({ length: calls }, () =>
        callOf(one, startMs + (one.fromMinute + random.next() * one.minutes) * MINUTE, random),
      ).flat()
    })
    .toSorted((a, b) => a.eventMs - b.eventMs)
}

function callOf(one: Episode, timeMs: number, random: Random): readonly LabRecord[] {
  const eventMs = Math.floor(timeMs)
  const { tenant } = one
  const isError = random.next() * 100 < one.errorPercent
  const partition = random.whole(0, 9)
  const span = spanRow(eventMs, {
    traceId: `trace-${random.whole(1, 1e9)}`,
    texts: {
      tenant,
      model: random.pick(MODELS),
      user: `user-${random.whole(1, 3)}`,
      error_type: isError ? random.pick(ERRORS) : '',
    },
    values: {
      duration: Math.round(one.seconds * (0.5 + random.next()) * 1e9),
      cost: BigInt(one.cents) * 10_000_000_000n + BigInt(random.whole(0, 999)),
    },
  })
  const call = { ...span, partition }
  if (random.next() > 0.2) return [call]
  const score = scoreRow(eventMs, one.score / 100 + (random.next() - 0.5) * 0.1, { tenant })
  return [call, { ...score, partition }]
}

const COMMON = 'renotify: never\n    flap: { firings: 1000, within: 1m }'

/** Rules whose windows are decided when time has passed them. */
export const STEADY_RULES = `
  - name: latency
    metric: p95(duration)
    by: [tenant, model]
    window: 1m
    condition: { above: 5s, resolve: 4s }
    for: 3
    renotify: 10m
  - name: errors
    metric: error_rate
    by: [tenant]
    contributors: error_type
    window: 10m
    condition: { above: 5%, resolve: 4% }
    min_count: 5
    flap: { firings: 2, within: 15m }
  - name: silence
    metric: count
    by: [tenant]
    window: 5m
    condition: { below: 3 }
    no_data: alert
    for: 2
    resolve_after: 2
  - name: usual-cost
    metric: sum(cost)
    by: [tenant]
    window: 5m
    condition: { above: 2x, baseline: { trailing: 30m, warmup: 15m, min_count: 5 }, floor: 0.2 USD, resolve: 1.5x }
  - name: usual-latency
    metric: p50(duration)
    by: [tenant]
    window: 10m
    condition: { up: 50%, baseline: { trailing: 20m, warmup: 10m, min_count: 3 } }
    no_data: keep
  - name: score-drop
    source: evaluations
    metric: mean(score)
    by: [tenant, dimension]
    window: 10m
    condition: { down: 10%, baseline: { trailing: 30m, warmup: 10m, min_count: 3 }, resolve: 7% }
    min_count: 2
  - name: score-first
    source: evaluations
    metric: mean(score)
    by: [tenant]
    window: 5m
    condition: { below: 0.8x, baseline: { first: 6 } }
    no_data: keep
  - name: burn
    metric: error_rate
    by: [tenant]
    condition:
      burn:
        objective: 95%
        levels:
          - { rate: 6, long: 10m, short: 2m, severity: critical }
          - { rate: 2, long: 30m, short: 5m }
    min_count: 5
  - name: burn-cost
    metric: sum(cost)
    condition:
      burn:
        budget: 20 USD
        period: 1d
        levels: [{ rate: 5, long: 20m, short: 5m }]
  - name: budget-projected
    metric: sum(cost)
    by: [tenant]
    condition: { budget: { limit: 2 USD, period: hour, projected: 100% } }
  - name: slow-and-bad
    by: [tenant]
    condition:
      all:
        - { metric: mean(duration), window: 5m, condition: { above: 3s } }
        - { source: evaluations, metric: mean(score), window: 5m, condition: { below: 0.9 } }
  - name: errors-without-latency
    by: [tenant]
    condition:
      all:
        - { metric: error_rate, window: 5m, condition: { above: 20% } }
        - { not: { metric: mean(duration), window: 5m, condition: { above: 3s } } }
`

/** Rules that fire ahead of time, as what they sum only grows; and a projection, which does not. */
export const EARLY_RULES = `
  - name: user-spend
    metric: sum(cost)
    by: [tenant, user]
    contributors: model
    window: 10m
    condition: { above: 1 USD }
    ${COMMON}
  - name: calls
    metric: count
    by: [tenant]
    window: 2m
    condition: { above: 12 }
    ${COMMON}
  - name: tokens-a-minute
    metric: sum(cost)
    by: [model]
    window: 1m
    condition: { above: 0.5 USD }
    resolve_after: 2
    ${COMMON}
  - name: budget-hour
    metric: sum(cost)
    by: [tenant]
    condition:
      budget: { limit: 2 USD, period: hour, at: [50%, 80%, 100%], projected: 100% }
    ${COMMON}
  - name: budget-day
    metric: sum(cost)
    by: [tenant]
    condition:
      budget:
        limit: 6 USD
        period: day
        time_zone: Europe/Berlin
        at: [50%, { part: 100%, severity: critical }]
        overrides: [{ match: { tenant: acme }, limit: 3 USD, time_zone: UTC }]
    ${COMMON}
`
