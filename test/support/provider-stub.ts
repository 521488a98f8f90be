import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import {
  ANTHROPIC_MODELS,
  OPENAI_MODELS,
  chatAnswer,
  chatEvents,
  chatToolAnswer,
  embeddingsAnswer,
  messageAnswer,
  messageEvents,
  responsesAnswer,
  responsesEvents,
  type Json,
  type StreamEvent,
} from './provider-answers.ts'
import { providerError, type ProviderError, type Vendor } from './provider-errors.ts'

/** A request that the stub was asked. */
export interface ProviderRequest {
  readonly path: string
  readonly model: string
  readonly isStream: boolean
}

/** A server that speaks the HTTP of OpenAI and of Anthropic, with answers that are always the same. */
export interface ProviderStub {
  /** Without a path: OpenAI's clients want `/v1` behind it. */
  readonly url: string
  readonly requests: readonly ProviderRequest[]
  stop(): Promise<void>
}

/** How long a stream waits before its first event, so that the time to the first token is not zero. */
const FIRST_EVENT_MS = 30
const NEXT_EVENT_MS = 3

const requestSchema = z.object({
  model: z.string(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  input: z.unknown().optional(),
  messages: z.array(z.object({ role: z.string() })).nullish(),
  tools: z.array(z.object({ function: z.object({ name: z.string() }).optional() })).nullish(),
  encoding_format: z.string().nullish(),
})
type Request = z.infer<typeof requestSchema>

type Answer =
  | { readonly type: 'body'; readonly body: Json }
  | { readonly type: 'stream'; readonly events: readonly StreamEvent[]; readonly end: string }
  | { readonly type: 'error'; readonly error: ProviderError }

/** Starts the stub on a port of this machine; 0 is a free one. */
export async function startProviderStub(port = 0): Promise<ProviderStub> {
  const requests: ProviderRequest[] = []
  const server = createServer((request, response) => {
    serve(request, response, requests).catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else send(response, 400, { error: { message: String(error) } })
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The stub has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    async stop() {
      server.closeAllConnections()
      await new Promise<void>((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)))
      })
    },
  }
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  requests: ProviderRequest[],
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://stub')
  const endpoint = ENDPOINTS[pathname]
  if (endpoint === undefined || request.method !== 'POST') {
    send(response, 404, { error: { message: `No ${request.method} ${pathname}` } })
    return
  }
  const asked = requestSchema.parse(await json(request))
  requests.push({ path: pathname, model: asked.model, isStream: asked.stream ?? false })
  const answer = endpoint(asked)
  if (answer.type === 'stream') await stream(response, answer.events, answer.end)
  else if (answer.type === 'error') send(response, answer.error.status, answer.error.body)
  else send(response, 200, answer.body)
}

const ENDPOINTS: Readonly<Record<string, (asked: Request) => Answer>> = {
  '/v1/chat/completions': (asked) => {
    const usage = OPENAI_MODELS[asked.model]
    if (usage === undefined) return refuse('openai', asked)
    const tool = nextTool(asked)
    if (tool !== undefined) return { type: 'body', body: chatToolAnswer(usage, tool) }
    if (!asked.stream) return { type: 'body', body: chatAnswer(usage) }
    const events = chatEvents(usage, asked.stream_options?.include_usage ?? false)
    return { type: 'stream', events, end: 'data: [DONE]\n\n' }
  },
  '/v1/responses': (asked) => {
    const usage = OPENAI_MODELS[asked.model]
    if (usage === undefined) return refuse('openai', asked)
    if (!asked.stream) return { type: 'body', body: responsesAnswer(usage) }
    return { type: 'stream', events: responsesEvents(usage), end: '' }
  },
  '/v1/embeddings': (asked) => {
    const usage = OPENAI_MODELS[asked.model]
    if (usage === undefined) return refuse('openai', asked)
    const count = Array.isArray(asked.input) ? asked.input.length : 1
    const isBase64 = asked.encoding_format === 'base64'
    return { type: 'body', body: embeddingsAnswer(usage, count, isBase64) }
  },
  '/v1/messages': (asked) => {
    const usage = ANTHROPIC_MODELS[asked.model]
    if (usage === undefined) return refuse('anthropic', asked)
    if (!asked.stream) return { type: 'body', body: messageAnswer(usage) }
    return { type: 'stream', events: messageEvents(usage), end: '' }
  },
}

// A chat that offers tools is answered with a call of the first; once that has answered, in words.
function nextTool({ stream: isStream, tools, messages }: Request): string | undefined {
  if (isStream || messages?.some(({ role }) => role === 'tool')) return undefined
  return tools?.[0]?.function?.name
}

function refuse(vendor: Vendor, { model }: Request): Answer {
  return { type: 'error', error: providerError(vendor, model) }
}

// Clients try again after the time told, so a refusal tells a short one.
function send(response: ServerResponse, status: number, body: Json): void {
  const again = status === 429 ? { 'retry-after': '1', 'retry-after-ms': '5' } : {}
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-request-id': 'req_stub',
    'request-id': 'req_stub',
    ...again,
  })
  response.end(JSON.stringify(body))
}

async function stream(
  response: ServerResponse,
  events: readonly StreamEvent[],
  end: string,
): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-request-id': 'req_stub',
    'request-id': 'req_stub',
  })
  response.flushHeaders()
  for (const [index, { name, data }] of events.entries()) {
    await delay(index === 0 ? FIRST_EVENT_MS : NEXT_EVENT_MS)
    const head = name === undefined ? '' : `event: ${name}\n`
    response.write(`${head}data: ${JSON.stringify(data)}\n\n`)
  }
  response.end(end)
}
