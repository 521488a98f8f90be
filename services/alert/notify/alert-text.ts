import type { Alert } from '#schemas/items.ts'

const NANOS_PER_MS = 1_000_000n
const DIGITS = 4

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

/** A measured value as people read it; null is not known, which is not 0. */
export function valueText(value: number | null, unit: string): string {
  if (value === null) return 'no data'
  if (unit === 'ratio') return `${rounded(value * 100)}%`
  if (unit === 'x') return `${rounded(value)}x`
  return unit === '' || unit === 'none' ? rounded(value) : `${rounded(value)} ${unit}`
}

/** Large numbers keep all their whole digits, small ones the first four that say something. */
function rounded(value: number): string {
  const whole = Math.abs(value) >= 10 ** (DIGITS - 1)
  return value.toLocaleString(
    'en-US',
    whole ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: DIGITS },
  )
}

/** What was measured and what it was compared with, by name. */
export function evidenceOf(alert: Alert): readonly (readonly [name: string, text: string])[] {
  const { value, threshold, baseline, unit, count } = alert
  return [
    ['Value', valueText(value, unit)],
    ...(threshold === null ? [] : [['Threshold', valueText(threshold, unit)] as const]),
    ...(baseline === null ? [] : [['Baseline', valueText(baseline, unit)] as const]),
    ['Records', String(count)],
  ]
}

/** Cuts a text that a receiver would find too long. */
export function cut(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1).toWellFormed()}…`
}
