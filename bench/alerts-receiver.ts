import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** Takes notifications, as the webhook of somebody would. */
export interface Receiver {
  readonly url: string
  /** Resolves, with performance.now() at its arrival, when a body with the text has come. */
  arrival(text: string): Promise<number>
  /** Forgets what is still waited for. */
  close(): void
}

/** Starts a receiver on loopback. */
export async function startReceiver(): Promise<Receiver> {
  const waiting = new Map<string, (timeMs: number) => void>()
  const server = createServer((incoming, response) => {
    void take(performance.now(), incoming, response)
  })

  async function take(
    timeMs: number,
    incoming: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const body = await readBody(incoming)
    response.writeHead(204).end()
    for (const [text, resolve] of waiting) {
      if (!body.includes(text)) continue
      waiting.delete(text)
      resolve(timeMs)
    }
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  return {
    url: `http://127.0.0.1:${address.port}/`,
    arrival: (text) => new Promise((resolve) => waiting.set(text, resolve)),
    close() {
      waiting.clear()
      server.close()
      server.closeAllConnections()
    },
  }
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of incoming) body += String(chunk)
  return body
}
