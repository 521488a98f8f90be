import type { Verdict } from './rule.ts'
import type { Change } from './state-machine.ts'
import { renderTemplate, type Variables } from './templates.ts'

const MINUTE_MS = 60_000
const MIN_BEFORE_MS = 15 * MINUTE_MS
const MAX_BEFORE_MS = 24 * 60 * MINUTE_MS
const AFTER_MS = 5 * MINUTE_MS

/** Milliseconds since the epoch. */
export interface TimeRange {
  readonly fromMs: number
  readonly toMs: number
}

/**
 * What a graph is to show: the window, and the incident where it is over, with as much before it as
 * the window is long, so that what led to it is seen, and a little after it.
 */
export function graphRange({ windowStartMs, windowEndMs }: Verdict, change: Change): TimeRange {
  // A rule that is gone has no window.
  const isKnown = windowEndMs > 0
  const startMs = isKnown ? windowStartMs : change.timeMs
  const endMs = isKnown ? windowEndMs : change.timeMs
  const sinceMs = change.firingSinceMs > 0 ? Math.min(change.firingSinceMs, startMs) : startMs
  const beforeMs = Math.min(Math.max(endMs - startMs, MIN_BEFORE_MS), MAX_BEFORE_MS)
  return { fromMs: sinceMs - beforeMs, toMs: endMs + AFTER_MS }
}

/**
 * Fills a link. Values are encoded for an address, but for `{{grafana}}`, which is the start of one.
 * Empty where no whole address comes of it: Grafana's is not known, and a path alone leads nowhere.
 */
export function renderLink(template: string, variables: Variables, grafanaUrl: string): string {
  const encoded = [...variables].map(
    ([name, value]) => [name, encodeURIComponent(value.toWellFormed())] as const,
  )
  const link = renderTemplate(template, new Map([...encoded, ['grafana', grafanaUrl]])).trim()
  return /^https?:\/\/[^/]/i.test(link) && URL.canParse(link) ? link : ''
}
