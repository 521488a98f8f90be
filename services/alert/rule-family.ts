import { seriesOf, windowMsOf } from './condition-series.ts'
import type { Calendar } from './calendar.ts'
import type { View } from './condition-view.ts'
import { evaluate, freezeBaselines } from './conditions.ts'
import { firstToHold, notePeriod } from './early.ts'
import type { Histories } from './histories.ts'
import type { Rule, Verdict } from './rule.ts'
import { splitGroup } from './series.ts'
import {
  type Change,
  INITIAL,
  isAtRest,
  type MachineState,
  remove,
  step,
  stepEarly,
} from './state-machine.ts'
import { endAfter, firstEnd, hasRecords } from './window-ends.ts'

/** A change of state of one rule for one group, and the verdict that made it. */
export interface Decision {
  readonly rule: Rule
  readonly group: string
  readonly change: Change
  readonly verdict: Verdict
}

/** What a family reads beside its own machines. */
export interface Surroundings {
  readonly histories: Histories
  readonly calendar: Calendar
  /** Why nobody is told of a rule for a group at a time; empty where they are. */
  readonly mutedBy: (
    rule: Rule,
    group: Readonly<Record<string, string>>,
    timeMs: number,
    isFiring: (rule: string) => boolean,
  ) => string
}

/** Steps that are taken one by one before it is asked whether some can be left out. */
const FEW_STEPS = 60

/** The levels of one rule, and a state machine for each level and group. Deterministic: it reads no clock. */
export class RuleFamily {
  /** The most severe first, as it keeps the others quiet. */
  #rules: readonly Rule[]
  readonly #machines = new Map<string, Map<string, MachineState>>()
  readonly #changed = new Map<string, Set<string>>()
  /** End of the window that is decided next, milliseconds; undefined before the first record. */
  nextEndMs: number | undefined

  constructor(rules: readonly Rule[]) {
    this.#rules = sorted(rules)
  }

  get rules(): readonly Rule[] {
    return this.#rules
  }

  /** Takes changed rules over; what fires by a level that is gone, or by other groups, is resolved. */
  configure(rules: readonly Rule[], timeMs: number): readonly Decision[] {
    const kept = new Map(rules.map((rule) => [rule.id, rule]))
    const decisions = this.#rules.flatMap((rule) => {
      const next = kept.get(rule.id)
      const isSame = next !== undefined && next.by.join() === rule.by.join()
      return isSame ? [] : this.#removeAll(rule, timeMs)
    })
    const everyMs = rules[0]?.everyMs
    if (everyMs !== this.#rules[0]?.everyMs) this.nextEndMs = undefined
    this.#rules = sorted(rules)
    return decisions
  }

  /** Begins with the first window that ends after a time, if no window was decided yet. */
  startAfter(timeMs: number): void {
    const [first] = this.#rules
    if (first !== undefined) this.nextEndMs ??= endAfter(timeMs, first.everyMs)
  }

  /** Decides all windows that end up to the watermark. */
  advance(watermarkMs: number, around: Surroundings): readonly Decision[] {
    const [first] = this.#rules
    if (first === undefined) return []
    const { everyMs } = first
    // Records before the first one may still come, but none for a window that time has passed.
    let endMs =
      this.nextEndMs ??
      Math.min(endAfter(watermarkMs, everyMs), firstEnd(this.#rules, around.histories, everyMs))
    const decisions: Decision[] = []
    for (let steps = 0; endMs <= watermarkMs; steps++) {
      const isFar = watermarkMs - endMs > FEW_STEPS * everyMs
      if (isFar && steps % FEW_STEPS === 0) {
        endMs = this.#leap(endMs, endAfter(watermarkMs, everyMs), around.histories)
        if (endMs > watermarkMs) break
      }
      for (const rule of this.#rules) this.#decide(rule, endMs, around, decisions)
      endMs += everyMs
    }
    this.nextEndMs = endMs
    return decisions
  }

  /** Looks at one group before its windows are decided; only what cannot be undone fires. */
  early(group: string, bucketEndMs: number, around: Surroundings): readonly Decision[] {
    const decisions: Decision[] = []
    // What is too little for a part of a budget is too little for a larger one.
    let leastPart = Number.POSITIVE_INFINITY
    for (const rule of this.#rules) {
      const part = rule.condition.type === 'budget' ? rule.condition.part : 0
      if (!rule.isEarly || part > leastPart) continue
      const before = this.#machine(rule, group)
      const endMs = Math.ceil(bucketEndMs / rule.everyMs) * rule.everyMs
      const view = viewOf(rule, group, endMs, around)
      if (before.state === 'firing') {
        const state = notePeriod(rule, before, view)
        if (state !== before) this.#put(rule, group, state)
        continue
      }
      const verdict = firstToHold(rule, view, this.nextEndMs)
      if (verdict === undefined) {
        leastPart = Math.min(leastPart, part)
        continue
      }
      const { windowEndMs } = verdict
      const mutedBy = this.#mutedBy(rule, { ...view, endMs: windowEndMs }, group, around)
      const result = stepEarly(rule, before, verdict, { endMs: windowEndMs, mutedBy })
      this.#take({ rule, group, verdict, result }, decisions)
    }
    return decisions
  }

  /** Whether something of a group is not at rest: its histories are still asked for. */
  holds(group: string): boolean {
    return this.#rules.some(({ id }) => this.#machines.get(id)?.has(group) === true)
  }

  /** Machines that changed since the last call; undefined for one that is at rest. */
  changes(): readonly { rule: string; group: string; state: MachineState | undefined }[] {
    const pieces = [...this.#changed].flatMap(([rule, groups]) =>
      [...groups].map((group) => ({ rule, group, state: this.#machines.get(rule)?.get(group) })),
    )
    this.#changed.clear()
    return pieces
  }

  /** Takes a stored machine over. */
  restore(rule: string, group: string, state: MachineState): void {
    const machines = this.#machines.get(rule) ?? new Map<string, MachineState>()
    this.#machines.set(rule, machines.set(group, state))
  }

  #decide(rule: Rule, endMs: number, around: Surroundings, decisions: Decision[]): void {
    const made: Decision[] = []
    for (const group of this.#groups(rule, endMs, around.histories)) {
      const view = viewOf(rule, group, endMs, around)
      for (const series of freezeBaselines(rule.condition, view)) {
        around.histories.settle(series, group)
      }
      const verdict = evaluate(rule.condition, view)
      const context = { endMs, mutedBy: this.#mutedBy(rule, view, group, around) }
      const result = step(rule, this.#machine(rule, group), verdict, context)
      this.#take({ rule, group, verdict, result }, made)
    }
    // A successor knows the groups in another order, and readers tell its alerts from ours by theirs.
    for (const one of made.sort((a, b) => compareTexts(a.group, b.group))) decisions.push(one)
  }

  /** Groups that a window could change something for. */
  #groups(rule: Rule, endMs: number, histories: Histories): ReadonlySet<string> {
    const groups = new Set(this.#machines.get(rule.id)?.keys())
    // What can be decided early was; a window that is decided only ends what fires.
    if (rule.isEarly && rule.condition.type === 'budget') return groups
    const sinceMs = endMs - windowMsOf(rule.condition)
    for (const series of seriesOf(rule.condition)) {
      for (const [group, history] of histories.groups(series)) {
        const isKnown = (history.firstMs ?? endMs) < endMs
        const isAsked = rule.noData === 'alert' || hasRecords(history, sinceMs, endMs)
        if (isKnown && isAsked) groups.add(group)
      }
    }
    return groups
  }

  #mutedBy(rule: Rule, view: View, group: string, { mutedBy }: Surroundings): string {
    const isFiring = (id: string) => this.#machines.get(id)?.get(group)?.state === 'firing'
    return mutedBy(rule, view.group, view.endMs, isFiring)
  }

  #machine(rule: Rule, group: string): MachineState {
    return this.#machines.get(rule.id)?.get(group) ?? INITIAL
  }

  #take(
    {
      rule,
      group,
      verdict,
      result,
    }: Omit<Decision, 'change'> & { result: ReturnType<typeof step> },
    decisions: Decision[],
  ): void {
    this.#put(rule, group, result.state)
    for (const change of result.changes) decisions.push({ rule, group, change, verdict })
  }

  #put({ id }: Rule, group: string, state: MachineState): void {
    const machines = this.#machines.get(id) ?? new Map<string, MachineState>()
    this.#machines.set(id, machines)
    const wasThere = machines.has(group)
    if (isAtRest(state)) machines.delete(group)
    else machines.set(group, state)
    if (wasThere || machines.has(group)) {
      this.#changed.set(id, (this.#changed.get(id) ?? new Set()).add(group))
    }
  }

  #removeAll(rule: Rule, timeMs: number): readonly Decision[] {
    const decisions: Decision[] = []
    for (const [group, state] of this.#machines.get(rule.id) ?? []) {
      this.#take({ rule, group, verdict: NOTHING, result: remove(state, timeMs) }, decisions)
    }
    return decisions
  }

  /**
   * The first end from `endMs` on, and up to `latestMs`, at which something may be decided: while
   * nothing is on, windows without records change nothing.
   */
  #leap(endMs: number, latestMs: number, histories: Histories): number {
    const isOn = [...this.#machines.values()].some(({ size }) => size > 0)
    if (isOn || this.#rules.some(({ noData }) => noData === 'alert')) return endMs
    let leapMs = latestMs
    for (const { condition, everyMs } of this.#rules) {
      const sinceMs = endMs - windowMsOf(condition)
      for (const series of seriesOf(condition)) {
        for (const history of histories.groups(series).values()) {
          const startMs = history.nextMs(sinceMs, latestMs)
          if (startMs !== undefined) leapMs = Math.min(leapMs, endAfter(startMs, everyMs))
          if (leapMs <= endMs) return endMs
        }
      }
    }
    return leapMs
  }
}

const NOTHING: Verdict = {
  holds: undefined,
  isGood: false,
  value: null,
  threshold: null,
  baseline: null,
  count: 0,
  windowStartMs: 0,
  windowEndMs: 0,
  unit: '',
}

function sorted(rules: readonly Rule[]): readonly Rule[] {
  return rules.toSorted((a, b) => a.inhibitedBy.length - b.inhibitedBy.length)
}

function viewOf(
  rule: Rule,
  group: string,
  endMs: number,
  { histories, calendar }: Surroundings,
): View {
  return {
    endMs,
    minCount: rule.minCount,
    group: groupRecord(rule, group),
    historyOf: (series) => histories.of(series, group),
    calendar,
  }
}

/** A group as a value for each dimension of its rule. */
export function groupRecord({ by }: Rule, group: string): Readonly<Record<string, string>> {
  const values = splitGroup(group, by.length)
  return Object.fromEntries(by.map((dimension, i) => [dimension, values[i] ?? '']))
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
