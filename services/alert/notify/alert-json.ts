import type { Alert } from '#schemas/items.ts'
import { isoTime } from './alert-text.ts'

/** Changes when a field of the body is taken away or means something else. */
const VERSION = 1

/** An alert as webhooks get it, see docs/notifications.md. */
export function alertJson(alert: Alert): Readonly<Record<string, unknown>> {
  const { rule, level, group, state, reason, severity } = alert
  const { value, threshold, baseline, count, unit } = alert
  const { summary, labels, annotations, contributors, link } = alert
  return {
    version: VERSION,
    id: alert.alert_id,
    incident_id: alert.incident_id,
    rule,
    level,
    group,
    state,
    previous_state: alert.previous_state,
    reason,
    severity,
    time: isoTime(alert.time_unix_nano),
    firing_since: timeOrNull(alert.firing_since_unix_nano),
    window_start: timeOrNull(alert.window_start_unix_nano),
    window_end: timeOrNull(alert.window_end_unix_nano),
    value,
    threshold,
    baseline,
    count: Number(count),
    unit,
    summary,
    labels,
    annotations,
    contributors,
    trace_ids: alert.trace_ids,
    link,
  }
}

/** 0 stands for a time that there is not. */
function timeOrNull(nanos: bigint): string | null {
  return nanos === 0n ? null : isoTime(nanos)
}

const SAMPLE: Alert = {
  alert_id: 'a1',
  incident_id: 'i1',
  rule: 'sample',
  level: '',
  group: {},
  state: 'firing',
  previous_state: 'inactive',
  reason: 'condition',
  severity: 'info',
  notify: true,
  muted_by: '',
  time_unix_nano: 1n,
  firing_since_unix_nano: 0n,
  window_start_unix_nano: 0n,
  window_end_unix_nano: 0n,
  value: null,
  threshold: null,
  baseline: null,
  count: 0n,
  unit: '',
  summary: '',
  labels: {},
  annotations: {},
  contributors: [],
  trace_ids: [],
  link: '',
}

/** What a template is tried with: an alert that has little, and one with texts that need care. */
export const SAMPLE_VIEWS = [
  alertJson(SAMPLE),
  alertJson({
    ...SAMPLE,
    state: 'resolved',
    group: { model: 'a "b"' },
    value: 1.5,
    threshold: 1,
    baseline: 0.5,
    summary: 'a "quoted"\n\\ text',
    labels: { team: 'a & b' },
    contributors: [
      { dimension: 'model', name: '"', value: 1 },
      { dimension: 'model', name: 'b', value: 2 },
    ],
    trace_ids: ['1', '2'],
  }),
]
