import { z } from 'zod'
import type { SlackBotChannel } from './channel.ts'
import type { Try } from './sender.ts'
import type { SlackApi, SlackResult } from './slack-api.ts'

/** Name of the metadata that a message is found by. */
const EVENT_TYPE = 'spanmeter_alert'
/** Clocks of this machine, Kafka's and Slack's differ by less. */
const CLOCK_SKEW_MS = 10 * 60_000
const PAGE = 200
const MAX_PAGES = 20

/** A message of an incident, as the channel has it. */
export interface FoundMessage {
  readonly alertId: string
  /** What Slack calls the message by. */
  readonly ts: string
}

/** Reads what was posted before. */
export interface SlackHistory {
  /** Id of the channel that messages go to, as most methods want it. */
  conversationId(attempt: Try): Promise<SlackResult<string>>
  /** The messages of an incident since a time, milliseconds since the epoch. */
  find(
    incidentId: string,
    sinceMs: number,
    attempt: Try,
  ): Promise<SlackResult<readonly FoundMessage[]>>
}

const page = { response_metadata: z.object({ next_cursor: z.string().default('') }).optional() }
const historyShape = z.object({
  ...page,
  messages: z.array(
    z.object({
      ts: z.string().default(''),
      metadata: z
        .object({
          event_type: z.string(),
          event_payload: z.object({
            alert_id: z.unknown().transform(String),
            incident_id: z.unknown().transform(String),
          }),
        })
        .optional()
        .catch(undefined),
    }),
  ),
})
const listShape = z.object({
  ...page,
  channels: z.array(z.object({ id: z.string(), name: z.string().default('') })),
})

/** What a message says of itself to programs. */
export function metadataOf(alert: { readonly alert_id: string; readonly incident_id: string }) {
  const { alert_id, incident_id } = alert
  return { event_type: EVENT_TYPE, event_payload: { alert_id, incident_id } }
}

/** Reads a channel of Slack's; the bot must be a member. */
export function createSlackHistory(channel: SlackBotChannel, api: SlackApi): SlackHistory {
  const { conversation } = channel
  let known = conversation.startsWith('#') ? undefined : conversation
  const conversationId = async (attempt: Try): Promise<SlackResult<string>> => {
    if (known !== undefined) return { type: 'ok', answer: known }
    const found = await findConversation(api, conversation.slice(1), attempt)
    if (found.type === 'ok') known = found.answer
    return found
  }
  return {
    conversationId,
    async find(incidentId, sinceMs, attempt) {
      const id = await conversationId(attempt)
      if (id.type !== 'ok') return id
      const query = {
        channel: id.answer,
        oldest: String(Math.max(0, sinceMs - CLOCK_SKEW_MS) / 1_000),
        include_all_metadata: 'true',
        limit: String(PAGE),
      }
      const found: FoundMessage[] = []
      const read = await readPages(
        (cursor) =>
          api.get('conversations.history', { ...query, ...cursor }, historyShape, attempt),
        ({ messages }) => {
          for (const { ts, metadata } of messages) {
            if (metadata?.event_type !== EVENT_TYPE) continue
            const { alert_id: alertId, incident_id } = metadata.event_payload
            if (incident_id === incidentId) found.push({ alertId, ts })
          }
        },
      )
      return read.type === 'ok' ? { type: 'ok', answer: found } : read
    },
  }
}

/** Looks for a channel by its name, among the public ones first: that takes fewer rights. */
async function findConversation(
  api: SlackApi,
  name: string,
  attempt: Try,
): Promise<SlackResult<string>> {
  for (const types of ['public_channel', 'private_channel']) {
    let found: string | undefined
    const query = { types, exclude_archived: 'true', limit: String(PAGE) }
    const read = await readPages(
      (cursor) => api.get('conversations.list', { ...query, ...cursor }, listShape, attempt),
      ({ channels }) => {
        found ??= channels.find((one) => one.name === name)?.id
        return found !== undefined
      },
    )
    if (found !== undefined) return { type: 'ok', answer: found }
    if (read.type !== 'ok') return read
  }
  return { type: 'failed', status: 200, detail: `Slack has no channel #${name}` }
}

interface Page {
  readonly response_metadata?: { readonly next_cursor: string } | undefined
}

/** Reads page after page until there are no more, or `take` has what it wants. */
async function readPages<T extends Page>(
  get: (cursor: Readonly<Record<string, string>>) => Promise<SlackResult<T>>,
  take: (answer: T) => boolean | void,
): Promise<SlackResult<null>> {
  let cursor = ''
  for (let read = 0; read < MAX_PAGES; read++) {
    const result = await get(cursor === '' ? {} : { cursor })
    if (result.type !== 'ok') return result
    if (take(result.answer) === true) return { type: 'ok', answer: null }
    cursor = result.answer.response_metadata?.next_cursor ?? ''
    if (cursor === '') return { type: 'ok', answer: null }
  }
  return { type: 'failed', status: 200, detail: `Slack has more than ${MAX_PAGES} pages` }
}
