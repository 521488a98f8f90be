import assert from 'node:assert/strict'
import * as fc from 'fast-check'
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
import { BUDGET, MINUTE, NOON, ruleOf, verdictOf } from './alert-samples.ts'

type Said = Parameters<typeof verdictOf>[0]

export interface Window {
  readonly said: Said
  readonly isMuted: boolean
}

/** What conditions say; rather often that they hold. */
const saids = fc.constantFrom<Said>('bad', 'bad', 'bad', 'between', 'good', 'good', 'nothing')
export const noDatas = fc.constantFrom<Rule['noData']>('ok', 'keep', 'alert')

export const runs = fc.array(fc.record({ said: saids, isMuted: fc.boolean() }), {
  minLength: 20,
  maxLength: 40,
})

/** What a row of windows comes to, by looking at all of them anew for each window. */
export function modelOf(rule: Rule, windows: readonly Window[]): readonly string[] {
  const told: string[] = []
  const instead = { ok: 'good', keep: undefined, alert: 'bad' }[rule.noData]
  const words = windows.map((one) => (one.said === 'nothing' ? instead : one.said))
  let [since, state, lastTold, isKnown] = [0, 'inactive', 0, false]
  windows.forEach(({ isMuted }, i) => {
    const heard = words.slice(since, i + 1).filter((word) => word !== undefined)
    const areLast = (count: number, word: string) =>
      heard.length >= count && heard.slice(-count).every((one) => one === word)
    const before = state
    const turn = (to: string, notify: boolean) => {
      told.push(`${i} ${to}${notify ? '!' : ''}`)
      state = to
      if (to === 'firing' || to === 'resolved') since = i + 1
      if (notify) lastTold = i
    }
    if (before === 'firing') {
      if (areLast(rule.resolveCount, 'good')) turn('resolved', isKnown)
      else if (!isMuted && !isKnown) {
        told.push(`${i} unmuted!`)
        lastTold = i
        isKnown = true
      } else if (!isMuted && (i - lastTold) * MINUTE >= rule.renotifyMs) {
        told.push(`${i} reminder!`)
        lastTold = i
      }
      return
    }
    if (words[i] === undefined) return
    if (areLast(rule.forCount, 'bad')) {
      isKnown = !isMuted
      turn('firing', isKnown)
    } else if (areLast(1, 'bad')) {
      if (before !== 'pending') turn('pending', false)
    } else if (before === 'pending') turn('inactive', false)
  })
  return told
}

/** What the machine makes of them. */
export function runOf(rule: Rule, windows: readonly Window[]): readonly string[] {
  let state = INITIAL
  return windows.flatMap((window, i) => {
    const endMs = NOON + i * MINUTE
    const mutedBy = window.isMuted ? 'silence:s' : ''
    const stepped = step(rule, state, verdictOf(window.said, endMs), { endMs, mutedBy })
    state = isAtRest(stepped.state) ? INITIAL : stepped.state
    return stepped.changes.map((change) => {
      const isWord = change.reason === 'reminder' || change.reason === 'unmuted'
      return `${i} ${isWord ? change.reason : change.state}${change.notify ? '!' : ''}`
    })
  })
}

type Action =
  | { readonly type: 'step'; readonly said: Said; readonly windows: number }
  | { readonly type: 'early'; readonly ahead: number }
  | { readonly type: 'mute' | 'remove' }

const PERIOD = 10
export const actions: fc.Arbitrary<readonly Action[]> = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        type: fc.constant('step' as const),
        said: saids,
        windows: fc.integer({ min: 1, max: 3 }),
      }),
    },
    {
      weight: 4,
      // Late by at most a period: for longer, nothing is remembered.
      arbitrary: fc.record({
        type: fc.constant('early' as const),
        ahead: fc.integer({ min: -PERIOD, max: 5 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('mute' as const) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('remove' as const) }) },
  ),
  { minLength: 20, maxLength: 60 },
)

export const rules = fc
  .record({
    forCount: fc.integer({ min: 1, max: 3 }),
    resolveCount: fc.integer({ min: 1, max: 3 }),
    noData: noDatas,
    renotifyMs: fc.constantFrom(0, 4 * MINUTE),
    flap: fc.constantFrom(
      { firings: 0, withinMs: 0 },
      { firings: 1, withinMs: 3 * MINUTE },
      { firings: 3, withinMs: 15 * MINUTE },
    ),
    isBudget: fc.boolean(),
  })
  .map(({ isBudget, ...more }) => ruleOf(isBudget ? { ...more, condition: BUDGET } : more))

/** Looks at each change as it comes, and knows nothing of machines. */
class Watcher {
  readonly #rule: Rule
  #lastMs = 0
  #firing: { readonly sinceMs: number; isTold: boolean } | undefined
  readonly #periods = new Set<number>()
  firings = 0

  constructor(rule: Rule) {
    this.#rule = rule
  }

  see(change: Change, windowStartMs: number, mutedBy: string): void {
    assert.ok(change.timeMs >= this.#lastMs, 'time runs backwards')
    this.#lastMs = change.timeMs
    if (change.notify) assert.equal(change.mutedBy, '')
    if (change.state === 'firing') this.#seeFiring(change, windowStartMs, mutedBy)
    else if (change.state === 'resolved') {
      const { firingSinceMs, notify, previous } = change
      assert.equal(previous, 'firing')
      assert.deepEqual({ sinceMs: firingSinceMs, isTold: notify }, this.#firing)
      this.#firing = undefined
    } else {
      assert.equal(this.#firing, undefined)
      const { notify, mutedBy: why, firingSinceMs } = change
      assert.deepEqual([notify, why, firingSinceMs], [false, '', 0])
    }
  }

  /** The machine was taken away, and its memory with it. */
  forget(): void {
    this.#lastMs = 0
    this.#periods.clear()
  }

  /** It was at rest: a late record may make a budget fire for what is long over. */
  rest(): void {
    if (this.#rule.condition.type === 'budget') this.#lastMs = 0
  }

  isFiring(): boolean {
    return this.#firing !== undefined
  }

  #seeFiring(change: Change, windowStartMs: number, mutedBy: string): void {
    const { reason, timeMs, firingSinceMs, notify } = change
    assert.equal(change.mutedBy, mutedBy)
    assert.equal(notify, mutedBy === '')
    if (reason === 'reminder' || reason === 'unmuted') {
      if (this.#firing === undefined) throw new Error('nothing fires')
      assert.equal(firingSinceMs, this.#firing.sinceMs)
      assert.equal(this.#firing.isTold, reason === 'reminder')
      this.#firing.isTold = true
      return
    }
    assert.equal(this.#firing, undefined)
    assert.equal(firingSinceMs, timeMs)
    this.#firing = { sinceMs: timeMs, isTold: notify }
    this.firings++
    if (this.#rule.condition.type !== 'budget') return
    assert.ok(!this.#periods.has(windowStartMs), 'a budget fires twice')
    this.#periods.add(windowStartMs)
  }
}

/** A machine that is acted upon, with its watcher. */
export class Subject {
  state: MachineState = INITIAL
  readonly watcher: Watcher
  readonly #rule: Rule
  #atMs = NOON
  #mutedBy = ''

  constructor(rule: Rule) {
    this.#rule = rule
    this.watcher = new Watcher(rule)
  }

  act(one: Action): void {
    switch (one.type) {
      case 'mute':
        this.#mutedBy = this.#mutedBy === '' ? 'silence:s' : ''
        return
      case 'remove':
        this.#take(remove(this.state, this.#atMs), 0)
        this.watcher.forget()
        return
      case 'early': {
        const isLate = one.ahead <= 0
        if (isLate && this.#rule.condition.type !== 'budget') return
        this.#window('bad', this.#atMs + one.ahead * MINUTE, stepEarly)
        return
      }
      default:
        this.#atMs += one.windows * MINUTE
        this.#window(one.said, this.#atMs, step)
    }
  }

  #window(word: Said, endMs: number, apply: typeof step): void {
    const isBudget = this.#rule.condition.type === 'budget'
    const periodMs = PERIOD * MINUTE
    const windowStartMs = isBudget ? Math.floor((endMs - 1) / periodMs) * periodMs : endMs - MINUTE
    const verdict = verdictOf(word, endMs, { windowStartMs })
    const context = { endMs, mutedBy: this.#mutedBy }
    this.#take(apply(this.#rule, this.state, verdict, context), windowStartMs)
  }

  #take({ state, changes }: ReturnType<typeof step>, windowStartMs: number): void {
    assert.deepEqual(JSON.parse(JSON.stringify(state)), state)
    for (const change of changes) this.watcher.see(change, windowStartMs, this.#mutedBy)
    assert.equal(state.state === 'firing', this.watcher.isFiring())
    assert.ok(state.firings.length <= this.#rule.flap.firings, 'too much is kept')
    // As its owner does: a machine at rest is not kept.
    this.state = isAtRest(state) ? INITIAL : state
    if (this.state === INITIAL) this.watcher.rest()
  }
}
