import { formatDuration, parseDuration } from './duration.ts'
import { budgetStep } from './rule-budget.ts'
import { burnWindows } from './rule-burn.ts'
import type { Place } from './rule-place.ts'
import type { RuleData } from './rule-shape.ts'

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const MAX_WINDOW_MS = 60 * 24 * HOUR_MS
/** Longer windows are looked at about this often, so that a group need not keep too many buckets. */
const STEPS_OF_A_WINDOW = 60
const ROUND_SECONDS = [3_600, 1_800, 900, 300, 60, 30, 15, 10, 5, 1]
const STEPS_MS = ROUND_SECONDS.map((seconds) => seconds * SECOND_MS)

/**
 * How often a rule is looked at, which is also how long its buckets are: every window must be made of
 * whole buckets, and end where one does.
 */
export function readStep(data: RuleData, place: Place): number {
  const { condition, every } = data
  if (condition.budget !== undefined) {
    if (every !== undefined) place.at('every').refuse('follows from the period of a budget')
    return budgetStep(condition.budget)
  }
  const windows = windowsOf(data)
  if (every === undefined) {
    const stepMs = condition.burn === undefined ? defaultStep(windows) : MINUTE_MS
    requireWhole(windows, stepMs, place, 'the default of every')
    return stepMs
  }
  const everyMs = place.at('every').duration(every)
  if (everyMs % SECOND_MS > 0) place.at('every').refuse('must be whole seconds')
  requireWhole(windows, everyMs, place, 'every')
  return everyMs
}

interface Window {
  readonly text: string
  readonly path: readonly PropertyKey[]
}

/** All windows of a rule. Texts that are no durations are left to who reads the condition. */
function windowsOf({ window, condition }: RuleData): readonly (Window & { readonly ms: number })[] {
  const windows: Window[] = []
  const add = (text: string | undefined, ...path: readonly PropertyKey[]) => {
    if (text !== undefined) windows.push({ text, path })
  }
  add(window, 'window')
  add(condition.baseline?.trailing, 'condition', 'baseline', 'trailing')
  condition.all?.forEach((part, i) => {
    const at = ['condition', 'all', i]
    add(part.window, ...at, 'window')
    add(part.condition?.baseline?.trailing, ...at, 'condition', 'baseline', 'trailing')
    add(part.not?.window, ...at, 'not', 'window')
    add(part.not?.condition.baseline?.trailing, ...at, 'not', 'condition', 'baseline', 'trailing')
  })
  if (condition.burn !== undefined) {
    for (const text of burnWindows(condition.burn)) add(text, 'condition', 'burn', 'levels')
  }
  return windows.flatMap((found) => {
    const ms = parseDuration(found.text)
    return ms === undefined || ms === 0 ? [] : [{ ...found, ms }]
  })
}

/** A minute for windows of up to an hour, or the window if it is shorter. */
function defaultStep(windows: readonly { readonly ms: number }[]): number {
  const shortestMs = Math.min(...windows.map(({ ms }) => ms))
  const atMostMs =
    shortestMs <= HOUR_MS ? Math.min(shortestMs, MINUTE_MS) : shortestMs / STEPS_OF_A_WINDOW
  const steps = [atMostMs, ...STEPS_MS].filter(
    (step) => step <= atMostMs && step % SECOND_MS === 0 && (step < MINUTE_MS || isRound(step)),
  )
  return steps.find((step) => windows.every(({ ms }) => ms % step === 0)) ?? SECOND_MS
}

function isRound(stepMs: number): boolean {
  return STEPS_MS.includes(stepMs)
}

function requireWhole(
  windows: readonly (Window & { readonly ms: number })[],
  everyMs: number,
  place: Place,
  what: string,
): void {
  for (const { ms, text, path } of windows) {
    const at = place.at(...path)
    if (ms % everyMs > 0) {
      at.refuse(`${text} is no multiple of ${what}, ${formatDuration(everyMs)}`)
    }
    if (ms > MAX_WINDOW_MS) at.refuse(`${text} is longer than ${formatDuration(MAX_WINDOW_MS)}`)
  }
}
