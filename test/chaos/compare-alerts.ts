import { alertDeliveries, alerts } from '#schemas/topics.ts'
import type { Alert } from '#schemas/items.ts'
import { notificationOf } from '../integration/alert-runs.ts'
import type { EnrichedSpan } from '../integration/enriched-spans.ts'
import { readTopic } from '../integration/topic-records.ts'
import type { Receiver } from '../support/receiver.ts'
import type { ChaosStack } from './chaos-stack.ts'
import { compareLines, type Difference } from './difference.ts'

/** Alerts as they came out, and what channels were told. */
export interface AlertOutcome {
  readonly differences: readonly Difference[]
  readonly changes: number
  readonly notifications: number
  /** Requests that came again with the key of one before: a receiver takes them as one. */
  readonly toldAgain: number
}

const POISONED = { skipsUnreadable: true }
const LIMIT_PICO_USD = 100_000_000_000n
const PARTS = [5n, 25n, 100n] as const
const PERCENT = 100n
const NANOS_PER_DAY = 86_400_000_000_000n

/** A budget does not depend on the order in which spans come; the other rules have to say much. */
export const RULES = `
allowed_lateness: 5m
rules:
  - name: budget
    metric: sum(cost)
    by: [user]
    contributors: model
    condition:
      budget:
        limit: 0.1 USD
        period: day
        at: [5%, 25%, { part: 100%, severity: critical }]
    severity: info
  - name: tokens
    metric: sum(tokens)
    by: [feature]
    window: 5m
    condition: { above: 20000 tokens }
    severity: warning
  - name: slow
    metric: p95(duration)
    by: [model]
    window: 1m
    condition: { above: 3s, resolve: 2s }
    severity: warning
`

/** Channels that post to a receiver of this machine. */
export function channelsTo(url: string): string {
  return [
    'channels:',
    `  - { name: everything, type: webhook, url: '${url}/everything', allow_private: true }`,
    `  - { name: critical, type: webhook, url: '${url}/critical', allow_private: true, severities: [critical] }`,
  ].join('\n')
}

/** Groups that tell the channels. */
export const NOTIFIERS = ['alert-notify-everything', 'alert-notify-critical'] as const

/** Compares what was told with what was decided, and budgets with what was spent. */
export async function compareAlerts(
  { kafka, clickhouse }: ChaosStack,
  spans: readonly EnrichedSpan[],
  receiver: Receiver,
): Promise<AlertOutcome> {
  const { items: changes } = await readTopic(kafka, alerts, POISONED)
  const { items: deliveries } = await readTopic(kafka, alertDeliveries, POISONED)
  const told = new Set(receiver.requests.map(notificationOf))
  const delivered = deliveries
    .filter(({ outcome }) => outcome === 'delivered')
    .map((one) => `${one.channel} ${one.alert_id}`)
  const due = mustBeTold(changes)
  const rows = await clickhouse.query<{ line: string }>('SELECT alert_id AS line FROM alerts')
  const noted = await clickhouse.query<{ line: string }>(
    `SELECT concat(channel, ' ', alert_id) AS line FROM alert_deliveries WHERE outcome = 'delivered'`,
  )
  const differences = [
    compareLines(
      'alerts in ClickHouse',
      changes.map((one) => one.alert_id),
      lines(rows),
    ),
    compareLines(
      'alerts by id',
      new Set(changes.map((one) => one.alert_id)),
      changes.map((one) => one.alert_id),
    ),
    compareLines('incidents that begin', new Set(begun(changes)), begun(changes)),
    compareLines('budgets that are spent', spentBudgets(spans), firedBudgets(changes)),
    compareLines('notifications', due, told),
    compareLines('deliveries', due, delivered),
    compareLines('deliveries in ClickHouse', delivered, lines(noted)),
  ]
  const toldAgain = receiver.requests.length - told.size
  return { differences, changes: changes.length, notifications: told.size, toldAgain }
}

function lines(rows: readonly { readonly line: string }[]): readonly string[] {
  return rows.map(({ line }) => line)
}

function mustBeTold(changes: readonly Alert[]): readonly string[] {
  return changes
    .filter(({ notify, state }) => notify && (state === 'firing' || state === 'resolved'))
    .flatMap(({ alert_id: id, severity }) =>
      severity === 'critical' ? [`everything ${id}`, `critical ${id}`] : [`everything ${id}`],
    )
}

const isBeginning = ({ state, previous_state: previous }: Alert) =>
  state === 'firing' && previous !== 'firing'

function begun(changes: readonly Alert[]): readonly string[] {
  return changes
    .filter(isBeginning)
    .map(({ rule, level, group, firing_since_unix_nano: since }) =>
      [rule, level, JSON.stringify(group), since].join(' '),
    )
}

function firedBudgets(changes: readonly Alert[]): readonly string[] {
  return changes
    .filter((one) => one.rule === 'budget' && isBeginning(one))
    .map(({ level, group, firing_since_unix_nano: since }) =>
      [group['user'], since / NANOS_PER_DAY, level].join(' '),
    )
}

function spentBudgets(spans: readonly EnrichedSpan[]): readonly string[] {
  const spent = new Map<string, bigint>()
  for (const { user, cost_pico_usd: cost, start_time_unix_nano: start } of spans) {
    const key = `${user} ${start / NANOS_PER_DAY}`
    spent.set(key, (spent.get(key) ?? 0n) + (cost ?? 0n))
  }
  return [...spent].flatMap(([key, cost]) =>
    PARTS.filter((part) => cost * PERCENT >= LIMIT_PICO_USD * part).map(
      (part) => `${key} ${part}%`,
    ),
  )
}
