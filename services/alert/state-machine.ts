import type { Rule, Verdict } from './rule.ts'

/** What is remembered of one rule for one group between windows. Plain data: it survives JSON. */
export interface MachineState {
  readonly state: 'inactive' | 'pending' | 'firing'
  /** End of the last window that was stepped. */
  readonly lastEndMs: number
  /** Windows in a row: that held, while it does not fire; that were good, while it does. */
  readonly row: number
  /** End of the first of those good windows; 0 where there is none. */
  readonly goodSinceMs: number
  /** 0 while it does not fire. */
  readonly firingSinceMs: number
  /** It fired early, by the window that ends then: older windows say nothing of it. */
  readonly heldUntilMs: number
  /** When channels were last told that it fires; 0 where they were not. */
  readonly lastNotifiedMs: number
  /** Why channels were not told of the incident so far; empty once they are. */
  readonly mutedBy: string
  /** The last times it fired, as many as flap damping asks for. */
  readonly firings: readonly number[]
  /** The period that a budget fired for last, and the start of the latest that is known after it. */
  readonly period: { readonly startMs: number; readonly nextMs: number | null } | null
}

export const INITIAL: MachineState = {
  state: 'inactive',
  lastEndMs: 0,
  row: 0,
  goodSinceMs: 0,
  firingSinceMs: 0,
  heldUntilMs: 0,
  lastNotifiedMs: 0,
  mutedBy: '',
  firings: [],
  period: null,
}

type Reason =
  | 'condition'
  | 'no_data'
  | 'early'
  | 'reminder'
  | 'unmuted'
  | 'period_end'
  | 'rule_removed'

/** A change of state, or a word that it still fires: then `previous` is firing too. */
export interface Change {
  readonly state: MachineState['state'] | 'resolved'
  readonly previous: MachineState['state']
  readonly reason: Reason
  /** Event time of the decision. */
  readonly timeMs: number
  /** When the incident began; 0 where there is none. */
  readonly firingSinceMs: number
  readonly notify: boolean
  /** Why channels are not told of what they would be told otherwise. */
  readonly mutedBy: string
}

/** What is known of a window beside its verdict. */
export interface StepContext {
  readonly endMs: number
  /** Why channels are not to be told; empty where they are. */
  readonly mutedBy: string
}

export interface Stepped {
  readonly state: MachineState
  readonly changes: readonly Change[]
}

/**
 * Takes the verdict of one window in. Call it with window ends that rise; others are ignored.
 *
 * A budget fires once for a period and goes on firing to its end, even if a price correction takes
 * the sum back below the limit: what was spent was. It resolves at the first window of a later
 * period, at the time that period starts, and may fire anew by that same window.
 *
 * Channels are told of the end of each incident that they were told of, mutes or not: nobody is left
 * with an incident that never ends. Of one that they were not told of, they are told when the mute
 * ends while it still fires. A reminder that is due in a mute waits for its end.
 */
export function step(
  rule: Rule,
  before: MachineState,
  verdict: Verdict,
  context: StepContext,
): Stepped {
  const { endMs } = context
  if (endMs <= before.lastEndMs) return { state: before, changes: [] }
  const state = { ...before, lastEndMs: endMs }
  if (state.state !== 'firing') {
    return stepQuiet(rule, forget(rule, state, verdict, endMs), verdict, context)
  }
  if (rule.condition.type !== 'budget') return stepFiring(rule, state, verdict, context)
  if (!isLaterPeriod(state, verdict)) return remind(rule, state, context)
  const { windowStartMs } = verdict
  const timeMs = Math.max(windowStartMs, before.lastEndMs, state.firingSinceMs)
  const ended = resolve(state, 'period_end', timeMs)
  const nextMs = Math.max(windowStartMs, state.period?.nextMs ?? windowStartMs)
  const period = state.period && { ...state.period, nextMs }
  const next = stepQuiet(rule, { ...ended.state, period }, verdict, context)
  return { state: next.state, changes: [...ended.changes, ...next.changes] }
}

/**
 * Takes in that the condition holds of a window that is not decided yet, and cannot cease to: it fires
 * at once, whatever `for` says. Windows that are decided already fire no more, but for a budget's: it
 * has one firing for each period, and late records may bring it about.
 */
export function stepEarly(
  rule: Rule,
  state: MachineState,
  verdict: Verdict,
  { endMs, mutedBy }: StepContext,
): Stepped {
  const isOpen =
    rule.condition.type === 'budget' ? isLaterPeriod(state, verdict) : endMs > state.lastEndMs
  if (state.state === 'firing' || verdict.holds !== true || !isOpen) return { state, changes: [] }
  const timeMs = Math.max(endMs, state.lastEndMs)
  const held = { ...state, heldUntilMs: endMs }
  return fire(rule, held, verdict, { reason: 'early', timeMs, mutedBy })
}

/** The rule is gone, or the group forgotten: whatever was on ends. */
export function remove(before: MachineState, atMs: number): Stepped {
  const timeMs = Math.max(atMs, before.lastEndMs, before.firingSinceMs)
  const { changes } =
    before.state === 'firing'
      ? resolve(before, 'rule_removed', timeMs)
      : before.state === 'pending'
        ? goQuiet(before, 'rule_removed', timeMs)
        : { changes: [] }
  return { state: INITIAL, changes }
}

/** Whether nothing need be kept of it: INITIAL says the same. */
export function isAtRest({ state, firings, period }: MachineState): boolean {
  return state === 'inactive' && firings.length === 0 && period === null
}

/** What a window does to rows; `between` is past the limit, but not back to where it resolves. */
type Said = 'bad' | 'between' | 'good' | 'nothing'

const NO_DATA: Readonly<Record<Rule['noData'], Said>> = {
  ok: 'good',
  keep: 'nothing',
  alert: 'bad',
}

function saidBy(rule: Rule, { holds, isGood }: Verdict): readonly [Said, Reason] {
  if (holds === undefined) return [NO_DATA[rule.noData], 'no_data']
  return [holds ? 'bad' : isGood ? 'good' : 'between', 'condition']
}

function stepQuiet(
  rule: Rule,
  state: MachineState,
  verdict: Verdict,
  { endMs: timeMs, mutedBy }: StepContext,
): Stepped {
  const [said, reason] = saidBy(rule, verdict)
  if (said === 'nothing') return { state, changes: [] }
  if (said !== 'bad') {
    return state.state === 'pending' ? goQuiet(state, reason, timeMs) : { state, changes: [] }
  }
  const row = state.row + 1
  if (row >= rule.forCount) return fire(rule, state, verdict, { reason, timeMs, mutedBy })
  const pending: MachineState = { ...state, state: 'pending', row }
  if (state.state === 'pending') return { state: pending, changes: [] }
  return { state: pending, changes: [silent('pending', state, reason, timeMs)] }
}

function stepFiring(
  rule: Rule,
  state: MachineState,
  verdict: Verdict,
  context: StepContext,
): Stepped {
  const { endMs } = context
  if (endMs < state.heldUntilMs) return { state, changes: [] }
  const [said, reason] = saidBy(rule, verdict)
  if (said === 'nothing') return remind(rule, state, context)
  if (said !== 'good') return remind(rule, { ...state, row: 0, goodSinceMs: 0 }, context)
  const row = state.row + 1
  const goodSinceMs = row === 1 ? endMs : state.goodSinceMs
  const isLongEnough = !isFlapping(rule, state) || endMs - goodSinceMs >= rule.flap.withinMs
  if (row >= rule.resolveCount && isLongEnough) return resolve(state, reason, endMs)
  return remind(rule, { ...state, row, goodSinceMs }, context)
}

function fire(
  rule: Rule,
  before: MachineState,
  { windowStartMs }: Verdict,
  { reason, timeMs, mutedBy }: Pick<Change, 'reason' | 'timeMs' | 'mutedBy'>,
): Stepped {
  const isBudget = rule.condition.type === 'budget'
  const notify = mutedBy === ''
  const state: MachineState = {
    ...before,
    state: 'firing',
    row: 0,
    goodSinceMs: 0,
    firingSinceMs: timeMs,
    lastNotifiedMs: notify ? timeMs : 0,
    mutedBy,
    // Periods come to their ends of themselves: there is nothing to damp.
    firings: isBudget ? [] : addFiring(rule, before, timeMs),
    period: isBudget ? { startMs: windowStartMs, nextMs: laterThan(windowStartMs, before) } : null,
  }
  const change = { previous: before.state, reason, timeMs, firingSinceMs: timeMs, notify, mutedBy }
  return { state, changes: [{ state: 'firing', ...change }] }
}

/** Tells that it still fires, where that is due. */
function remind(rule: Rule, state: MachineState, { endMs, mutedBy }: StepContext): Stepped {
  const { renotifyMs } = rule
  const isNews = state.mutedBy !== ''
  const isDue = isNews || (renotifyMs > 0 && endMs - state.lastNotifiedMs >= renotifyMs)
  if (mutedBy !== '' || !isDue || endMs < state.heldUntilMs) return { state, changes: [] }
  const change: Change = {
    state: 'firing',
    previous: 'firing',
    reason: isNews ? 'unmuted' : 'reminder',
    timeMs: endMs,
    firingSinceMs: state.firingSinceMs,
    notify: true,
    mutedBy: '',
  }
  return { state: { ...state, lastNotifiedMs: endMs, mutedBy: '' }, changes: [change] }
}

function resolve(before: MachineState, reason: Reason, timeMs: number): Stepped {
  const { firingSinceMs, mutedBy, lastEndMs, firings } = before
  const told = { notify: mutedBy === '', mutedBy, firingSinceMs }
  const change: Change = { state: 'resolved', previous: 'firing', reason, timeMs, ...told }
  return { state: { ...INITIAL, lastEndMs, firings }, changes: [change] }
}

function goQuiet(before: MachineState, reason: Reason, timeMs: number): Stepped {
  const state: MachineState = { ...before, state: 'inactive', row: 0 }
  return { state, changes: [silent('inactive', before, reason, timeMs)] }
}

/** A change that no channel is told of, as nothing has happened yet. */
function silent(
  state: 'inactive' | 'pending',
  { state: previous }: MachineState,
  reason: Reason,
  timeMs: number,
): Change {
  return { state, previous, reason, timeMs, firingSinceMs: 0, notify: false, mutedBy: '' }
}

/** Drops what no later window can ask for, so that a quiet machine comes to rest. */
function forget(
  rule: Rule,
  state: MachineState,
  { windowStartMs }: Verdict,
  endMs: number,
): MachineState {
  const { period } = state
  // Late records of a period that fired must not fire it again, for as long as the next one lasts.
  const nextMs = period?.nextMs ?? windowStartMs
  const isBudget = rule.condition.type === 'budget'
  const isKept = isBudget && period !== null && windowStartMs <= nextMs
  return { ...state, firings: recent(rule, state, endMs), period: isKept ? period : null }
}

function recent({ flap }: Rule, { firings }: MachineState, timeMs: number): readonly number[] {
  return firings.filter((firedMs) => timeMs - firedMs <= flap.withinMs)
}

function addFiring(rule: Rule, before: MachineState, timeMs: number): readonly number[] {
  const { firings } = rule.flap
  return firings > 0 ? [...recent(rule, before, timeMs), timeMs].slice(-firings) : []
}

/** It fired so often that it goes on firing until it was good for a while; 0 firings is never. */
function isFlapping({ flap }: Rule, { firings }: MachineState): boolean {
  return flap.firings > 0 && firings.length >= flap.firings
}

/** The latest period that is known to come after one that starts then. */
function laterThan(startMs: number, { period }: MachineState): number | null {
  const nextMs = period?.nextMs ?? startMs
  return nextMs > startMs ? nextMs : null
}

function isLaterPeriod({ period }: MachineState, { windowStartMs }: Verdict): boolean {
  return period === null || windowStartMs > period.startMs
}
