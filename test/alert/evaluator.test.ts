import { describe, expect, test } from 'vitest'
import { BatchError } from '../../schemas/codec.ts'
import { encodeDeltas } from '../../services/alert/delta-batch.ts'
import { Evaluator, type Input } from '../../services/alert/evaluator.ts'
import type { Progress } from '../../services/alert/progress.ts'
import type { RuleSet } from '../../services/alert/rule.ts'
import type { Silence } from '../../services/alert/silence.ts'
import { AlertLab, inputsOf, type LabRecord, scoreRow, spanRow } from '../support/alert-lab.ts'
import { DAY, HOUR, MINUTE, readRules } from './rule-texts.ts'

const NOON = Date.parse('2026-06-17T12:00:00Z')
const SECOND = 1_000

const SLOW = `
  - name: slow
    metric: mean(duration)
    by: [model]
    window: 1m
    condition: { above: 5s }`
const SPEND = `
  - name: spend
    metric: sum(cost)
    by: [tenant]
    window: 1h
    condition: { above: 1 USD }`
const rulesOf = (...rules: readonly string[]) =>
  readRules(rules.length === 0 ? 'rules: []' : `rules:${rules.join('')}`)

const slow = (atMs: number, model = 'a', seconds = 10) =>
  spanRow(atMs, { texts: { model }, values: { duration: seconds * 1e9 } })
const cost = (atMs: number, usd: number, tenant = 'acme') =>
  spanRow(atMs, { texts: { tenant }, values: { cost: BigInt(usd * 1e6) * 1_000_000n } })

const SILENCE: Silence = {
  id: 's-1',
  rule: 'slow',
  matchers: {},
  fromMs: NOON,
  untilMs: NOON + HOUR,
  createdBy: 'me',
  comment: '',
}

const spans = (eventMs: number): Progress => ({
  source: 'spans',
  partition: 0,
  partitions: 1,
  eventMs,
  quietMs: undefined,
})
const inputOf = (more: Partial<Input> = {}): Input => ({
  value: encodeDeltas([]),
  progress: undefined,
  silence: undefined,
  ...more,
})

/** An evaluator without the lab, for what comes with a record beside its deltas. */
class Run {
  readonly rules: RuleSet
  readonly evaluator: Evaluator

  constructor(rules: RuleSet) {
    this.rules = rules
    this.evaluator = new Evaluator({ rules, idleMs: 0, grafanaUrl: '' })
  }

  send(records: readonly LabRecord[], more: Partial<Input> = {}) {
    return inputsOf(this.rules, records).flatMap((input) =>
      this.evaluator.apply({ ...input, ...more }),
    )
  }

  /** Changes that are told when the time of spans comes so far. */
  reach(timeMs: number) {
    const eventMs = timeMs + this.rules.allowedLatenessMs
    const made = this.evaluator.apply(inputOf({ progress: spans(eventMs) }))
    return made.map(({ rule, group, state, muted_by }) =>
      [rule, ...Object.values(group), state, muted_by].join(' ').trim(),
    )
  }
}

describe('A record', () => {
  test('is counted before its time decides windows', () => {
    const run = new Run(rulesOf(SLOW))
    run.send([slow(NOON)])
    const made = run.send([slow(NOON + 30 * SECOND), slow(NOON + 3 * MINUTE, 'a', 1)])
    expect(made).toMatchObject([{ state: 'firing', value: 10, count: 2n }, { state: 'resolved' }])
  })

  test('that is no batch changes nothing, and takes nothing away', () => {
    const run = new Run(rulesOf(SLOW))
    run.send([slow(NOON), slow(NOON + 2 * MINUTE)])
    run.evaluator.configure(rulesOf())
    const bad = inputOf({
      value: Buffer.from('no batch'),
      progress: spans(NOON + DAY),
      silence: SILENCE,
    })
    expect(() => run.evaluator.apply(bad)).toThrow(BatchError)
    expect(run.evaluator.watermark('spans')).toBe(NOON + 2 * MINUTE - 30 * SECOND)
    expect(run.evaluator.changes().silences).toEqual([])
    expect(run.reach(NOON + 2 * MINUTE)).toEqual(['slow a resolved'])
  })

  test('for a window that is decided is late, and one before all that is kept is too old', () => {
    const run = new Run(rulesOf(SPEND))
    run.send([cost(NOON, 0.1), cost(NOON + 2 * HOUR, 0.1)])
    expect([run.evaluator.late, run.evaluator.tooOld]).toEqual([0, 0])
    run.reach(NOON + 2.5 * HOUR)
    run.send([cost(NOON + 2 * HOUR, 0.1)])
    expect([run.evaluator.late, run.evaluator.tooOld]).toEqual([1, 0])
    run.send([cost(NOON, 0.1)])
    expect([run.evaluator.late, run.evaluator.tooOld]).toEqual([1, 1])
  })

  test('may fire a sum at once, ahead of the time', () => {
    const run = new Run(rulesOf(SPEND))
    expect(run.send([cost(NOON, 0.9)])).toEqual([])
    expect(run.send([cost(NOON + SECOND, 0.2)])).toMatchObject([
      { rule: 'spend', state: 'firing', reason: 'early', group: { tenant: 'acme' }, value: 1.1 },
    ])
    expect(run.reach(NOON + 10 * MINUTE)).toEqual([])
    expect(run.reach(NOON + 62 * MINUTE)).toEqual(['spend acme resolved'])
  })

  test('that comes late fires a sum by a window that is not decided yet', () => {
    const run = new Run(rulesOf(SPEND))
    run.send([cost(NOON, 0.9)])
    run.reach(NOON + 30 * MINUTE)
    expect(run.send([cost(NOON, 0.2)])).toEqual([])
    expect(run.evaluator.late).toBe(1)
    expect(run.reach(NOON + 31 * MINUTE)).toEqual(['spend acme firing'])
  })
})

describe('Time', () => {
  test('is that of each source', () => {
    const lab = new AlertLab(rulesOf(SLOW))
    lab.send([slow(NOON), scoreRow(NOON + MINUTE, 1)])
    const { evaluator } = lab
    expect(evaluator.watermark('spans')).toBe(NOON - 30 * SECOND)
    expect(evaluator.watermark('evaluations')).toBe(NOON + 30 * SECOND)
    expect(evaluator.watermark('system')).toBeUndefined()
  })

  test('of a rule of two sources is that of the slower', () => {
    const rules = rulesOf(`
  - name: both
    by: [feature]
    every: 1m
    condition:
      all:
        - { metric: mean(duration), window: 1m, condition: { above: 5s } }
        - { source: evaluations, metric: mean(score), window: 1m, condition: { below: 0.5 } }`)
    const run = new Run(rules)
    run.send([{ ...slow(NOON), texts: { feature: 'f' } }, scoreRow(NOON, 0.1, { feature: 'f' })])
    expect(run.reach(NOON + 10 * MINUTE)).toEqual([])
    const scores = { ...spans(NOON + 90 * SECOND), source: 'evaluations' } as const
    const made = run.evaluator.apply(inputOf({ progress: scores }))
    expect(made).toMatchObject([{ rule: 'both', state: 'firing', group: { feature: 'f' } }])
  })
})

describe('A silence', () => {
  test('keeps channels from being told, and they are told when it is over', () => {
    const run = new Run(rulesOf(SLOW))
    run.send([slow(NOON)], { silence: { ...SILENCE, untilMs: NOON + 3 * MINUTE } })
    expect(run.reach(NOON + MINUTE)).toEqual(['slow a firing silence:s-1'])
    run.send([1, 2, 3].map((minute) => slow(NOON + minute * MINUTE)))
    expect(run.reach(NOON + 3 * MINUTE)).toEqual(['slow a firing'])
  })

  test('holds for the window of the very record that brings it', () => {
    const run = new Run(rulesOf(SPEND))
    const made = run.send([cost(NOON, 2)], { silence: { ...SILENCE, rule: '' } })
    expect(made).toMatchObject([{ rule: 'spend', notify: false, muted_by: 'silence:s-1' }])
  })

  test('holds for its groups alone', () => {
    const run = new Run(rulesOf(SLOW))
    run.send([slow(NOON), slow(NOON, 'b')], { silence: { ...SILENCE, matchers: { model: 'b' } } })
    expect(run.reach(NOON + MINUTE)).toEqual(['slow a firing', 'slow b firing silence:s-1'])
  })

  test('takes the place of an earlier one of its name, and is forgotten when it is over', () => {
    const run = new Run(rulesOf(SLOW))
    run.evaluator.apply(inputOf({ silence: SILENCE }))
    run.evaluator.apply(inputOf({ silence: { ...SILENCE, id: 's-2' } }))
    const ends = () => run.evaluator.changes().silences.map(({ id, untilMs }) => [id, untilMs])
    expect(ends()).toEqual([
      ['s-1', NOON + HOUR],
      ['s-2', NOON + HOUR],
    ])
    run.evaluator.apply(inputOf({ silence: { ...SILENCE, fromMs: 0, untilMs: 0 } }))
    expect(ends()).toEqual([['s-2', NOON + HOUR]])
    run.reach(NOON + DAY)
    run.evaluator.apply(inputOf({ silence: { ...SILENCE, untilMs: NOON + 2 * DAY } }))
    expect(ends()).toEqual([['s-1', NOON + 2 * DAY]])
  })
})

describe('Changed rules', () => {
  test('that are gone resolve what fires, with the next record', () => {
    const run = new Run(rulesOf(SLOW, SPEND))
    run.send([slow(NOON)])
    expect(run.reach(NOON + MINUTE)).toEqual(['slow a firing'])
    run.evaluator.configure(rulesOf(SPEND))
    expect(run.reach(NOON + MINUTE)).toEqual(['slow a resolved'])
    expect(run.reach(NOON + 2 * MINUTE)).toEqual([])
  })

  test('that are new say nothing of windows that were over before them', () => {
    const usual = SLOW.replace('slow', 'slower').replace(
      '{ above: 5s }',
      '{ above: 3x, baseline: { trailing: 1d } }',
    )
    const run = new Run(rulesOf(usual))
    run.send([slow(NOON), slow(NOON + 5 * MINUTE)])
    run.reach(NOON + 6 * MINUTE)
    run.evaluator.configure(rulesOf(usual, SLOW))
    expect(run.reach(NOON + 8 * MINUTE)).toEqual([])
    run.send([slow(NOON + 9 * MINUTE)])
    expect(run.reach(NOON + 10 * MINUTE)).toEqual(['slow a firing'])
  })

  test('with a lateness of their own hold from then on', () => {
    const run = new Run(rulesOf(SLOW))
    run.send([slow(NOON)])
    run.evaluator.configure({ ...rulesOf(SLOW), allowedLatenessMs: 0 })
    run.send([slow(NOON + 10 * SECOND)])
    expect(run.evaluator.watermark('spans')).toBe(NOON + 10 * SECOND)
  })
})

/** What is stored of an evaluator, as alert.state keeps it. */
class Stored {
  readonly machines = new Map<string, ReturnType<Evaluator['changes']>['machines'][number]>()
  readonly histories = new Map<string, ReturnType<Evaluator['changes']>['histories'][number]>()
  last: ReturnType<Evaluator['changes']> | undefined

  write(evaluator: Evaluator): void {
    this.last = evaluator.changes()
    for (const machine of this.last.machines) {
      const key = JSON.stringify([machine.family, machine.rule, machine.group])
      if (machine.state === undefined) this.machines.delete(key)
      else this.machines.set(key, machine)
    }
    for (const piece of this.last.histories) {
      const key = JSON.stringify([piece.series, piece.group, piece.name])
      if (piece.payload === '') this.histories.delete(key)
      else this.histories.set(key, piece)
    }
  }

  restoreTo(evaluator: Evaluator): void {
    if (this.last === undefined) throw new Error('nothing was written')
    const { time, nextEndMs, silences } = this.last
    const machines = [...this.machines.values()]
    const histories = [...this.histories.values()]
    evaluator.restore({ time, nextEndMs, silences, machines, histories })
  }
}

describe('An evaluator that is read back', () => {
  test('goes on as the one before would have', () => {
    const rules = rulesOf(SLOW, SPEND)
    const one = new Run(rules)
    const stored = new Stored()
    const records = Array.from({ length: 40 }, (_, i) =>
      i % 7 < 3
        ? slow(NOON + i * MINUTE)
        : { ...cost(NOON + i * MINUTE, 0.2), ...slow(NOON + i * MINUTE, 'a', 1) },
    )
    let other = new Run(rules)
    const [expected, found] = [[], []] as [string[], string[]]
    for (const record of records) {
      expected.push(...one.send([record]).map(({ alert_id }) => alert_id))
      found.push(...other.send([record]).map(({ alert_id }) => alert_id))
      stored.write(other.evaluator)
      other = new Run(rules)
      stored.restoreTo(other.evaluator)
    }
    expect(expected.length).toBeGreaterThan(5)
    expect(found).toEqual(expected)
  })

  test('knows silences and sizes', () => {
    const run = new Run(rulesOf(SLOW))
    run.send([slow(NOON)], { silence: SILENCE })
    const stored = new Stored()
    stored.write(run.evaluator)
    const next = new Run(rulesOf(SLOW))
    stored.restoreTo(next.evaluator)
    expect(next.evaluator.size()).toEqual(run.evaluator.size())
    expect(next.reach(NOON + MINUTE)).toEqual(['slow a firing silence:s-1'])
  })

  test('lets go of what is stored of rules that are gone', () => {
    const run = new Run(rulesOf(SLOW, SPEND))
    run.send([slow(NOON), cost(NOON, 2)])
    run.reach(NOON + MINUTE)
    const stored = new Stored()
    stored.write(run.evaluator)
    expect(stored.machines.size).toBe(2)
    const next = new Run(rulesOf(SPEND))
    stored.restoreTo(next.evaluator)
    stored.write(next.evaluator)
    expect([...stored.machines.values()].map(({ rule }) => rule)).toEqual(['spend'])
  })

  test('lets a rule that is new begin where time is', () => {
    const usual = SLOW.replace('slow', 'slower').replace(
      '{ above: 5s }',
      '{ above: 3x, baseline: { trailing: 1d } }',
    )
    const run = new Run(rulesOf(usual))
    run.send([slow(NOON), slow(NOON + 5 * MINUTE)])
    const stored = new Stored()
    stored.write(run.evaluator)
    const next = new Run(rulesOf(usual, SLOW))
    stored.restoreTo(next.evaluator)
    expect(next.reach(NOON + 5 * MINUTE)).toEqual([])
    expect(next.reach(NOON + 6 * MINUTE)).toEqual(['slow a firing'])
  })
})

test('What a rule that is gone leaves behind is taken away', () => {
  const run = new Run(rulesOf(SLOW))
  run.send([slow(NOON)])
  run.reach(NOON + MINUTE)
  const stored = new Stored()
  stored.write(run.evaluator)
  run.evaluator.configure(rulesOf())
  stored.write(run.evaluator)
  expect([...stored.machines, ...stored.histories]).toEqual([])
})

test('Groups that are over are forgotten as time goes on', () => {
  const run = new Run(rulesOf(SLOW))
  for (let i = 0; i < 100; i++) run.send([slow(NOON, `model ${i}`, 1)])
  expect(run.evaluator.size().groups).toBe(100)
  run.reach(NOON + 10 * MINUTE)
  expect(run.evaluator.size()).toEqual({ groups: 0, bytes: 0, overflowed: 0 })
  expect(run.evaluator.overflowed).toBe(0)
})
