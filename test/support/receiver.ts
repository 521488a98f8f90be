import { generateKeyPairSync, sign } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { text } from 'node:stream/consumers'

/** A request that the receiver was sent. */
export interface ReceivedRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** How a request is answered: after a while, never, or by breaking the connection off. */
export type Reply =
  | {
      readonly status: number
      readonly body?: string
      readonly headers?: Readonly<Record<string, string>>
    }
  | 'hang'
  | 'break'

export interface ReceiverOptions {
  /** HTTPS with a certificate of its own, which nobody trusts unless told to. */
  readonly isTls?: boolean
  /** 0 is a free port. */
  readonly port?: number
  /** What the receiver knows repeats by. */
  readonly keyOf?: (request: ReceivedRequest) => string
  /** How requests are answered that `replies` says nothing of; 200 by default. */
  readonly answer?: (request: ReceivedRequest) => Reply
}

/** A server that notifications are sent to. */
export interface Receiver {
  readonly url: string
  readonly requests: readonly ReceivedRequest[]
  /** How the next requests are answered, in order. */
  readonly replies: Reply[]
  /** By key, how many requests were taken: more than one for what was sent again. */
  readonly taken: ReadonlyMap<string, number>
  /** The certificate, to be trusted; empty without TLS. */
  readonly certificate: string
  stop(): Promise<void>
}

/** Starts a receiver on this machine. */
export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const { isTls = false, port = 0, keyOf = idempotencyKey, answer = taking } = options
  const requests: ReceivedRequest[] = []
  const replies: Reply[] = []
  const taken = new Map<string, number>()
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const received = await receive(request)
    requests.push(received)
    const reply = replies.shift() ?? answer(received)
    if (reply === 'hang') return
    if (reply === 'break') {
      response.destroy()
      return
    }
    if (reply.status < 300) {
      const key = keyOf(received)
      taken.set(key, (taken.get(key) ?? 0) + 1)
    }
    response.writeHead(reply.status, { ...reply.headers }).end(reply.body ?? '')
  }
  const onRequest = (request: IncomingMessage, response: ServerResponse) =>
    // The sender went away while it was still sending.
    void serve(request, response).catch(() => response.destroy())
  const identity = isTls ? selfSigned() : { key: '', cert: '' }
  const server = isTls ? createTlsServer(identity, onRequest) : createServer(onRequest)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The receiver has no port')
  return {
    url: `http${isTls ? 's' : ''}://127.0.0.1:${address.port}`,
    requests,
    replies,
    taken,
    certificate: identity.cert,
    stop: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)))
        server.closeAllConnections()
      }),
  }
}

async function receive(request: IncomingMessage): Promise<ReceivedRequest> {
  const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)])
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: Object.fromEntries(headers),
    body: await text(request),
  }
}

function taking(): Reply {
  return { status: 200 }
}

function idempotencyKey({ headers }: ReceivedRequest): string {
  return headers['idempotency-key'] ?? ''
}

/** A certificate for localhost and 127.0.0.1, made anew each time (RFC 5280 and 5480, in DER). */
function selfSigned(): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ecdsaWithSha256 = sequence(der(0x06, Buffer.from('2a8648ce3d040302', 'hex')))
  const commonName = sequence(der(0x06, Buffer.from('550403', 'hex')), utf8('localhost'))
  const name = sequence(der(0x31, commonName))
  const day = (offset: number) => {
    const time = new Date(Date.now() + offset * 86_400_000).toISOString()
    return der(0x17, Buffer.from(`${time.slice(2, 19).replaceAll(/[-:T]/g, '')}Z`))
  }
  const names = sequence(
    der(0x82, Buffer.from('localhost')),
    der(0x87, Buffer.from([127, 0, 0, 1])),
  )
  const subjectAltName = sequence(der(0x06, Buffer.from('551d11', 'hex')), der(0x04, names))
  const unsigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ecdsaWithSha256,
    name,
    sequence(day(-1), day(1)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(subjectAltName)),
  )
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', unsigned, privateKey)])
  const certificate = sequence(unsigned, ecdsaWithSha256, der(0x03, signature))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
  }
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts)
}

function utf8(value: string): Buffer {
  return der(0x0c, Buffer.from(value))
}

/** A tag, the length, and the content: lengths from 128 on take bytes of their own. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
