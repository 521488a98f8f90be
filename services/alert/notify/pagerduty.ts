import type { Alert } from '#schemas/items.ts'
import { alertJson } from './alert-json.ts'
import { cut, groupText, isoTime, titleOf } from './alert-text.ts'
import type { PagerDutyChannel } from './channel.ts'
import type { Exchange } from './http-exchange.ts'
import { judge, type Sender } from './sender.ts'

/** Longest texts that PagerDuty takes (Events API v2). */
const MAX_SUMMARY = 1_024
const MAX_KEY = 255

/**
 * Sends events to PagerDuty (Events API v2). The key is that of the incident: triggers with the key
 * of an incident that is open add to it, and a resolve with it ends it.
 */
export function createPagerDuty(channel: PagerDutyChannel, exchange: Exchange): Sender {
  return {
    dedupKey: keyOf,
    async send(alert, attempt) {
      const request = {
        method: 'POST',
        url: channel.url,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ routing_key: channel.routingKey, ...eventOf(alert) }),
      } as const
      return judge(await exchange(request, attempt.signal), attempt)
    },
  }
}

function keyOf(alert: Alert): string {
  return alert.incident_id.slice(0, MAX_KEY)
}

function eventOf(alert: Alert) {
  const key = { dedup_key: keyOf(alert) }
  if (alert.state === 'resolved') return { event_action: 'resolve', ...key }
  const { rule, severity, summary, link } = alert
  const group = groupText(alert.group)
  return {
    event_action: 'trigger',
    ...key,
    payload: {
      summary: cut(summary === '' ? titleOf(alert) : summary, MAX_SUMMARY),
      source: group === '' ? rule : group,
      severity,
      timestamp: isoTime(alert.time_unix_nano),
      component: rule,
      ...(group === '' ? {} : { group }),
      custom_details: alertJson(alert),
    },
    client: 'Spanmeter',
    ...(link === ''
      ? {}
      : { client_url: link, links: [{ href: link, text: 'The graph that burns' }] }),
  }
}
