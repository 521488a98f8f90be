import { createAlertmanager } from './alertmanager.ts'
import type { Channel } from './channel.ts'
import type { Exchange, HttpResult } from './http-exchange.ts'
import { createPagerDuty } from './pagerduty.ts'
import { createRedactor } from './redact.ts'
import type { Sender } from './sender.ts'
import { createSlackBot } from './slack-bot.ts'
import { createSlackWebhook } from './slack-webhook.ts'
import { createWebhook } from './webhook.ts'

/** Makes what speaks a channel's language; nothing that comes back from it shows a secret. */
export function createSender(channel: Channel, exchange: Exchange): Sender {
  const redact = createRedactor(channel.secrets)
  const quiet: Exchange = async (request, signal) =>
    redacted(await exchange(request, signal), redact)
  if (channel.type === 'webhook') return createWebhook(channel, quiet)
  if (channel.type === 'alertmanager') return createAlertmanager(channel, quiet)
  if (channel.type === 'pagerduty') return createPagerDuty(channel, quiet)
  return 'url' in channel ? createSlackWebhook(channel, quiet) : createSlackBot(channel, quiet)
}

/** Receivers quote what they were sent, and it is cut later: half a secret would not be found. */
function redacted(result: HttpResult, redact: (text: string) => string): HttpResult {
  return result.type === 'answer'
    ? { ...result, body: redact(result.body) }
    : { ...result, detail: redact(result.detail) }
}
