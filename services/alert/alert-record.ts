import { createHash } from 'node:crypto'
import { toNanos } from '#runtime/time.ts'
import type { Alert } from '#schemas/items.ts'
import type { Evidence } from './evidence.ts'
import { graphRange, renderLink } from './links.ts'
import type { Rule, Verdict } from './rule.ts'
import type { Change } from './state-machine.ts'
import { renderTemplate, type TEMPLATE_VARIABLES } from './templates.ts'
import { formatCount, formatValue } from './units-text.ts'

/** A change of state, and what it came from. */
export interface AlertParts {
  readonly rule: Rule
  /** A value for each dimension of the rule. */
  readonly group: Readonly<Record<string, string>>
  readonly change: Change
  readonly verdict: Verdict
  readonly evidence: Evidence
  /** Without a slash at its end; empty for none. */
  readonly grafanaUrl: string
}

const ID_DIGITS = 32
/** Characters of a group's value that a text shows. */
const MAX_VALUE = 200
/** The first half of a character that was cut in two. */
const HALF = /[\uD800-\uDBFF]$/
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]+/gu

/** The record of a change, with its evidence. Pure: the same change always gives the same record. */
export function toAlert(parts: AlertParts): Alert {
  const { rule, group, change, verdict, evidence } = parts
  const { state, reason, timeMs, firingSinceMs, notify, mutedBy } = change
  const { windowStartMs, windowEndMs, value, threshold, baseline, count, unit } = verdict
  const key = [rule.id, rule.by.map((dimension) => group[dimension] ?? '')]
  return {
    alert_id: hash([...key, state, reason, timeMs, windowEndMs, firingSinceMs]),
    incident_id: firingSinceMs === 0 ? '' : hash([...key, firingSinceMs]),
    rule: rule.name,
    level: rule.level,
    group,
    state,
    previous_state: change.previous,
    reason,
    severity: rule.severity,
    notify,
    muted_by: mutedBy,
    time_unix_nano: toNanos(timeMs),
    firing_since_unix_nano: toNanos(firingSinceMs),
    window_start_unix_nano: toNanos(windowStartMs),
    window_end_unix_nano: toNanos(windowEndMs),
    value,
    threshold,
    baseline,
    count: BigInt(count),
    unit,
    labels: rule.labels,
    contributors: evidence.contributors,
    trace_ids: evidence.traceIds,
    ...textsOf(parts),
  }
}

function textsOf(parts: AlertParts): Pick<Alert, 'summary' | 'annotations' | 'link'> {
  const { rule, group, grafanaUrl } = parts
  const own = Object.entries(variablesOf(parts))
  const shown = Object.entries(group).map(([name, value]) => [name, shownValue(value)] as const)
  const texts = new Map([...shown, ...own])
  return {
    summary: renderTemplate(rule.summary, texts),
    annotations: Object.fromEntries(
      Object.entries(rule.annotations).map(([name, text]) => [name, renderTemplate(text, texts)]),
    ),
    link: renderLink(rule.link, new Map([...Object.entries(group), ...own]), grafanaUrl),
  }
}

function variablesOf({
  rule,
  change,
  verdict,
  grafanaUrl,
}: AlertParts): Readonly<Record<(typeof TEMPLATE_VARIABLES)[number], string>> {
  const { value, threshold, baseline, count, unit } = verdict
  const { fromMs, toMs } = graphRange(verdict, change)
  return {
    value: formatValue(value, unit),
    // Empty where there is none, so that {{#baseline}} … {{/baseline}} leaves it out.
    threshold: threshold === null ? '' : formatValue(threshold, unit),
    baseline: baseline === null ? '' : formatValue(baseline, unit),
    count: formatCount(count),
    rule: rule.name,
    level: rule.level,
    severity: rule.severity,
    from: String(fromMs),
    to: String(toMs),
    grafana: grafanaUrl,
  }
}

/** A group's value within a line: senders may name things as they like. */
function shownValue(value: string): string {
  const line = value.toWellFormed().replaceAll(CONTROL, ' ').trim()
  if (line === '') return '(none)'
  return line.length <= MAX_VALUE ? line : `${line.slice(0, MAX_VALUE - 1).replace(HALF, '')}…`
}

function hash(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, ID_DIGITS)
}
