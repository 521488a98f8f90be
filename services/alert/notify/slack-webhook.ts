import type { SlackWebhookChannel } from './channel.ts'
import type { Exchange } from './http-exchange.ts'
import { judge, type Sender } from './sender.ts'
import { slackMessage } from './slack-message.ts'

/** Why a notification is not sent that may have been sent before. */
export const MAY_HAVE_ARRIVED =
  'it may have arrived with a try before, and the receiver cannot be asked; on_unknown: resend would send it again'

/**
 * Posts to an incoming webhook of Slack. It neither knows repeats nor can be asked, so that what may
 * have arrived is told no more, or told again, as the channel says.
 */
export function createSlackWebhook(channel: SlackWebhookChannel, exchange: Exchange): Sender {
  return {
    dedupKey: () => '',
    async send(alert, attempt) {
      if (attempt.mayHaveArrived && channel.onUnknown === 'skip') {
        return { type: 'failed', status: 0, detail: MAY_HAVE_ARRIVED }
      }
      const request = {
        method: 'POST',
        url: channel.url,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(slackMessage(alert)),
      } as const
      return judge(await exchange(request, attempt.signal), attempt)
    },
  }
}
