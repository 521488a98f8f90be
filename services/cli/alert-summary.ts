import type { ClickHouse } from '#runtime/clickhouse.ts'
import { readQuery } from '#runtime/queries.ts'
import { textTable } from '#runtime/text-table.ts'

/** One incident: an alert from firing to resolved. */
export interface AlertSummary {
  readonly rule: string
  /** Which of the rule's levels; empty for a rule that has one alone. */
  readonly level: string
  readonly group: Readonly<Record<string, string>>
  readonly severity: string
  /** Event time, ISO 8601. */
  readonly firedAt: string
  /** Null while it fires. */
  readonly resolvedAt: string | null
  /** What was measured as it fired, and what that was compared with, in the unit. */
  readonly value: number | null
  readonly threshold: number | null
  readonly unit: string
}

/** Incidents in the order in which they fired. */
export interface AlertsSummary {
  readonly alerts: readonly AlertSummary[]
  /** Incidents that nobody was told of: silenced, inhibited by a graver level, in maintenance. */
  readonly mutedAlerts: number
}

/** A change of an alert as ClickHouse has it. */
export interface AlertChange {
  readonly rule: string
  readonly level: string
  readonly group: Readonly<Record<string, string>>
  readonly state: string
  readonly severity: string
  readonly notify: boolean
  /** `YYYY-MM-DD hh:mm:ss.…` in UTC. */
  readonly time: string
  /** Null while it is pending. */
  readonly firing_since: string | null
  readonly value: number | null
  readonly threshold: number | null
  readonly unit: string
  readonly incident_id: string
}

/** Reads the changes that were decided for event times in [fromMs, toMs). */
export function readAlertChanges(
  clickhouse: ClickHouse,
  fromMs: number,
  toMs: number,
): Promise<readonly AlertChange[]> {
  return clickhouse.query<AlertChange>(readQuery('alerts_between'), {
    from: new Date(fromMs),
    to: new Date(toMs),
  })
}

/** The incidents that changes tell of and those of an earlier reading do not. */
export function incidentsSince(
  before: readonly AlertChange[],
  after: readonly AlertChange[],
): AlertsSummary {
  const known = new Set(before.map(identityOf))
  const fresh = after.filter(
    (change) =>
      (change.state === 'firing' || change.state === 'resolved') && !known.has(identityOf(change)),
  )
  const incidents = [...Map.groupBy(fresh, ({ incident_id }) => incident_id).values()]
  const told = incidents.filter((changes) => changes.some(({ notify }) => notify))
  const alerts = told.flatMap(toSummary).toSorted(byFiring)
  return { alerts, mutedAlerts: incidents.length - told.length }
}

function identityOf({ incident_id, state, time }: AlertChange): string {
  return `${incident_id} ${state} ${time}`
}

/** An incident from its changes; of one that fired before, only its end may be among them. */
function toSummary(changes: readonly AlertChange[]): readonly AlertSummary[] {
  const ordered = changes.toSorted((a, b) => a.time.localeCompare(b.time))
  const first = ordered.find(({ state }) => state === 'firing') ?? ordered[0]
  if (first === undefined) return []
  const resolved = ordered.findLast(({ state }) => state === 'resolved')
  const { rule, level, group, severity, value, threshold, unit } = first
  const resolvedAt = resolved === undefined ? null : toIso(resolved.time)
  const firedAt = toIso(first.firing_since ?? first.time)
  return [{ rule, level, group, severity, firedAt, resolvedAt, value, threshold, unit }]
}

function byFiring(a: AlertSummary, b: AlertSummary): number {
  return a.firedAt.localeCompare(b.firedAt) || nameOf(a).localeCompare(nameOf(b))
}

function toIso(time: string): string {
  return new Date(`${time.replace(' ', 'T')}Z`).toISOString()
}

const MAX_LINES = 20
const MAX_GROUP_LENGTH = 60
const COLUMNS = ['severity', 'rule', 'group', 'fired (UTC)', 'resolved', 'value', 'threshold']
const LEFT_COLUMNS = 3

/** The incidents as a person reads them, the last line with their number. */
export function formatAlerts({ alerts, mutedAlerts }: AlertsSummary): readonly string[] {
  const muted = mutedAlerts === 0 ? '' : `, ${count(mutedAlerts)} more told nobody (muted)`
  if (alerts.length === 0) return [`No alerts fired${muted}.`]
  const rows = alerts
    .slice(0, MAX_LINES)
    .map((alert) => [
      alert.severity,
      nameOf(alert),
      groupText(alert.group),
      timeOfDay(alert.firedAt),
      alert.resolvedAt === null ? 'firing' : timeOfDay(alert.resolvedAt),
      amount(alert.value, alert.unit),
      amount(alert.threshold, alert.unit),
    ])
  const more = alerts.length - rows.length
  const resolved = alerts.filter(({ resolvedAt }) => resolvedAt !== null).length
  return [
    ...textTable([COLUMNS, ...rows], LEFT_COLUMNS),
    ...(more > 0 ? [`… and ${count(more)} more`] : []),
    '',
    `${count(alerts.length)} ${alerts.length === 1 ? 'alert' : 'alerts'} fired, ` +
      `${count(resolved)} resolved${muted}.`,
  ]
}

function nameOf({ rule, level }: AlertSummary): string {
  return level === '' ? rule : `${rule}/${level}`
}

function groupText(group: Readonly<Record<string, string>>): string {
  const text = Object.entries(group)
    .map(([dimension, name]) => `${dimension}=${name}`)
    .join(' ')
  return text.length > MAX_GROUP_LENGTH ? `${text.slice(0, MAX_GROUP_LENGTH - 1)}…` : text
}

function timeOfDay(iso: string): string {
  return iso.slice(11, 19)
}

function amount(value: number | null, unit: string): string {
  if (value === null) return '-'
  if (unit === 'ratio') return `${digits(value * 100)} %`
  if (unit === 'x') return `${digits(value)}x`
  const isPlain = unit === '' || unit === 'none' || unit === 'score'
  return isPlain ? digits(value) : `${digits(value)} ${unit}`
}

/** The first three digits, or all before the point where there are more. */
function digits(value: number): string {
  const isLarge = Math.abs(value) >= 1000
  return value.toLocaleString(
    'en-US',
    isLarge ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 },
  )
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
