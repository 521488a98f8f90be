import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Trouble } from './plan.ts'

/** A TCP proxy between two ends, that can be told to misbehave. */
export interface Link {
  readonly port: number
  /**
   * Makes trouble until the function that it gives is called: `refuse` ends connections and takes no
   * new ones, `hold` keeps bytes back, `swallow` drops them and keeps connections open until the end,
   * `lose-answers` ends a connection once the other end has answered and before the answer gets
   * through, `throttle` lets requests through slowly.
   */
  trouble(kind: Trouble): () => void
  close(): Promise<void>
}

const THROTTLED_BYTES_PER_S = 60_000
const HIGH_WATER_BYTES = 16 * 1_024

interface Pair {
  readonly client: Socket
  readonly server: Socket
  /** Bytes of it were dropped: it cannot go on. */
  isTorn: boolean
}

/** What is wrong with a link now, and what ends with it. */
interface Active {
  readonly kind: Trouble
  readonly ended: Promise<void>
}

/** Opens a link to a port of this machine. */
export async function openLink(port: number, toPort: number): Promise<Link> {
  const pairs = new Set<Pair>()
  const troubles = new Set<Active>()
  const find = (kind: Trouble) => [...troubles].find((one) => one.kind === kind)
  const server = createServer({ highWaterMark: HIGH_WATER_BYTES }, (client) => {
    if (find('refuse') !== undefined) {
      client.resetAndDestroy()
      return
    }
    join(client, toPort, pairs, find)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    port,
    trouble(kind) {
      const { promise: ended, resolve } = Promise.withResolvers<void>()
      const active = { kind, ended }
      troubles.add(active)
      if (kind === 'refuse') for (const pair of pairs) tear(pair)
      return () => {
        troubles.delete(active)
        resolve()
        for (const pair of pairs) if (pair.isTorn) tear(pair)
      }
    },
    async close() {
      for (const pair of pairs) tear(pair)
      server.close()
      await once(server, 'close')
    },
  }
}

function join(
  client: Socket,
  toPort: number,
  pairs: Set<Pair>,
  find: (kind: Trouble) => Active | undefined,
): void {
  const server = connect({ port: toPort, host: '127.0.0.1' })
  const pair: Pair = { client, server, isTorn: false }
  pairs.add(pair)
  for (const socket of [client, server]) {
    socket.setNoDelay(true)
    socket.on('error', () => tear(pair))
    socket.on('close', () => {
      pairs.delete(pair)
      tear(pair)
    })
  }
  void pump(pair, 'request', find).catch(() => tear(pair))
  void pump(pair, 'answer', find).catch(() => tear(pair))
}

function tear({ client, server }: Pair): void {
  for (const socket of [client, server]) if (!socket.destroyed) socket.resetAndDestroy()
}

/** Carries bytes one way, as far as trouble lets it. */
async function pump(
  pair: Pair,
  direction: 'request' | 'answer',
  find: (kind: Trouble) => Active | undefined,
): Promise<void> {
  const [from, to] =
    direction === 'request' ? [pair.client, pair.server] : [pair.server, pair.client]
  for await (const chunk of from) {
    if (!Buffer.isBuffer(chunk)) throw new Error('a socket gives buffers')
    if (direction === 'answer' && find('lose-answers') !== undefined) {
      tear(pair)
      return
    }
    for (let held = find('hold'); held !== undefined; held = find('hold')) await held.ended
    const slow = direction === 'request' ? find('throttle') : undefined
    if (slow !== undefined) {
      const waitMs = (chunk.length / THROTTLED_BYTES_PER_S) * 1_000
      await Promise.race([slow.ended, delay(waitMs)])
    }
    if (pair.isTorn || find('swallow') !== undefined) pair.isTorn = true
    else if (!to.write(chunk)) await once(to, 'drain')
  }
  if (!pair.isTorn) to.end()
}
