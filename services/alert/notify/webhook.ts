import { createHmac } from 'node:crypto'
import type { Alert } from '#schemas/items.ts'
import { alertJson } from './alert-json.ts'
import { renderTemplate } from './body-template.ts'
import type { WebhookChannel } from './channel.ts'
import type { Exchange } from './http-exchange.ts'
import { judge, type Sender } from './sender.ts'

const USER_AGENT = 'Spanmeter'

/** Posts alerts as JSON; every try of one has the same Idempotency-Key. */
export function createWebhook(channel: WebhookChannel, exchange: Exchange): Sender {
  const { url, secret, headers, template } = channel
  const bodyOf = (alert: Alert) => {
    const view = alertJson(alert)
    return template === undefined ? JSON.stringify(view) : renderTemplate(template, view)
  }
  return {
    dedupKey: keyOf,
    async send(alert, attempt) {
      const body = bodyOf(alert)
      const signature =
        secret === undefined
          ? {}
          : { 'x-spanmeter-signature': signatureOf(secret, body, attempt.nowMs) }
      const request = {
        method: 'POST',
        url,
        headers: {
          'content-type': 'application/json',
          'user-agent': USER_AGENT,
          ...headers,
          'idempotency-key': keyOf(alert),
          ...signature,
        },
        body,
      } as const
      return judge(await exchange(request, attempt.signal), attempt)
    },
  }
}

/** A header takes no more than ASCII. */
function keyOf(alert: Alert): string {
  return encodeURI(alert.alert_id)
}

/** Signs the time along with the body, so that a receiver can refuse what was recorded long ago. */
function signatureOf(secret: string, body: string, nowMs: number): string {
  const time = Math.floor(nowMs / 1_000)
  const hex = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')
  return `t=${time},v1=${hex}`
}
