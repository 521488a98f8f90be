import { once } from 'node:events'
import { Agent, request, type RequestOptions } from 'node:http'

/** What became of one attempt to send a request. */
export type Answer =
  | {
      readonly type: 'answered'
      readonly status: number
      /** Seconds that the answer asks to wait, if it does. */
      readonly retryAfterS: number | undefined
      readonly ms: number
    }
  /** Nobody knows whether it was taken in. */
  | { readonly type: 'unanswered'; readonly why: string }

/** Senders of OTLP over HTTP, each with a connection that it keeps, and one request at a time. */
export interface Client {
  /** Opens connections until there are so many, or there is no answer. */
  open(connections: number): Promise<void>
  /** Sends a request once, by a sender that is free; where none is, by a new one. */
  send(body: Buffer): Promise<Answer>
  close(): void
}

/** As OTLP's exporters have it by default. */
const TIMEOUT_MS = 10_000
const OK = 200

/** Connects to a receiver of this machine as soon as it is asked for something. */
export function createClient(port: number): Client {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: Infinity })
  return {
    async open(connections) {
      // All at once, as one that is answered before the next begins would share its connection.
      const calls = Array.from({ length: connections }, () => call(agent, { port, path: '/' }))
      await Promise.allSettled(calls)
    },
    async send(body) {
      const startedMs = performance.now()
      const signal = AbortSignal.timeout(TIMEOUT_MS)
      try {
        const { status, retryAfter } = await post(agent, port, body, signal)
        const ms = performance.now() - startedMs
        return { type: 'answered', status, retryAfterS: parseRetryAfter(retryAfter), ms }
      } catch (error) {
        return { type: 'unanswered', why: signal.aborted ? 'timed out' : reasonOf(error) }
      }
    },
    close: () => agent.destroy(),
  }
}

/** Whether a request was taken in. */
export function isAccepted(answer: Answer): boolean {
  return answer.type === 'answered' && answer.status === OK
}

function post(agent: Agent, port: number, body: Buffer, signal: AbortSignal) {
  const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length }
  return call(agent, { port, path: '/v1/traces', method: 'POST', headers, signal }, body)
}

async function call(agent: Agent, options: RequestOptions, body?: Buffer) {
  const sent = request({ agent, host: '127.0.0.1', ...options })
  // What fails once the answer is here changes nothing; without a listener it would end the process.
  sent.on('error', () => undefined)
  sent.end(body)
  const [response] = await once(sent, 'response')
  response.resume()
  await once(response, 'end')
  return { status: Number(response.statusCode), retryAfter: response.headers['retry-after'] }
}

/** Whole seconds; ingest sends no dates. */
export function parseRetryAfter(header: unknown): number | undefined {
  return typeof header === 'string' && /^\d+$/.test(header) ? Number(header) : undefined
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
