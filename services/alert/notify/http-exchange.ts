import { lookup as lookUp } from 'node:dns/promises'
import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { callbackify } from 'node:util'
import { isPublicAddress } from './addresses.ts'

/** A request to a receiver. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What came of a request. */
export type HttpResult =
  | {
      readonly type: 'answer'
      readonly status: number
      readonly retryAfter: string
      /** Cut off where it is too long. */
      readonly body: string
    }
  /** The address may not be talked to; nothing was sent. */
  | { readonly type: 'refused'; readonly detail: string }
  /** No answer; `isSent` tells whether the request may have arrived nevertheless. */
  | { readonly type: 'lost'; readonly detail: string; readonly isSent: boolean }

/** Makes one request. Throws only where the signal ends it. */
export type Exchange = (request: HttpRequest, signal: AbortSignal) => Promise<HttpResult>

/** Finds all addresses of a name. */
export type Resolve = (
  hostname: string,
) => Promise<readonly { readonly address: string; readonly family: number }[]>

export interface ExchangeOptions {
  readonly allowPrivate: boolean
  /** For the connection, and then for the whole answer. */
  readonly timeoutMs: number
  readonly resolve?: Resolve
}

/** A page of Slack's history with all blocks of its messages is the longest answer. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024

/** Thrown by a lookup for a name that leads into a private network. */
class RefusedAddressError extends Error {
  override readonly name = 'RefusedAddressError'
}

/**
 * Talks HTTP to receivers. The address is checked when the connection is made, so that a name that
 * changes its address meanwhile gains nothing; redirects are not followed.
 */
export function createExchange(options: ExchangeOptions): Exchange {
  const { allowPrivate, resolve = (hostname) => lookUp(hostname, { all: true }) } = options
  const lookup = guardedLookup(resolve, allowPrivate)
  return async (request, signal) => {
    signal.throwIfAborted()
    const url = new URL(request.url)
    const host = url.hostname.replace(/^\[|\]$/g, '')
    // Node looks up names only: an address goes past the lookup.
    if (!allowPrivate && isIP(host) > 0 && !isPublicAddress(host)) {
      return { type: 'refused', detail: refusal(host) }
    }
    return send(url, request, { lookup, timeoutMs: options.timeoutMs, signal })
  }
}

function refusal(address: string): string {
  return `${address} is not a public address; allow_private: true would allow it`
}

function guardedLookup(resolve: Resolve, allowPrivate: boolean): LookupFunction {
  const find = async (hostname: string) => {
    const addresses = await resolve(hostname)
    const wrong = allowPrivate
      ? undefined
      : addresses.find(({ address }) => !isPublicAddress(address))
    if (wrong !== undefined) throw new RefusedAddressError(`${hostname}: ${refusal(wrong.address)}`)
    if (addresses.length === 0) throw new Error(`${hostname} has no address`)
    return addresses
  }
  // The lookup is called back outside of any promise: what it throws is nobody's rejection.
  const findThen = callbackify(find)
  return (hostname, { all = false }, callback) =>
    findThen(hostname, (error, addresses) => {
      const [first] = addresses ?? []
      if (first === undefined) callback(error, '')
      else if (all) callback(null, [...addresses])
      else callback(null, first.address, first.family)
    })
}

interface SendOptions {
  readonly lookup: LookupFunction
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

function send(
  url: URL,
  { method, headers, body }: HttpRequest,
  { lookup, timeoutMs, signal }: SendOptions,
): Promise<HttpResult> {
  const done = Promise.withResolvers<HttpResult>()
  const isTls = url.protocol === 'https:'
  const length = { 'content-length': String(Buffer.byteLength(body)) }
  const request = (isTls ? https : http).request(url, {
    method,
    headers: { ...headers, ...(method === 'POST' ? length : {}) },
    lookup,
    // A connection of its own, so that one that breaks tells whether the request was on its way.
    agent: false,
  })
  let isSent = false
  let timer = endAfter(request, timeoutMs, `no connection within ${timeoutMs} ms`)
  request.once('socket', (socket) => {
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      isSent = true
      clearTimeout(timer)
      timer = endAfter(request, timeoutMs, `no answer within ${timeoutMs} ms`)
    })
  })
  let isAnswered = false
  request.once('response', (response) => {
    isAnswered = true
    void collect(response).then(done.resolve)
  })
  request.on('error', (error) => {
    if (isAnswered) return
    if (error instanceof RefusedAddressError)
      done.resolve({ type: 'refused', detail: error.message })
    else done.resolve({ type: 'lost', detail: describe(error), isSent })
  })
  const abort = () => {
    done.reject(toError(signal.reason))
    request.destroy()
  }
  signal.addEventListener('abort', abort, { once: true })
  request.end(body)
  return done.promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
    request.destroy()
  })
}

function endAfter(request: ClientRequest, ms: number, reason: string): NodeJS.Timeout {
  return setTimeout(() => request.destroy(new Error(reason)), ms)
}

/** Reads an answer; one that breaks off has said its status, and that is what counts. */
async function collect(response: IncomingMessage): Promise<HttpResult> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of response) {
      const read = Buffer.from(chunk)
      bytes += read.length
      chunks.push(read)
      if (bytes >= MAX_ANSWER_BYTES) break
    }
  } catch {
    // The rest is lost.
  }
  return {
    type: 'answer',
    status: response.statusCode ?? 0,
    retryAfter: response.headers['retry-after'] ?? '',
    body: Buffer.concat(chunks).toString().slice(0, MAX_ANSWER_BYTES),
  }
}

/** Trying several addresses of a name fails with an error without a message. */
function describe(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return error.message === '' ? code : error.message
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
