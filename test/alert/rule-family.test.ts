import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Rule } from '../../services/alert/rule.ts'
import { groupRecord } from '../../services/alert/rule-family.ts'
import { joinGroup } from '../../services/alert/series.ts'
import { BUDGET, HOUR, MINUTE, NOON, ruleOf } from './alert-samples.ts'
import { DAY } from './condition-samples.ts'
import { CALLS, countRule, FamilyRun } from './family-runs.ts'

const YEAR = 365 * DAY

describe('A family of rules', () => {
  test('decides a window when time has passed its end, once', () => {
    const run = new FamilyRun([countRule()])
    run.calls('a', NOON, 11)
    run.advance(NOON + MINUTE - 1)
    expect(run.decisions).toEqual([])
    run.advance(NOON + MINUTE)
    run.advance(NOON + MINUTE)
    expect(run.told(NOON)).toEqual(['busy a firing 1'])
    expect(run.family.nextEndMs).toBe(NOON + 2 * MINUTE)
  })

  test('decides all windows that time has passed, one after the other', () => {
    const run = new FamilyRun([countRule()])
    for (const minute of [0, 1, 4]) run.calls('a', NOON + minute * MINUTE, 11)
    run.advance(NOON + 10 * MINUTE)
    expect(run.told(NOON)).toEqual([
      'busy a firing 1',
      'busy a resolved 3',
      'busy a firing 5',
      'busy a resolved 6',
    ])
  })

  test('has a state for each group', () => {
    const run = new FamilyRun([countRule()])
    run.calls('a', NOON, 11)
    run.calls('b', NOON, 10)
    run.calls('c', NOON, 12)
    run.advance(NOON + MINUTE)
    expect(run.told(NOON)).toEqual(['busy a firing 1', 'busy c firing 1'])
    expect(['a', 'b', 'c'].map((group) => run.family.holds(group))).toEqual([true, false, true])
  })

  test('leaves a window decided that late records come for', () => {
    const run = new FamilyRun([countRule()])
    run.calls('a', NOON, 1)
    run.advance(NOON + 5 * MINUTE)
    run.calls('a', NOON, 100)
    run.advance(NOON + 10 * MINUTE)
    expect(run.decisions).toEqual([])
  })

  test('without records begins where time is, and looks back at nothing that came too late', () => {
    const run = new FamilyRun([countRule()])
    run.advance(NOON)
    expect(run.family.nextEndMs).toBe(NOON + MINUTE)
    run.calls('a', NOON - 5 * MINUTE, 11)
    run.calls('a', NOON, 11)
    run.advance(NOON + MINUTE)
    expect(run.told(NOON)).toEqual(['busy a firing 1'])
  })

  test('that is new begins after a time, unless it has begun', () => {
    const run = new FamilyRun([countRule()])
    run.calls('a', NOON, 11)
    run.family.startAfter(NOON + 10 * MINUTE)
    run.advance(NOON + 20 * MINUTE)
    expect(run.decisions).toEqual([])
    run.family.startAfter(NOON + DAY)
    expect(run.family.nextEndMs).toBe(NOON + 21 * MINUTE)
  })

  test('says what a group is by the dimensions of its rule', () => {
    const rule = ruleOf({ by: ['tenant', 'model'] })
    expect(groupRecord(rule, joinGroup(['a', 'm']))).toEqual({ tenant: 'a', model: 'm' })
    expect(groupRecord(ruleOf({ by: [] }), '')).toEqual({})
  })
})

/** Two levels, the less severe first, as a file may have them. */
const LEVELS: readonly Rule[] = [
  countRule({ id: 'busy/warn', level: 'warn', inhibitedBy: ['busy/page'] }, 10),
  countRule({ id: 'busy/page', level: 'page', severity: 'critical' }, 100),
]

describe('Levels of a rule', () => {
  test('are decided with the worst first, which keeps the others quiet', () => {
    const run = new FamilyRun(LEVELS)
    run.calls('a', NOON, 200)
    run.calls('b', NOON, 20)
    run.advance(NOON + MINUTE)
    expect(run.told(NOON)).toEqual([
      'busy/page a firing 1',
      'busy/warn a firing 1 inhibited:busy/page',
      'busy/warn b firing 1',
    ])
  })

  test('are told of once the worse one is over', () => {
    const run = new FamilyRun(LEVELS)
    run.calls('a', NOON, 200)
    run.calls('a', NOON + MINUTE, 20)
    run.advance(NOON + 2 * MINUTE)
    expect(run.told(NOON).slice(2)).toEqual(['busy/page a resolved 2', 'busy/warn a firing 2'])
    expect(run.decisions.at(-1)?.change).toMatchObject({ reason: 'unmuted', notify: true })
  })

  test('keep those of other groups as they are', () => {
    const run = new FamilyRun(LEVELS)
    run.calls('a', NOON, 200)
    run.advance(NOON + MINUTE)
    run.calls('b', NOON + MINUTE, 20)
    run.advance(NOON + 2 * MINUTE)
    expect(run.told(NOON)).toContain('busy/warn b firing 2')
  })
})

const EARLY = countRule({ isEarly: true, resolveCount: 2 })

describe('What cannot be undone', () => {
  test('fires before its window ends, and once', () => {
    const run = new FamilyRun([EARLY])
    run.calls('a', NOON, 11)
    run.early('a', NOON + MINUTE)
    run.early('a', NOON + MINUTE)
    run.advance(NOON + MINUTE)
    expect(run.told(NOON)).toEqual(['busy a firing 1'])
    expect(run.decisions[0]?.change.reason).toBe('early')
  })

  test('does not fire while it does not hold', () => {
    const run = new FamilyRun([EARLY])
    run.calls('a', NOON, 10)
    run.early('a', NOON + MINUTE)
    expect(run.decisions).toEqual([])
    expect(run.family.holds('a')).toBe(false)
  })

  test('is not looked for in rules that later records may undo', () => {
    const run = new FamilyRun([countRule()])
    run.calls('a', NOON, 11)
    run.early('a', NOON + MINUTE)
    expect(run.decisions).toEqual([])
  })

  test('fires no more by a window that is decided', () => {
    const run = new FamilyRun([EARLY])
    run.calls('a', NOON, 1)
    run.advance(NOON + 5 * MINUTE)
    run.calls('a', NOON, 100)
    run.early('a', NOON + MINUTE)
    expect(run.decisions).toEqual([])
  })

  test('fires by a period that is decided, where it is a budget: it has one firing for each', () => {
    const budget = ruleOf({
      id: 'calls',
      by: ['tenant'],
      isEarly: true,
      everyMs: HOUR,
      condition: {
        ...BUDGET,
        measure: { series: CALLS, read: { type: 'count' }, unit: '' },
        limit: 10,
        part: 1,
        period: { unit: 'day', timeZone: 'UTC', cycleDay: 1 },
      },
    })
    const run = new FamilyRun([budget])
    run.calls('a', NOON, 9)
    run.advance(NOON + 3 * HOUR)
    run.calls('a', NOON, 1)
    run.early('a', NOON + MINUTE)
    run.early('a', NOON + MINUTE)
    run.advance(NOON + DAY)
    expect(run.told(NOON)).toEqual(['calls a firing 60', 'calls a resolved 720'])
    expect(run.family.holds('a')).toBe(true)
    run.advance(NOON + 2 * DAY)
    expect(run.family.holds('a')).toBe(false)
  })
})

describe('A group without records', () => {
  test('is forgotten when it is at rest', () => {
    const run = new FamilyRun([countRule()])
    run.calls('a', NOON, 11)
    run.advance(NOON + MINUTE)
    expect(run.family.changes()).toMatchObject([
      { rule: 'busy', group: 'a', state: { state: 'firing' } },
    ])
    run.advance(NOON + 2 * MINUTE)
    expect(run.family.changes()).toEqual([{ rule: 'busy', group: 'a', state: undefined }])
    expect(run.family.holds('a')).toBe(false)
    run.advance(NOON + 10 * MINUTE)
    expect(run.family.changes()).toEqual([])
  })

  test('goes on firing where nothing changes without data', () => {
    const mean = countRule({
      noData: 'keep',
      condition: {
        type: 'threshold',
        measure: { series: CALLS, read: { type: 'rate' }, unit: 'ratio' },
        windowMs: MINUTE,
        direction: 'above',
        limit: 0.5,
        resolveLimit: 0.5,
      },
    })
    const run = new FamilyRun([mean])
    run.histories.add({ ...delta('a', NOON), bad: 1 })
    run.advance(NOON + 30 * MINUTE)
    expect(run.told(NOON)).toEqual(['busy a firing 1'])
  })

  test('fires where silence is what is looked for', () => {
    const silence = countRule({
      noData: 'alert',
      forCount: 3,
      minCount: 1,
    })
    const run = new FamilyRun([silence])
    run.calls('a', NOON, 5)
    run.advance(NOON + 10 * MINUTE)
    expect(run.told(NOON)).toEqual(['busy a pending 2', 'busy a firing 4'])
  })
})

const delta = (tenant: string, atMs: number) => ({
  series: CALLS.id,
  group: tenant,
  bucket: Math.floor(atMs / MINUTE),
  count: 1,
  bad: 0,
  high: 0,
  low: 0,
  bins: [],
  traceId: '',
  traceValue: 0,
})

describe('Years without records', () => {
  test.each([
    ['a group that was there before', 'a'],
    ['a new group', 'b'],
  ])('take no time, and no window of %s is left out after them', (_, tenant) => {
    const run = new FamilyRun([countRule()])
    run.calls('a', NOON - 50 * YEAR, 11)
    for (const minute of [0, 3]) run.calls(tenant, NOON + minute * MINUTE, 11)
    run.advance(NOON + 100 * MINUTE)
    expect(run.told(NOON).filter((text) => !text.includes('-'))).toEqual([
      `busy ${tenant} firing 1`,
      `busy ${tenant} resolved 2`,
      `busy ${tenant} firing 4`,
      `busy ${tenant} resolved 5`,
    ])
    expect(run.looks).toBeLessThan(500)
  })

  test('behind the last record take none either', () => {
    const run = new FamilyRun([countRule()])
    run.calls('a', NOON, 1)
    run.advance(NOON + 50 * YEAR)
    expect(run.family.nextEndMs).toBe(NOON + 50 * YEAR + MINUTE)
    expect(run.looks).toBeLessThan(500)
  })
})

const someCalls = fc.array(
  fc.record({
    tenant: fc.constantFrom('a', 'b'),
    minute: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 900 })),
    count: fc.integer({ min: 1, max: 30 }),
  }),
  { minLength: 1, maxLength: 30 },
)
const ABOVE = countRule({ minCount: 0 }, 5)
const BELOW: Rule =
  ABOVE.condition.type === 'threshold'
    ? { ...ABOVE, condition: { ...ABOVE.condition, direction: 'below' } }
    : ABOVE
const RULES = {
  levels: LEVELS,
  'a long window': [countRule({ forCount: 2, resolveCount: 3 }, 10, 30 * MINUTE)],
  'too few': [BELOW],
  'flap damping': [countRule({ flap: { firings: 2, withinMs: HOUR } })],
}

describe.each(Object.entries(RULES))('Decisions of %s', (_, rules) => {
  test('are the same however far time goes at once', () => {
    fc.assert(
      fc.property(someCalls, fc.array(fc.integer({ min: 1, max: 200 })), (calls, leaps) => {
        const whole = new FamilyRun(rules)
        const parts = new FamilyRun(rules)
        for (const { tenant, minute, count } of calls) {
          whole.calls(tenant, NOON + minute * MINUTE, count)
          parts.calls(tenant, NOON + minute * MINUTE, count)
        }
        let minute = 0
        for (const leap of leaps) parts.advance(NOON + (minute += leap) * MINUTE)
        const endMs = NOON + Math.max(minute, 1_000) * MINUTE
        parts.advance(endMs)
        whole.advance(endMs)
        expect(parts.told(NOON)).toEqual(whole.told(NOON))
        expect(parts.family.nextEndMs).toBe(whole.family.nextEndMs)
      }),
      { seed: 12, numRuns: 150 },
    )
  })
})

describe('Changed rules', () => {
  test('of the same name go on with their states', () => {
    const run = new FamilyRun([countRule()])
    run.calls('a', NOON, 11)
    run.advance(NOON + MINUTE)
    expect(run.family.configure([countRule({ severity: 'critical' })], NOON + MINUTE)).toEqual([])
    run.advance(NOON + 2 * MINUTE)
    expect(run.told(NOON)).toEqual(['busy a firing 1', 'busy a resolved 2'])
    expect(run.decisions.at(-1)?.rule.severity).toBe('critical')
  })

  test('let a level that is gone resolve, and leave the others', () => {
    const run = new FamilyRun(LEVELS)
    run.calls('a', NOON, 200)
    run.advance(NOON + MINUTE)
    const [warn] = LEVELS
    const decisions = run.family.configure(warn === undefined ? [] : [warn], NOON + MINUTE)
    expect(decisions.map(({ rule, change }) => [rule.id, change.state, change.reason])).toEqual([
      ['busy/page', 'resolved', 'rule_removed'],
    ])
    expect(run.family.rules.map(({ id }) => id)).toEqual(['busy/warn'])
    expect(run.family.holds('a')).toBe(true)
  })

  test('by other dimensions begin anew', () => {
    const run = new FamilyRun([countRule()])
    run.calls('a', NOON, 11)
    run.advance(NOON + MINUTE)
    const decisions = run.family.configure([countRule({ by: ['tenant', 'model'] })], NOON)
    expect(decisions.map(({ change }) => change.state)).toEqual(['resolved'])
    expect(run.family.holds('a')).toBe(false)
  })

  test('with another step begin anew with it', () => {
    const run = new FamilyRun([countRule()])
    run.calls('a', NOON, 1)
    run.advance(NOON + MINUTE)
    run.family.configure([countRule({ everyMs: 5 * MINUTE }, 10, 5 * MINUTE)], NOON)
    expect(run.family.nextEndMs).toBeUndefined()
    run.advance(NOON + 12 * MINUTE)
    expect(run.family.nextEndMs).toBe(NOON + 15 * MINUTE)
  })

  test('that are none let all of it resolve', () => {
    const run = new FamilyRun(LEVELS)
    run.calls('a', NOON, 200)
    run.advance(NOON + MINUTE)
    expect(run.family.configure([], NOON + MINUTE)).toHaveLength(2)
    run.advance(NOON + 2 * MINUTE)
    expect(run.decisions).toHaveLength(2)
    expect(run.family.changes().map(({ state }) => state)).toEqual([undefined, undefined])
  })
})

test('A machine that is read back goes on where it was', () => {
  const run = new FamilyRun([countRule({ forCount: 3 })])
  for (const minute of [0, 1, 2]) run.calls('a', NOON + minute * MINUTE, 11)
  run.advance(NOON + 2 * MINUTE)
  const next = new FamilyRun([countRule({ forCount: 3 })])
  for (const { rule, group, state } of run.family.changes()) {
    if (state !== undefined) next.family.restore(rule, group, JSON.parse(JSON.stringify(state)))
  }
  next.family.nextEndMs = run.family.nextEndMs
  next.calls('a', NOON + 2 * MINUTE, 11)
  next.advance(NOON + 3 * MINUTE)
  expect(next.told(NOON)).toEqual(['busy a firing 3'])
})
