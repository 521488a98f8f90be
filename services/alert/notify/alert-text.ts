import type { Alert } from '#schemas/items.ts'
import { formatValue } from '../units-text.ts'

const NANOS_PER_MS = 1_000_000n

/** Nanoseconds since the epoch as ISO 8601. */
export function isoTime(nanos: bigint): string {
  return new Date(Number(nanos / NANOS_PER_MS)).toISOString()
}

/** Whether a record tells that an alert is still firing, and not that it changed. */
export function isReminder({ state, previous_state: previous, reason }: Alert): boolean {
  return state === previous && reason === 'reminder'
}

/** What happened to which rule: `Firing: error-budget 14.4x`. */
export function titleOf(alert: Alert): string {
  const { state, rule, level } = alert
  const change = state === 'resolved' ? 'Resolved' : isReminder(alert) ? 'Still firing' : 'Firing'
  return `${change}: ${level === '' ? rule : `${rule} ${level}`}`
}

/** The group: `model=gpt-4o, tenant=acme`; empty where the rule has none. */
export function groupText(group: Readonly<Record<string, string>>): string {
  return Object.entries(group)
    .map(([dimension, value]) => `${dimension}=${value}`)
    .join(', ')
}

/** What was measured and what it was compared with, by name. */
export function evidenceOf(alert: Alert): readonly (readonly [name: string, text: string])[] {
  const { value, threshold, baseline, unit, count } = alert
  return [
    ['Value', formatValue(value, unit)],
    ...(threshold === null ? [] : [['Threshold', formatValue(threshold, unit)] as const]),
    ...(baseline === null ? [] : [['Baseline', formatValue(baseline, unit)] as const]),
    ['Records', String(count)],
  ]
}

/** Cuts a text that a receiver would find too long. */
export function cut(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1).toWellFormed()}…`
}
