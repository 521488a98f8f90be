import { z } from 'zod'
import type { Alert } from '#schemas/items.ts'
import type { SlackBotChannel } from './channel.ts'
import type { Exchange } from './http-exchange.ts'
import type { Sender, Sent, Try } from './sender.ts'
import { createSlackApi, type SlackApi, type SlackResult } from './slack-api.ts'
import { createSlackHistory, metadataOf, type SlackHistory } from './slack-history.ts'
import { slackMessage } from './slack-message.ts'
import { MAY_HAVE_ARRIVED } from './slack-webhook.ts'

const NANOS_PER_MS = 1_000_000n
const MAX_INCIDENTS = 1_000

const postedShape = z.object({ ts: z.string(), channel: z.string() })
const updatedShape = z.object({})

interface Parts {
  readonly channel: SlackBotChannel
  readonly api: SlackApi
  readonly history: SlackHistory
  readonly posted: PostedMessages
}

/** Where the messages of incidents are that this process has posted from the first on. */
interface PostedMessages {
  get(incidentId: string): Posted | undefined
  add(alert: Alert, message: { readonly channel: string; readonly ts: string }): void
  forget(incidentId: string): void
}
interface Posted {
  readonly conversation: string
  readonly timestamps: readonly string[]
}

/**
 * Posts alerts as a bot of Slack's, and updates an incident's messages when it is resolved. Slack
 * knows no repeats, but messages carry the alert's id as metadata: where one may have been posted
 * before, the channel is looked through first.
 */
export function createSlackBot(channel: SlackBotChannel, exchange: Exchange): Sender {
  const api = createSlackApi(channel, exchange)
  const history = createSlackHistory(channel, api)
  const parts = { channel, api, history, posted: createPostedMessages() }
  return {
    dedupKey: ({ alert_id: id }) => id,
    send: (alert, attempt) =>
      alert.state === 'resolved' ? resolve(parts, alert, attempt) : announce(parts, alert, attempt),
  }
}

/** Posts a message, unless it is there already. */
async function announce(parts: Parts, alert: Alert, attempt: Try): Promise<Sent> {
  if (!attempt.mayHaveArrived) return post(parts, alert, attempt)
  const found = await parts.history.find(alert.incident_id, attempt.recordMs, attempt)
  if (found.type !== 'ok') return unknown(parts, alert, attempt, found)
  if (!found.answer.some(({ alertId }) => alertId === alert.alert_id)) {
    return post(parts, alert, { ...attempt, mayHaveArrived: false })
  }
  // It is not among the remembered ones: those of the incident are to be looked for.
  parts.posted.forget(alert.incident_id)
  return delivered
}

/** Updates the incident's messages; where there is none, or none can be changed, posts one. */
async function resolve(parts: Parts, alert: Alert, attempt: Try): Promise<Sent> {
  const messages = await messagesOf(parts, alert, attempt)
  if (messages.type === 'delivered') return messages
  if (messages.type !== 'ok') return unknown(parts, alert, attempt, messages)
  let updated = 0
  for (const ts of messages.answer.timestamps) {
    const body = { channel: messages.answer.conversation, ts, ...slackMessage(alert) }
    const result = await parts.api.post('chat.update', body, updatedShape, attempt)
    if (result.type === 'ok') updated++
    else if (result.type !== 'failed') return result
  }
  parts.posted.forget(alert.incident_id)
  if (updated > 0) return delivered
  return post(parts, alert, { ...attempt, mayHaveArrived: false })
}

/** What this process remembers, or else what the channel holds. */
async function messagesOf(
  { posted, history }: Parts,
  alert: Alert,
  attempt: Try,
): Promise<SlackResult<Posted> | typeof delivered> {
  const remembered = posted.get(alert.incident_id)
  if (remembered !== undefined) return { type: 'ok', answer: remembered }
  const sinceMs = Number(alert.firing_since_unix_nano / NANOS_PER_MS)
  const found = await history.find(alert.incident_id, Math.min(sinceMs, attempt.recordMs), attempt)
  if (found.type !== 'ok') return found
  if (found.answer.some(({ alertId }) => alertId === alert.alert_id)) return delivered
  const id = await history.conversationId(attempt)
  if (id.type !== 'ok') return id
  const timestamps = found.answer.map(({ ts }) => ts)
  return { type: 'ok', answer: { conversation: id.answer, timestamps } }
}

/**
 * What to do where the channel could not be looked through: ask again, or, where that is no use,
 * post what was not posted before, and go by the channel's settings with what may have been.
 */
function unknown(
  parts: Parts,
  alert: Alert,
  attempt: Try,
  result: Exclude<Sent, { readonly type: 'delivered' }>,
): Promise<Sent> | Sent {
  if (result.type === 'again') return { ...result, isUnknown: attempt.mayHaveArrived }
  if (result.type === 'refused') return result
  if (!attempt.mayHaveArrived || parts.channel.onUnknown === 'resend') {
    return post(parts, alert, attempt)
  }
  return { ...result, detail: `${result.detail}; ${MAY_HAVE_ARRIVED}` }
}

async function post(parts: Parts, alert: Alert, attempt: Try): Promise<Sent> {
  const body = {
    channel: parts.channel.conversation,
    ...slackMessage(alert),
    metadata: metadataOf(alert),
    unfurl_links: false,
  }
  const result = await parts.api.post('chat.postMessage', body, postedShape, attempt)
  if (result.type !== 'ok') return result
  if (alert.state === 'firing') parts.posted.add(alert, result.answer)
  return delivered
}

const delivered = { type: 'delivered', status: 200 } as const satisfies Sent

/** Forgets the oldest incidents where there are too many: their messages are looked for. */
function createPostedMessages(): PostedMessages {
  const incidents = new Map<string, Posted>()
  return {
    get: (incidentId) => incidents.get(incidentId),
    add({ incident_id: id, state, previous_state: previous }, { channel, ts }) {
      const known = incidents.get(id)
      // The first message of the incident may have been posted before this process began.
      if (known === undefined && previous === state) return
      incidents.delete(id)
      incidents.set(id, {
        conversation: channel,
        timestamps: [...(known?.timestamps ?? []), ts],
      })
      for (const oldest of incidents.keys()) {
        if (incidents.size <= MAX_INCIDENTS) break
        incidents.delete(oldest)
      }
    },
    forget: (incidentId) => incidents.delete(incidentId),
  }
}
