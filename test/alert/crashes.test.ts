import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Alert } from '../../schemas/items.ts'
import { alertState } from '../../schemas/topics.ts'
import { Evaluator } from '../../services/alert/evaluator.ts'
import type { RuleSet } from '../../services/alert/rule.ts'
import { CORE, fromPieces, toPieces } from '../../services/alert/state-pieces.ts'
import { inputsOf, type LabInput, reachInputs } from '../support/alert-lab.ts'
import { createRandom } from './random.ts'
import { HOUR, MINUTE, readRules } from './rule-texts.ts'
import { EARLY_RULES, recordsOf, STEADY_RULES, type Workload, workloadsOf } from './workloads.ts'

const SEED = 20_260_617
const RUNS = 260
const STEADY = readRules(`allowed_lateness: 1m\nrules:${STEADY_RULES}`)
const EARLY = readRules(`allowed_lateness: 1m\nrules:${EARLY_RULES}`)

const workloads = workloadsOf(45, 4)

/** How often, out of a hundred records, the state is written, and the evaluator is lost. */
interface Fate {
  readonly seed: number
  readonly writes: number
  readonly crashes: number
}

const fates: fc.Arbitrary<Fate> = fc.record({
  seed: fc.nat(),
  writes: fc.constantFrom(2, 10, 40, 100),
  crashes: fc.constantFrom(2, 5, 20),
})

/**
 * The records of span.aggregates that a workload becomes, and then time alone: a day, for budgets
 * of a day. Calls of the same minute are in several records, some of which come too late.
 */
function streamOf(rules: RuleSet, workload: Workload): readonly LabInput[] {
  const { seed, startMs, minutes } = workload
  const random = createRandom(seed)
  const runs = Map.groupBy(recordsOf(workload), ({ eventMs }) =>
    Math.floor(eventMs / MINUTE / random.whole(1, 3)),
  )
  const records = [...runs.values()].flatMap((run) =>
    inputsOf(
      rules,
      run.map((record) => ({ ...record, partition: 0 })),
    ),
  )
  const endMs = startMs + minutes * MINUTE
  const hours = rules === EARLY ? [0, 1, 2, 7, 12, 17, 22, 26] : [0, 1]
  return [...records, ...hours.flatMap((hour) => reachInputs(rules, endMs + hour * HOUR))]
}

const evaluatorOf = (rules: RuleSet) =>
  new Evaluator({ rules, idleMs: 0, grafanaUrl: 'https://grafana.example' })

/** What the log of the state keeps: the latest piece of each key, as it is written to Kafka. */
class Log {
  readonly #pieces = new Map<string, Buffer>()
  at = 0

  write(evaluator: Evaluator, at: number): void {
    for (const piece of toPieces(evaluator.changes(), { offset: BigInt(at), metadata: '' })) {
      if (piece.payload === '') this.#pieces.delete(piece.key)
      else this.#pieces.set(piece.key, alertState.codec.encode([piece]))
    }
    this.at = at
  }

  restore(evaluator: Evaluator): void {
    const payloads = new Map<string, string>()
    for (const value of this.#pieces.values()) {
      for (const { key, payload } of alertState.codec.decode(value)) payloads.set(key, payload)
    }
    if (payloads.has(CORE)) evaluator.restore(fromPieces(payloads))
  }

  get keys(): readonly string[] {
    return [...this.#pieces.keys()].toSorted()
  }
}

function undisturbed(rules: RuleSet, stream: readonly LabInput[]): readonly (readonly Alert[])[] {
  const evaluator = evaluatorOf(rules)
  return stream.map((input) => evaluator.apply(input))
}

/** Takes the stream in with crashes; gives what each record made, each time it was taken in. */
function disturbed(
  rules: RuleSet,
  stream: readonly LabInput[],
  { seed, writes, crashes }: Fate,
): {
  readonly made: readonly { readonly at: number; readonly alerts: readonly Alert[] }[]
  readonly lost: number
} {
  const random = createRandom(seed)
  const log = new Log()
  const made: { readonly at: number; readonly alerts: readonly Alert[] }[] = []
  let evaluator = evaluatorOf(rules)
  let lost = 0
  for (let at = 0; at < stream.length;) {
    const input = stream[at]
    if (input !== undefined) made.push({ at, alerts: evaluator.apply(input) })
    at++
    if (random.whole(1, 100) <= writes) log.write(evaluator, at)
    if (random.whole(1, 100) > crashes) continue
    evaluator = evaluatorOf(rules)
    log.restore(evaluator)
    lost += at - log.at
    at = log.at
  }
  return { made, lost }
}

describe.each([
  ['wait for the watermark', STEADY],
  ['fire ahead of time', EARLY],
])('Rules that %s', (_, rules) => {
  test('make the same alerts of the same records, through any crashes', () => {
    let lost = 0
    let changes = 0
    fc.assert(
      fc.property(workloads, fates, (workload, fate) => {
        const stream = streamOf(rules, workload)
        const expected = undisturbed(rules, stream)
        const run = disturbed(rules, stream, fate)
        for (const { at, alerts } of run.made) expect(alerts).toEqual(expected[at])
        lost += run.lost
        changes += expected.flat().length
      }),
      { seed: SEED, numRuns: RUNS },
    )
    // What was taken in again, and what was decided: there must have been something to lose.
    expect(lost).toBeGreaterThan(10 * RUNS)
    expect(changes).toBeGreaterThan(10 * RUNS)
  }, 240_000)
})

const BOTH = readRules(`allowed_lateness: 1m\nrules:${STEADY_RULES}${EARLY_RULES}`)

/** The rules without those of some names. */
function without(names: ReadonlySet<string>): RuleSet {
  const rules = BOTH.rules.filter(({ name }) => !names.has(name))
  return { ...BOTH, rules }
}

/** How far time had come for every source before a record, nanoseconds. */
function timeBefore(stream: readonly LabInput[], at: number): bigint {
  const evaluator = evaluatorOf(BOTH)
  for (const input of stream.slice(0, at)) evaluator.apply(input)
  const times = (['spans', 'evaluations'] as const).map(
    (source) => evaluator.watermark(source) ?? 0,
  )
  return BigInt(Math.min(...times)) * 1_000_000n
}

const isOpen = ({ state }: Alert) => state === 'firing' || state === 'pending'

/** The last change of each incident, or of what may become one. */
function latest(alerts: readonly Alert[]): readonly Alert[] {
  const last = new Map(
    alerts.map((alert) => [[alert.rule, alert.level, ...Object.values(alert.group)].join(), alert]),
  )
  return [...last.values()]
}

describe('Rules that are taken away while others stay', () => {
  const reloads = fc.record({
    /** Parts of the stream after which they go, and come back. */
    goes: fc.double({ min: 0.1, max: 0.5, noNaN: true }),
    returns: fc.double({ min: 0.5, max: 0.9, noNaN: true }),
    gone: fc.subarray([...new Set(BOTH.rules.map(({ name }) => name))], { minLength: 1 }),
    crashes: fc.boolean(),
  })

  test('end what was on, and change nothing for the others, nor do they when they come back', () => {
    let resolved = 0
    fc.assert(
      fc.property(workloads, reloads, (workload, { goes, returns, gone, crashes }) => {
        const stream = streamOf(BOTH, workload)
        const names = new Set(gone)
        const goesAt = Math.floor(stream.length * goes)
        const returnsAt = Math.floor(stream.length * returns)
        const expected = undisturbed(BOTH, stream)
        const log = new Log()
        let evaluator = evaluatorOf(BOTH)
        const made = stream.map((input, at) => {
          if (at === goesAt) evaluator.configure(without(names))
          if (at === returnsAt) evaluator.configure(BOTH)
          const alerts = evaluator.apply(input)
          if (crashes && (at === goesAt || at === returnsAt)) {
            log.write(evaluator, at + 1)
            evaluator = evaluatorOf(at === goesAt ? without(names) : BOTH)
            log.restore(evaluator)
          }
          return alerts
        })
        const others = (alerts: readonly Alert[]) => alerts.filter(({ rule }) => !names.has(rule))
        expect(made.map(others)).toEqual(expected.map(others))
        const own = (from: number, to: number) =>
          made.slice(from, to).flatMap((alerts) => alerts.filter(({ rule }) => names.has(rule)))
        const ended = own(goesAt, returnsAt)
        expect(ended.every(({ reason }) => reason === 'rule_removed')).toBe(true)
        expect(ended.map(({ incident_id }) => incident_id).toSorted()).toEqual(
          latest(own(0, goesAt))
            .filter(isOpen)
            .map(({ incident_id }) => incident_id)
            .toSorted(),
        )
        // What is past is decided without them, but for a budget that a late record uses up.
        const pastNanos = timeBefore(stream, returnsAt)
        const again = own(returnsAt, stream.length).filter(({ reason }) => reason !== 'early')
        expect(again.filter(({ time_unix_nano: time }) => time <= pastNanos)).toEqual([])
        resolved += ended.length
      }),
      { seed: SEED, numRuns: 80 },
    )
    expect(resolved).toBeGreaterThan(80)
  }, 240_000)
})
