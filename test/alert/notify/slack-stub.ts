import { z } from 'zod'
import type { HttpRequest } from '../../../services/alert/notify/http-exchange.ts'

export const API_URL = 'https://slack.example.com/api'
export const TOKEN = 'xoxb-a-secret-token'
/** The id of #ops, which only conversations.list tells. */
export const OPS = 'C0000000OPS'

const metadata = z.object({
  event_type: z.string(),
  event_payload: z.record(z.string(), z.string()),
})
const posted = z.object({
  channel: z.string(),
  ts: z.string().optional(),
  text: z.string(),
  blocks: z.array(z.unknown()),
  metadata: metadata.optional(),
})

interface Message {
  readonly ts: string
  text: string
  updates: number
  readonly metadata: z.output<typeof metadata> | undefined
}

/** One channel, #ops, as Slack's Web API shows it. */
export interface SlackStub {
  readonly messages: readonly Message[]
  /** Names of the methods that were called. */
  readonly calls: string[]
  /** By method: what it answers instead. */
  readonly errors: Map<string, string>
  handle(request: HttpRequest): { readonly status: number; readonly body: string }
}

/** Makes a Slack that remembers messages; pages of its answers are short. */
export function createSlackStub({ pageSize = 2 } = {}): SlackStub {
  const messages: Message[] = []
  const calls: string[] = []
  const errors = new Map<string, string>()
  const methods: Readonly<Record<string, (request: HttpRequest) => object>> = {
    'chat.postMessage'({ body }) {
      const { channel, text, metadata: told } = posted.parse(JSON.parse(body))
      if (channel !== '#ops' && channel !== OPS) return { ok: false, error: 'channel_not_found' }
      const ts = `17723664${String(messages.length).padStart(2, '0')}.000100`
      messages.push({ ts, text, updates: 0, metadata: told })
      return { ok: true, ts, channel: OPS }
    },
    'chat.update'({ body }) {
      const { channel, ts, text } = posted.parse(JSON.parse(body))
      const message = messages.find((one) => one.ts === ts)
      if (channel !== OPS) return { ok: false, error: 'channel_not_found' }
      if (message === undefined) return { ok: false, error: 'message_not_found' }
      message.text = text
      message.updates++
      return { ok: true, ts, channel }
    },
    'conversations.history'({ url }) {
      const query = new URL(url).searchParams
      if (query.get('channel') !== OPS) return { ok: false, error: 'channel_not_found' }
      const hasMetadata = query.get('include_all_metadata') === 'true'
      const since = messages.filter(({ ts }) => Number(ts) > Number(query.get('oldest') ?? '0'))
      return paged(query, pageSize, since.toReversed(), (page) => ({
        messages: page.map(({ metadata: told, ...rest }) =>
          hasMetadata && told !== undefined ? { ...rest, metadata: told } : rest,
        ),
      }))
    },
    'conversations.list'({ url }) {
      const query = new URL(url).searchParams
      const channels = [
        { id: 'C0000000001', name: 'general' },
        { id: 'C0000000002', name: 'random' },
        { id: OPS, name: 'ops' },
      ]
      const isPublic = query.get('types') === 'public_channel'
      return paged(query, pageSize, isPublic ? channels : [], (page) => ({ channels: page }))
    },
  }
  return {
    messages,
    calls,
    errors,
    handle(request) {
      const method = new URL(request.url).pathname.replace('/api/', '')
      calls.push(method)
      const error = errors.get(method)
      const isKnown = request.headers['authorization'] === `Bearer ${TOKEN}`
      const answer = !isKnown
        ? { ok: false, error: 'invalid_auth' }
        : error !== undefined
          ? { ok: false, error }
          : (methods[method]?.(request) ?? { ok: false, error: 'unknown_method' })
      return { status: 200, body: JSON.stringify(answer) }
    },
  }
}

function paged<T>(
  query: URLSearchParams,
  pageSize: number,
  items: readonly T[],
  show: (page: readonly T[]) => object,
): object {
  const from = Number(query.get('cursor') ?? '0')
  const next = from + pageSize
  const cursor = next < items.length ? String(next) : ''
  return {
    ok: true,
    ...show(items.slice(from, next)),
    response_metadata: { next_cursor: cursor },
  }
}
