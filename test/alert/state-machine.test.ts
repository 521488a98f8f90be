import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Rule } from '../../services/alert/rule.ts'
import {
  type Change,
  INITIAL,
  isAtRest,
  type MachineState,
  remove,
  step,
  stepEarly,
} from '../../services/alert/state-machine.ts'
import { BUDGET, HOUR, MINUTE, NOON, ruleOf, verdictOf } from './alert-samples.ts'
import { actions, modelOf, noDatas, rules, runOf, runs, Subject } from './machine-model.ts'

const SEED = 20_260_617

type Letter = 'B' | 'b' | 'g' | '.'
const SAID = { B: 'bad', b: 'between', g: 'good', '.': 'nothing' } as const

/** One machine and the changes that it made, as short texts. */
class Run {
  state: MachineState = INITIAL
  atMs = NOON
  mutedBy = ''
  readonly changes: Change[] = []
  readonly #rule: Rule

  constructor(more: Partial<Rule> = {}) {
    this.#rule = ruleOf(more)
  }

  /** Steps a window for each letter: bad, between, good, nothing. `m` mutes from there on, `u` ends it. */
  windows(text: string): this {
    for (const letter of text) {
      if (letter === 'm' || letter === 'u') this.mutedBy = letter === 'm' ? 'silence:s' : ''
      else if (isLetter(letter)) this.step(letter)
    }
    return this
  }

  step(letter: Letter, windowStartMs = this.atMs): this {
    this.atMs += MINUTE
    const verdict = verdictOf(SAID[letter], this.atMs, { windowStartMs })
    const context = { endMs: this.atMs, mutedBy: this.mutedBy }
    return this.#take(step(this.#rule, this.state, verdict, context))
  }

  /** A window that is not decided yet, and ends so many minutes after the last one. */
  early(minutes: number, windowStartMs = this.atMs): this {
    const endMs = this.atMs + minutes * MINUTE
    const verdict = verdictOf('bad', endMs, { windowStartMs })
    return this.#take(stepEarly(this.#rule, this.state, verdict, { endMs, mutedBy: this.mutedBy }))
  }

  remove(timeMs = this.atMs): this {
    return this.#take(remove(this.state, timeMs))
  }

  /** `minute state reason`, and `!` where channels are told. */
  told(): readonly string[] {
    return this.changes.map(
      ({ timeMs, state, reason, notify }) =>
        `${(timeMs - NOON) / MINUTE} ${state} ${reason}${notify ? '!' : ''}`,
    )
  }

  #take({ state, changes }: { state: MachineState; changes: readonly Change[] }): this {
    assert.deepEqual(JSON.parse(JSON.stringify(state)), state)
    this.state = state
    this.changes.push(...changes)
    return this
  }
}

function isLetter(text: string): text is Letter {
  return text in SAID
}

const sequences: readonly (readonly [
  what: string,
  windows: string,
  rule: Partial<Rule>,
  told: readonly string[],
])[] = [
  ['inactive stays so while it is good', 'gb.g', {}, []],
  ['inactive fires at once where one window is enough', 'B', {}, ['1 firing condition!']],
  ['inactive becomes pending where more are needed', 'B', { forCount: 3 }, ['1 pending condition']],
  [
    'pending stays so, without a word, until enough windows held',
    'gBB',
    { forCount: 3 },
    ['2 pending condition'],
  ],
  [
    'pending fires with the last window that was needed',
    'BBBBB',
    { forCount: 5 },
    ['1 pending condition', '5 firing condition!'],
  ],
  [
    'pending becomes inactive with one good window, and the row starts again',
    'BBBBgBBBB',
    { forCount: 5 },
    ['1 pending condition', '5 inactive condition', '6 pending condition'],
  ],
  [
    'pending becomes inactive between the limits too',
    'BbBB',
    { forCount: 2 },
    ['1 pending condition', '2 inactive condition', '3 pending condition', '4 firing condition!'],
  ],
  [
    'pending becomes inactive without data, if that is good',
    'B.',
    { forCount: 2 },
    ['1 pending condition', '2 inactive no_data'],
  ],
  [
    'pending waits without data, if that is skipped',
    'B..B',
    { forCount: 2, noData: 'keep' },
    ['1 pending condition', '4 firing condition!'],
  ],
  [
    'pending fires without data, if that is bad',
    'B.',
    { forCount: 2, noData: 'alert' },
    ['1 pending condition', '2 firing no_data!'],
  ],
  [
    'inactive becomes pending without data, if that is bad',
    '.',
    { forCount: 2, noData: 'alert' },
    ['1 pending no_data'],
  ],
  ['firing says nothing while it goes on', 'BBBBB', {}, ['1 firing condition!']],
  [
    'firing resolves with one good window where that is enough',
    'Bg',
    {},
    ['1 firing condition!', '2 resolved condition!'],
  ],
  [
    'firing resolves with the last good window that was needed',
    'Bgggg',
    { resolveCount: 3 },
    ['1 firing condition!', '4 resolved condition!'],
  ],
  [
    'a bad window starts the good ones again',
    'BggBgg',
    { resolveCount: 3 },
    ['1 firing condition!'],
  ],
  [
    'a window between the limits starts the good ones again',
    'Bggbggg',
    { resolveCount: 3 },
    ['1 firing condition!', '7 resolved condition!'],
  ],
  ['between the limits it goes on firing', 'Bbbbb', {}, ['1 firing condition!']],
  [
    'firing resolves without data, if that is good',
    'B.',
    {},
    ['1 firing condition!', '2 resolved no_data!'],
  ],
  [
    'good windows go on counting after one without data, if that is skipped',
    'Bg..g',
    { resolveCount: 2, noData: 'keep' },
    ['1 firing condition!', '5 resolved condition!'],
  ],
  [
    'firing goes on without data, if that is bad',
    'B.',
    { noData: 'alert' },
    ['1 firing condition!'],
  ],
  [
    'it fires again after it resolved',
    'BgB',
    {},
    ['1 firing condition!', '2 resolved condition!', '3 firing condition!'],
  ],
  [
    'a reminder comes each time that it is due',
    'BBBBBBB',
    { renotifyMs: 3 * MINUTE },
    ['1 firing condition!', '4 firing reminder!', '7 firing reminder!'],
  ],
  [
    'a reminder comes in windows without data too',
    'B..',
    { renotifyMs: 2 * MINUTE, noData: 'keep' },
    ['1 firing condition!', '3 firing reminder!'],
  ],
  [
    'it fires muted, and resolves muted after the mute',
    'mBug',
    {},
    ['1 firing condition', '2 resolved condition'],
  ],
  [
    'it tells when the mute ends, and of the end',
    'mBBuBg',
    {},
    ['1 firing condition', '3 firing unmuted!', '4 resolved condition!'],
  ],
  [
    'it tells once after a mute that came later',
    'BmBuBBg',
    {},
    ['1 firing condition!', '5 resolved condition!'],
  ],
  [
    'it tells of the end of what it told of, muted or not',
    'Bmg',
    {},
    ['1 firing condition!', '2 resolved condition!'],
  ],
  [
    'a reminder waits for the end of a mute',
    'BmBBBuBB',
    { renotifyMs: 2 * MINUTE },
    ['1 firing condition!', '5 firing reminder!'],
  ],
  [
    'a reminder is due as long after the word that a mute has ended as after any other',
    'mBBuBBB',
    { renotifyMs: 2 * MINUTE },
    ['1 firing condition', '3 firing unmuted!', '5 firing reminder!'],
  ],
  [
    'the third firing within ten minutes goes on until it was good for so long',
    'BgBgBgBgBgggggggggggg',
    { flap: { firings: 3, withinMs: 10 * MINUTE } },
    [
      '1 firing condition!',
      '2 resolved condition!',
      '3 firing condition!',
      '4 resolved condition!',
      '5 firing condition!',
      // Minute 9 was the last bad one.
      '20 resolved condition!',
    ],
  ],
  [
    'nothing is damped where no number of firings is too many',
    'BgBg',
    { flap: { firings: 0, withinMs: HOUR } },
    [1, 2, 3, 4].map(
      (minute) => `${minute} ${minute % 2 === 1 ? 'firing' : 'resolved'} condition!`,
    ),
  ],
  [
    'firings that are further apart are none too many',
    'BgggBgggBgggBg',
    { flap: { firings: 3, withinMs: 7 * MINUTE } },
    [1, 2, 5, 6, 9, 10, 13, 14].map(
      (minute) => `${minute} ${minute % 4 === 1 ? 'firing' : 'resolved'} condition!`,
    ),
  ],
]

describe('windows', () => {
  test.each(sequences)('%s: %s', (_what, windows, rule, told) => {
    const run = new Run(rule).windows(windows)
    expect(run.told()).toEqual(told)
  })

  test('a window that was stepped, or is older, changes nothing', () => {
    const { state } = new Run({ forCount: 3 }).windows('BB')
    for (const endMs of [state.lastEndMs, state.lastEndMs - MINUTE]) {
      const stepped = step(ruleOf(), state, verdictOf('bad', endMs), { endMs, mutedBy: '' })
      expect(stepped).toEqual({ state, changes: [] })
      expect(stepped.state).toBe(state)
    }
  })

  test('a change says where it comes from, since when, and who keeps it quiet', () => {
    const { changes } = new Run({ forCount: 2 }).windows('BmBBuBg')
    const minutes = changes.map(({ timeMs, firingSinceMs, ...rest }) => ({
      ...rest,
      at: (timeMs - NOON) / MINUTE,
      since: firingSinceMs === 0 ? null : (firingSinceMs - NOON) / MINUTE,
    }))
    const [reason, mutedBy] = ['condition', '']
    const firing = { state: 'firing', since: 2 }
    expect(minutes).toEqual([
      {
        state: 'pending',
        previous: 'inactive',
        reason,
        at: 1,
        since: null,
        notify: false,
        mutedBy,
      },
      { ...firing, previous: 'pending', reason, at: 2, notify: false, mutedBy: 'silence:s' },
      { ...firing, previous: 'firing', reason: 'unmuted', at: 4, notify: true, mutedBy },
      { state: 'resolved', previous: 'firing', reason, at: 5, since: 2, notify: true, mutedBy },
    ])
    expect(new Run().windows('mBg').changes.at(-1)).toMatchObject({ mutedBy: 'silence:s' })
  })
})

describe('before the watermark', () => {
  test('it fires at once, from inactive or pending, and only once', () => {
    expect(new Run().early(3).early(4).told()).toEqual(['3 firing early!'])
    const pending = new Run({ forCount: 5 }).windows('B').early(3)
    expect(pending.told()).toEqual(['1 pending condition', '4 firing early!'])
    expect(pending.changes.at(-1)).toMatchObject({ previous: 'pending' })
  })

  test('what does not hold changes nothing', () => {
    const context = { endMs: NOON, mutedBy: '' }
    for (const said of ['good', 'between', 'nothing'] as const) {
      expect(stepEarly(ruleOf(), INITIAL, verdictOf(said, NOON), context).changes).toEqual([])
    }
  })

  test('windows before the one that fired say nothing, those from it on do', () => {
    expect(new Run().early(4).windows('ggg').told()).toEqual(['4 firing early!'])
    expect(new Run().early(4).windows('gggg').told()).toEqual([
      '4 firing early!',
      '4 resolved condition!',
    ])
    const slow = new Run({ resolveCount: 2 }).early(4).windows('gggggg')
    expect(slow.told()).toEqual(['4 firing early!', '5 resolved condition!'])
  })

  test('neither a reminder nor the end of a mute comes before the time that it fired at', () => {
    const run = new Run()
    run.mutedBy = 'silence:s'
    run.early(4).windows('uBBBB')
    expect(run.told()).toEqual(['4 firing early', '4 firing unmuted!'])
  })

  test('a window that is decided stays so', () => {
    const run = new Run().windows('ggg')
    expect(run.early(0).early(-1).told()).toEqual([])
    expect(run.early(1).told()).toEqual(['4 firing early!'])
  })
})

describe('a budget', () => {
  const rule: Partial<Rule> = { condition: BUDGET, isEarly: true }
  const NEXT = NOON + HOUR

  test('fires once for its period, and resolves as the next one starts', () => {
    const run = new Run(rule)
    run.early(3, NOON).early(5, NOON)
    while (run.atMs < NEXT) run.step(run.atMs > NOON + 30 * MINUTE ? 'g' : 'B', NOON)
    expect(run.told()).toEqual(['3 firing early!'])
    run.step('g', NEXT)
    expect(run.told()).toEqual(['3 firing early!', '60 resolved period_end!'])
    run.early(3, NEXT)
    expect(run.told().at(-1)).toBe('64 firing early!')
  })

  test('fires anew by the first window of the next period', () => {
    const run = new Run(rule).early(3, NOON)
    run.atMs = NEXT
    run.step('B', NEXT)
    expect(run.told()).toEqual([
      '3 firing early!',
      '60 resolved period_end!',
      '61 firing condition!',
    ])
    expect(run.changes.map(({ firingSinceMs }) => (firingSinceMs - NOON) / MINUTE)).toEqual([
      3, 3, 61,
    ])
  })

  test('fires with the watermark where it does not fire early', () => {
    const run = new Run({ condition: { ...BUDGET, isProjected: true } })
    run.step('g', NOON).step('B', NOON).step('g', NOON).step('B', NOON)
    expect(run.told()).toEqual(['2 firing condition!'])
  })

  test('fires for late records of a period, once for that period', () => {
    const run = new Run(rule)
    run.atMs = NEXT
    run.step('g', NEXT).early(-30, NOON)
    expect(run.told()).toEqual(['61 firing early!'])
    run.step('g', NEXT)
    run.early(-30, NOON).early(-40, NOON - HOUR)
    expect(run.told()).toEqual(['61 firing early!', '61 resolved period_end!'])
  })

  test('reminds, mutes and is told of like any other', () => {
    const run = new Run({ ...rule, renotifyMs: 30 * MINUTE })
    run.mutedBy = 'silence:s'
    run.early(3, NOON)
    for (let minute = 0; minute < 45; minute++) {
      if (minute === 9) run.mutedBy = ''
      run.step('B', NOON)
    }
    expect(run.told()).toEqual(['3 firing early', '10 firing unmuted!', '40 firing reminder!'])
  })

  test('is not damped, however often it fires', () => {
    const run = new Run({ ...rule, flap: { firings: 2, withinMs: 100 * HOUR } })
    for (let i = 0; i < 5; i++) {
      run.atMs = NOON + i * HOUR
      run.step('B', NOON + i * HOUR)
    }
    expect(run.told().filter((text) => text.includes('resolved'))).toHaveLength(4)
    expect(run.state.firings).toEqual([])
  })

  test('comes to rest when the period after it is over', () => {
    const run = new Run(rule).early(3, NOON)
    run.atMs = NEXT
    run.step('g', NEXT)
    expect(isAtRest(run.state)).toBe(false)
    run.step('g', NEXT)
    expect(isAtRest(run.state)).toBe(false)
    run.atMs = NEXT + HOUR
    run.step('g', NEXT + HOUR)
    expect(isAtRest(run.state)).toBe(true)
  })
})

describe('the end of a rule', () => {
  test('resolves what fires, told of if the firing was', () => {
    expect(new Run().windows('B').remove().told().at(-1)).toBe('1 resolved rule_removed!')
    expect(new Run().windows('mB').remove().told().at(-1)).toBe('1 resolved rule_removed')
  })

  test('ends what is pending without a word, and is nothing to what is inactive', () => {
    const pending = new Run({ forCount: 2 }).windows('B').remove()
    expect(pending.told().at(-1)).toBe('1 inactive rule_removed')
    const quiet = new Run().windows('g').remove()
    expect(quiet.told()).toEqual([])
    expect([pending.state, quiet.state]).toEqual([INITIAL, INITIAL])
  })

  test('is not before what it ends', () => {
    const run = new Run().early(4).remove(0)
    expect(run.told()).toEqual(['4 firing early!', '4 resolved rule_removed!'])
  })
})

describe('rest', () => {
  test.each([
    ['', true],
    ['gg', true],
    ['B', false],
    ['Bg', true],
  ])('%s', (windows, isResting) => {
    expect(isAtRest(new Run().windows(windows).state)).toBe(isResting)
  })

  test('pending is no rest, and the way back from it is', () => {
    const run = new Run({ forCount: 2 }).windows('B')
    expect(isAtRest(run.state)).toBe(false)
    expect(isAtRest(run.windows('g').state)).toBe(true)
  })

  test('firings are remembered as long as they count for damping, and no more than it asks for', () => {
    const run = new Run({ flap: { firings: 3, withinMs: 5 * MINUTE } }).windows('Bg')
    expect(isAtRest(run.state)).toBe(false)
    expect(isAtRest(run.windows('gggg').state)).toBe(false)
    expect(isAtRest(run.windows('g').state)).toBe(true)
    const often = new Run({ flap: { firings: 3, withinMs: HOUR } }).windows('BgBgBgBgBg')
    expect(often.state.firings).toHaveLength(3)
    const fewer = new Run({ flap: { firings: 2, withinMs: HOUR } })
    fewer.state = { ...INITIAL, firings: [NOON - 3, NOON - 2, NOON - 1] }
    expect(fewer.windows('B').state.firings).toEqual([NOON - 1, NOON + MINUTE])
  })
})

describe('windows one after the other', () => {
  test('make the changes that a look at all of them says', () => {
    let changes = 0
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 6 }),
        noDatas,
        runs,
        (forCount, resolveCount, minutes, noData, all) => {
          const renotifyMs = minutes * MINUTE
          const rule = ruleOf({ forCount, resolveCount, noData, renotifyMs })
          const model = modelOf(rule, all)
          changes += model.length
          expect(runOf(rule, all)).toEqual(model)
        },
      ),
      { seed: SEED, numRuns: 3_000 },
    )
    expect(changes).toBeGreaterThan(10_000)
  })
})

describe('whatever happens', () => {
  test('incidents begin and end in turn, each told of from its start to its end or not at all', () => {
    let firings = 0
    fc.assert(
      fc.property(rules, actions, (rule, all) => {
        const subject = new Subject(rule)
        for (const one of all) subject.act(one)
        firings += subject.watcher.firings
        // Long enough for three periods, and for a flapping one to calm down.
        for (let i = 0; i < 40; i++) subject.act({ type: 'step', said: 'good', windows: 1 })
        expect(subject.state).toEqual(INITIAL)
      }),
      { seed: SEED, numRuns: 3_000 },
    )
    expect(firings).toBeGreaterThan(3_000)
  })
})
