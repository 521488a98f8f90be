import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { findFreePorts } from '../../services/embedded/ports.ts'
import { type Link, openLink } from './links.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** A server that answers each request with its own bytes, and knows what it got; a link to it. */
async function start(): Promise<{ link: Link; received: () => string }> {
  let received = ''
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      received += bytes.toString()
      socket.write(bytes)
    })
  })
  const [port = 0, linkPort = 0] = await findFreePorts(2)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  closing.push(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const link = await openLink(linkPort, port)
  closing.push(() => link.close())
  return { link, received: () => received }
}

/** A client, what it was told, and whether its connection has ended. */
async function open({ port }: Link) {
  const socket = connect(port, '127.0.0.1')
  let told = ''
  socket.on('data', (bytes) => (told += bytes.toString()))
  const ended = new Promise<void>((resolve) => {
    socket.on('error', () => undefined)
    socket.on('close', () => resolve())
  })
  closing.push(async () => socket.destroy())
  await new Promise<void>((resolve) => {
    socket.once('connect', () => resolve())
    socket.once('close', () => resolve())
  })
  return { send: (text: string) => socket.write(text), told: () => told, ended }
}

const WAIT_MS = 5_000
const SOON = { timeout: WAIT_MS, interval: 5 }
/** Long enough for what must not happen to happen. */
const MEANWHILE_MS = 100

test('a link carries bytes both ways, and an end of one side to the other', async () => {
  const { link } = await start()
  const client = await open(link)
  client.send('one')
  await expect.poll(client.told, SOON).toBe('one')
})

test('refuse ends what there is and takes nothing new, until it is over', async () => {
  const { link } = await start()
  const before = await open(link)
  const end = link.trouble('refuse')
  await before.ended
  await (
    await open(link)
  ).ended
  end()
  const after = await open(link)
  after.send('again')
  await expect.poll(after.told, SOON).toBe('again')
})

test('hold keeps bytes back, and lets all of them go on', async () => {
  const { link, received } = await start()
  const client = await open(link)
  const end = link.trouble('hold')
  client.send('late')
  await delay(MEANWHILE_MS)
  expect(received()).toBe('')
  end()
  await expect.poll(client.told, SOON).toBe('late')
})

test('swallow drops bytes without a word, and ends those connections only when it is over', async () => {
  const { link, received } = await start()
  const [used, idle] = [await open(link), await open(link)]
  const end = link.trouble('swallow')
  used.send('gone')
  await delay(MEANWHILE_MS)
  expect(await Promise.race([used.ended.then(() => 'ended'), delay(1, 'open')])).toBe('open')
  end()
  await used.ended
  expect(received()).toBe('')
  idle.send('here')
  await expect.poll(idle.told, SOON).toBe('here')
})

test('lose-answers lets the request through, and ends the connection once it was answered', async () => {
  const { link, received } = await start()
  const client = await open(link)
  link.trouble('lose-answers')
  client.send('done')
  await client.ended
  expect(received()).toBe('done')
  expect(client.told()).toBe('')
})

test('throttle lets requests through slowly, and no longer than it lasts', async () => {
  const { link, received } = await start()
  const client = await open(link)
  const end = link.trouble('throttle')
  const bytes = 60_000
  client.send('x'.repeat(bytes))
  await delay(MEANWHILE_MS)
  expect(received().length).toBeLessThan(bytes)
  end()
  await expect.poll(() => client.told().length, SOON).toBe(bytes)
})
