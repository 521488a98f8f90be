import type { Alert } from '#schemas/items.ts'
import { isoTime } from './alert-text.ts'
import type { AlertmanagerChannel } from './channel.ts'
import type { Exchange } from './http-exchange.ts'
import { judge, type Sender } from './sender.ts'

const PATH = '/api/v2/alerts'

/**
 * Posts alerts to Alertmanager, which knows an alert by its labels: told again, it is the same one.
 * What it hears no more of it takes for resolved after a few minutes, unless it is told an end: so a
 * firing alert ends a long time from now, and a resolved one when it was resolved
 * (https://prometheus.io/docs/alerting/latest/alerts_api).
 */
export function createAlertmanager(channel: AlertmanagerChannel, exchange: Exchange): Sender {
  const url = channel.url.replace(/\/+$/, '') + PATH
  return {
    dedupKey: (alert) => {
      const labels = Object.entries(labelsOf(alert)).toSorted(([a], [b]) => (a < b ? -1 : 1))
      return `{${labels.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}}`
    },
    async send(alert, attempt) {
      const body = JSON.stringify([postable(alert, attempt.nowMs, channel.expiresAfterMs)])
      const headers = { 'content-type': 'application/json', ...channel.headers }
      const request = { method: 'POST', url, headers, body } as const
      return judge(await exchange(request, attempt.signal), attempt)
    },
  }
}

function postable(alert: Alert, nowMs: number, expiresAfterMs: number) {
  const sinceNanos = alert.firing_since_unix_nano || alert.time_unix_nano
  const nowIso = new Date(nowMs).toISOString()
  const timeIso = isoTime(alert.time_unix_nano)
  // An end that is still to come would say that the alert goes on firing.
  const resolvedAt = timeIso < nowIso ? timeIso : nowIso
  const startsAt = isoTime(sinceNanos)
  return {
    labels: labelsOf(alert),
    annotations: { summary: alert.summary, ...alert.annotations },
    startsAt: alert.state === 'resolved' && startsAt > resolvedAt ? resolvedAt : startsAt,
    endsAt:
      alert.state === 'resolved' ? resolvedAt : new Date(nowMs + expiresAfterMs).toISOString(),
    ...(alert.link === '' ? {} : { generatorURL: alert.link }),
  }
}

/** Labels that are always there come last, as they and the group are what tells alerts apart. */
function labelsOf({ rule, level, severity, labels, group }: Alert): Record<string, string> {
  const own = { alertname: rule, rule, ...(level === '' ? {} : { level }), severity }
  const named = (prefix: string, texts: Readonly<Record<string, string>>) =>
    Object.entries(texts)
      .filter(([, text]) => text !== '')
      .map(([name, text]) => [labelName(name in own ? `${prefix}_${name}` : name), text] as const)
  return {
    ...Object.fromEntries(named('label', labels)),
    ...Object.fromEntries(named('group', group)),
    ...own,
  }
}

/** Alertmanager refuses other names, unless it is told to take any. */
function labelName(name: string): string {
  const plain = name.replaceAll(/[^a-zA-Z0-9_]/g, '_')
  return /^[0-9]/.test(plain) ? `_${plain}` : plain
}
