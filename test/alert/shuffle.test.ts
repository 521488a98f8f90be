import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Alert } from '../../schemas/items.ts'
import type { RuleSet } from '../../services/alert/rule.ts'
import { AlertLab, type LabRecord, spanRow } from '../support/alert-lab.ts'
import { createRandom } from './random.ts'
import { HOUR, MINUTE, readRules } from './rule-texts.ts'
import { EARLY_RULES, recordsOf, STEADY_RULES, type Workload, workloadsOf } from './workloads.ts'

const SEED = 20_260_617
const RUNS = 170
const LATENESS = 2 * MINUTE
const workloads = workloadsOf(80, 6)
const IDLE_MS = 30_000
const NANOS_PER_MS = 1_000_000n

const STEADY = readRules(`allowed_lateness: 2m\nrules:${STEADY_RULES}`)
const EARLY = readRules(`allowed_lateness: 2m\nrules:${EARLY_RULES}`)

const EVERY_MS = new Map(EARLY.rules.map(({ name, everyMs }) => [name, everyMs]))

/** How records come in otherwise than in order and once. */
interface Disorder {
  readonly seed: number
  /** Longest that a record is under way … */
  readonly delayMs: number
  /** … and longest that it then waits for the rest of its run. */
  readonly runMs: number
  readonly partitions: number
  readonly times: number
}

const disorderOf = (partitions: number, ways: readonly (readonly [number, number])[]) =>
  fc
    .record({
      seed: fc.nat(),
      way: fc.constantFrom(...ways),
      times: fc.constantFrom(1, 2),
    })
    .map(({ seed, way: [delayMs, runMs], times }): Disorder => {
      return { seed, delayMs, runMs, partitions, times }
    })

/** Of one partition, a run may be as long as it likes: time goes on when it is in. */
const ONE = disorderOf(1, [
  [LATENESS, 1_000],
  [LATENESS, 20_000],
  [LATENESS, HOUR],
  [0, 10 * MINUTE],
])
/** What comes from one partition may be ahead of what comes from another by a whole run. */
const SEVERAL = disorderOf(3, [
  [LATENESS - 1_000, 1_000],
  [MINUTE, MINUTE],
  [0, LATENESS],
])
const disorders = fc.oneof(ONE, SEVERAL)

function inOrder(rules: RuleSet, workload: Workload): AlertLab {
  const lab = new AlertLab(rules)
  lab.sendByMinute(recordsOf(workload).map((record) => ({ ...record, partition: 0 })))
  reachEnd(lab, rules, workload)
  return lab
}

/** From which partitions nothing came for a while: they say so, lest they hold time back. */
class Rests {
  readonly #heardMs = new Map<string, number>()
  readonly #partitions: number

  constructor(partitions: number) {
    this.#partitions = partitions
  }

  heard({ source, partition = 0 }: LabRecord, nowMs: number): void {
    this.#heardMs.set(`${source}/${partition}`, nowMs)
  }

  tell(lab: AlertLab, nowMs: number): void {
    for (const source of ['spans', 'evaluations'] as const) {
      for (let partition = 0; partition < this.#partitions; partition++) {
        const place = `${source}/${partition}`
        if (nowMs - (this.#heardMs.get(place) ?? 0) < IDLE_MS) continue
        this.#heardMs.set(place, nowMs)
        lab.rest(source, partition, nowMs)
      }
    }
  }
}

/** Sends each record when it arrives, together with what arrives soon after it. */
function inDisorder(rules: RuleSet, workload: Workload, disorder: Disorder): AlertLab {
  const { seed, delayMs, runMs, partitions, times } = disorder
  const random = createRandom(seed)
  const arriving = recordsOf(workload)
    .map((record) => ({
      record: { ...record, partition: (record.partition ?? 0) % partitions },
      arrivalMs: record.eventMs + random.whole(0, delayMs),
    }))
    .toSorted((a, b) => a.arrivalMs - b.arrivalMs)
  const lab = new AlertLab(rules, partitions)
  const rests = new Rests(partitions)
  for (let at = 0; at < arriving.length;) {
    const fromMs = arriving[at]?.arrivalMs ?? 0
    const untilMs = fromMs + random.whole(0, runMs)
    const run = arriving.slice(at).filter(({ arrivalMs }) => arrivalMs <= untilMs)
    rests.tell(lab, fromMs - 1)
    for (const { record } of run) rests.heard(record, untilMs)
    lab.send(
      run.map(({ record }) => record),
      times,
    )
    at += run.length
  }
  reachEnd(lab, rules, workload)
  return lab
}

/**
 * Until whatever was on is over, a day where there are budgets of a day. Hour by hour, as sources that
 * lie further apart than six hours are not waited for.
 */
function reachEnd(lab: AlertLab, rules: RuleSet, { startMs, minutes }: Workload): void {
  const hours = rules === EARLY ? 26 : 2
  for (let hour = 0; hour <= hours; hour++) lab.reach(startMs + minutes * MINUTE + hour * HOUR)
}

/** All that was decided, but for what shows a person where to look: that may depend on the order. */
function decided(alerts: readonly Alert[]): readonly unknown[] {
  return inCourse(alerts).map(({ trace_ids: _traces, contributors: _parts, ...alert }) => alert)
}

function placeOf({ rule, level, group }: Alert): string {
  return [rule, level, ...Object.values(group)].join('/')
}

/** Changes of each level and group one after the other, without when they were made. */
function inCourse(alerts: readonly Alert[]): readonly Alert[] {
  return alerts.toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : Number(placeOf(a) > placeOf(b))))
}

/** Which changes there were, without when they were made. */
function courseOf(alerts: readonly Alert[]): readonly string[] {
  return inCourse(alerts).map(({ rule, level, group, state, window_start_unix_nano }) => {
    const period = rule.startsWith('budget') ? window_start_unix_nano : ''
    return [rule, level, ...Object.values(group), state, period].join(' ')
  })
}

function timeOf({ time_unix_nano }: Alert): number {
  return Number(time_unix_nano / NANOS_PER_MS)
}

/** Which changes there were: nothing is shown by rules that never fire. */
class Seen {
  readonly #changes = new Set<string>()

  add(alerts: readonly Alert[]): void {
    for (const { rule, level, state } of alerts) this.#changes.add(`${rule} ${level} ${state}`)
  }

  missing({ rules }: RuleSet): readonly string[] {
    return rules
      .flatMap(({ name, level }) => [`${name} ${level} firing`, `${name} ${level} resolved`])
      .filter((change) => !this.#changes.has(change))
  }
}

/** What is more than the lateness apart, rounded up to whole steps of the rule. */
function tooFarApart(left: readonly Alert[], right: readonly Alert[]): readonly string[] {
  const others = inCourse(right)
  return inCourse(left).flatMap((alert, i) => {
    const everyMs = EVERY_MS.get(alert.rule) ?? LATENESS
    const apartMs = Math.abs(timeOf(alert) - timeOf(others[i] ?? alert))
    const isFar = apartMs > Math.ceil(LATENESS / everyMs) * everyMs
    return isFar ? [`${alert.rule} ${alert.level} ${alert.state}: ${apartMs} ms apart`] : []
  })
}

describe('Records that come up to two minutes late, twice, and in any runs', () => {
  test('make the same changes of rules that wait for the watermark', () => {
    const seen = new Seen()
    fc.assert(
      fc.property(workloads, disorders, (workload, disorder) => {
        const expected = inOrder(STEADY, workload)
        const lab = inDisorder(STEADY, workload, disorder)
        expect(decided(lab.alerts)).toEqual(decided(expected.alerts))
        expect(lab.evaluator.late).toBe(0)
        seen.add(expected.alerts)
      }),
      { seed: SEED, numRuns: RUNS },
    )
    expect(seen.missing(STEADY)).toEqual([])
  }, 240_000)

  test('make the same changes of rules that fire ahead of time, within those two minutes', () => {
    const seen = new Seen()
    fc.assert(
      fc.property(workloads, disorders, (workload, disorder) => {
        const expected = inOrder(EARLY, workload)
        const lab = inDisorder(EARLY, workload, disorder)
        expect(courseOf(lab.alerts)).toEqual(courseOf(expected.alerts))
        expect(tooFarApart(lab.alerts, expected.alerts)).toEqual([])
        seen.add(expected.alerts)
      }),
      { seed: SEED, numRuns: RUNS },
    )
    expect(seen.missing(EARLY)).toEqual([])
  }, 240_000)
})

const HOURLY = `
  - name: hourly
    metric: sum(cost)
    condition: { budget: { limit: 2 USD, period: hour } }`
const SLOW = `
  - name: slow
    metric: mean(duration)
    window: 1m
    condition: { above: 5s }`
const NOON = Date.parse('2026-06-17T12:00:00Z')
const usd = (atMs: number, cents: number) =>
  spanRow(atMs, { values: { cost: BigInt(cents) * 10_000_000_000n } })
const slow = (atMs: number) => spanRow(atMs, { values: { duration: 10_000_000_000 } })
const firings = ({ alerts }: AlertLab) =>
  alerts.map((alert) => `${alert.state} ${(timeOf(alert) - NOON) / MINUTE}`)

describe('A record that comes after those of the next hour', () => {
  test('may be what a budget of its own hour is short of', () => {
    const lab = new AlertLab(readRules(`allowed_lateness: 2m\nrules:${HOURLY}`))
    for (const [minute, cents] of [
      [59.2, 120],
      [60.5, 1],
      [58.5, 90],
    ] as const) {
      lab.send([usd(NOON + minute * MINUTE, cents)])
    }
    lab.reach(NOON + 2 * HOUR)
    expect(firings(lab)).toEqual(['firing 60', 'resolved 60'])
  })

  test('leaves no later hour out that came while the budget fired', () => {
    const lab = new AlertLab(readRules(`allowed_lateness: 5h\nrules:${HOURLY}`))
    for (const hour of [0, 3, 4]) lab.send([usd(NOON + hour * HOUR + 90_000, 250)])
    lab.reach(NOON + 6 * HOUR)
    expect(firings(lab)).toEqual([
      'firing 2',
      'resolved 60',
      'firing 182',
      'resolved 240',
      'firing 242',
      'resolved 300',
    ])
  })
})

describe('A record that comes later than it may', () => {
  test('is counted, and leaves what is decided as it is', () => {
    const lab = new AlertLab(readRules(`allowed_lateness: 2m\nrules:${SLOW}`))
    lab.send([slow(NOON + 30_000)])
    lab.send([spanRow(NOON + 5 * MINUTE)])
    expect(firings(lab)).toEqual(['firing 1', 'resolved 2'])
    lab.send([slow(NOON + 90_000)])
    lab.reach(NOON + HOUR)
    expect(firings(lab)).toEqual(['firing 1', 'resolved 2'])
    expect(lab.evaluator.late).toBe(1)
  })

  test('just in time is not counted', () => {
    const lab = new AlertLab(readRules(`allowed_lateness: 2m\nrules:${SLOW}`))
    lab.send([spanRow(NOON + 5 * MINUTE - 1)])
    lab.send([slow(NOON + 2 * MINUTE)])
    lab.reach(NOON + 4 * MINUTE)
    expect(firings(lab)).toEqual(['firing 3', 'resolved 4'])
    expect(lab.evaluator.late).toBe(0)
  })

  test('still uses up the budget of its hour, which fires once', () => {
    const lab = new AlertLab(readRules(`allowed_lateness: 2m\nrules:${HOURLY}`))
    lab.send([usd(NOON + MINUTE, 120)])
    lab.send([usd(NOON + 90 * MINUTE, 1)])
    lab.send([usd(NOON + 2 * MINUTE, 90)])
    lab.send([usd(NOON + 2 * MINUTE, 90)])
    lab.reach(NOON + 3 * HOUR)
    expect(firings(lab)).toEqual(['firing 3', 'resolved 60'])
    expect(lab.evaluator.late).toBe(2)
  })
})
