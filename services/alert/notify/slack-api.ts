import { z } from 'zod'
import type { SlackBotChannel } from './channel.ts'
import type { Exchange, HttpRequest } from './http-exchange.ts'
import { judge, type Sent, type Try } from './sender.ts'

/** What a method of Slack's said: its answer, or why there is none. */
export type SlackResult<T> = { readonly type: 'ok'; readonly answer: T } | NotDelivered
type NotDelivered = Exclude<Sent, { readonly type: 'delivered' }>

/** Calls methods of Slack's Web API. */
export interface SlackApi {
  post<Shape extends z.ZodType>(
    method: string,
    body: Readonly<Record<string, unknown>>,
    shape: Shape,
    attempt: Try,
  ): Promise<SlackResult<z.output<Shape>>>
  get<Shape extends z.ZodType>(
    method: string,
    query: Readonly<Record<string, string>>,
    shape: Shape,
    attempt: Try,
  ): Promise<SlackResult<z.output<Shape>>>
}

/** Errors of Slack's own making, which may be gone with the next try. */
const TRANSIENT = new Set([
  'fatal_error',
  'internal_error',
  'ratelimited',
  'rate_limited',
  'request_timeout',
  'service_unavailable',
])
/** Of these it is sure that nothing was done. */
const UNDONE = new Set(['ratelimited', 'rate_limited'])

const envelope = z.object({ ok: z.boolean(), error: z.string().default('') })

/** Slack says most of what went wrong in the body of an answer with status 200. */
export function createSlackApi(channel: SlackBotChannel, exchange: Exchange): SlackApi {
  const base = channel.apiUrl.replace(/\/+$/, '')
  const authorization = `Bearer ${channel.token}`
  const call = async <Shape extends z.ZodType>(
    request: HttpRequest,
    shape: Shape,
    attempt: Try,
  ): Promise<SlackResult<z.output<Shape>>> => {
    const result = await exchange(request, attempt.signal)
    const judged = judge(result, attempt)
    if (judged.type === 'again') {
      // What a server broke off may have been done: the channel can be looked through for it.
      return { ...judged, isUnknown: judged.isUnknown || judged.status >= 500 }
    }
    if (judged.type !== 'delivered' || result.type !== 'answer') return noAnswer(judged)
    const body = parseJson(result.body)
    const said = envelope.safeParse(body)
    if (!said.success) return noAnswer(judged)
    const { ok, error } = said.data
    if (!ok) return slackError(judged.status, error, attempt)
    const answer = shape.safeParse(body)
    return answer.success ? { type: 'ok', answer: answer.data } : noAnswer(judged)
  }
  return {
    post: (method, body, shape, attempt) =>
      call(
        {
          method: 'POST',
          url: `${base}/${method}`,
          headers: { authorization, 'content-type': 'application/json; charset=utf-8' },
          body: JSON.stringify(body),
        },
        shape,
        attempt,
      ),
    get: (method, query, shape, attempt) => {
      const url = `${base}/${method}?${new URLSearchParams(query).toString()}`
      return call({ method: 'GET', url, headers: { authorization }, body: '' }, shape, attempt)
    },
  }
}

function slackError(status: number, error: string, attempt: Try): NotDelivered {
  const detail = `Slack: ${error}`
  if (!TRANSIENT.has(error)) return { type: 'failed', status, detail }
  const isUnknown = attempt.mayHaveArrived || !UNDONE.has(error)
  return { type: 'again', status, detail, afterMs: 0, isUnknown }
}

/** An answer that is none of Slack's: nobody knows what became of the request. */
function noAnswer(judged: Sent): NotDelivered {
  if (judged.type !== 'delivered') return judged
  const detail = 'the answer is not one of Slack’s'
  return { type: 'again', status: judged.status, detail, afterMs: 0, isUnknown: true }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
