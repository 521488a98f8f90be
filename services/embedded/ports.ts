import { connect, createServer } from 'node:net'
import { EmbeddedError } from './embedded-error.ts'

/** A port that an engine is about to listen on, and the variable that changes it. */
export interface WantedPort {
  readonly port: number
  readonly engine: string
  readonly variable: string
}

const LOOPBACK = '127.0.0.1'

/** Throws EmbeddedError that names every port that another program listens on. */
export async function requireFreePorts(wanted: readonly WantedPort[]): Promise<void> {
  const free = await Promise.all(wanted.map(({ port }) => isFree(port)))
  const taken = wanted.filter((_, index) => free[index] !== true)
  if (taken.length === 0) return
  throw new EmbeddedError(
    taken
      .map(
        ({ port, engine, variable }) =>
          `Port ${port} on ${LOOPBACK}, wanted for ${engine}, is taken by another program. ` +
          `Stop that program, or set ${variable} to a free port.`,
      )
      .join('\n'),
  )
}

/** Ports that nobody listens on at the moment, all different. */
export async function findFreePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0)))
  const ports = servers.map((server) => {
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
    return address.port
  })
  await Promise.all(servers.map((server) => closed(server)))
  return ports
}

// On macOS one may listen on 127.0.0.1 beside a program that listens on all addresses, so both are tried.
async function isFree(port: number): Promise<boolean> {
  if (await answers(port)) return false
  try {
    await closed(await listen(port))
    return true
  } catch {
    return false
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: LOOPBACK, timeout: 1_000 })
    const settle = (answered: boolean) => () => {
      socket.destroy()
      resolve(answered)
    }
    socket.on('connect', settle(true)).on('error', settle(false)).on('timeout', settle(false))
  })
}

function listen(port: number): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, LOOPBACK, () => resolve(server))
  })
}

function closed(server: ReturnType<typeof createServer>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}
