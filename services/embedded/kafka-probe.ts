import { connect } from 'node:net'

const API_METADATA = 3
const API_VERSION = 1
const CORRELATION_ID = 1
const NO_CLIENT_ID = -1
const TIMEOUT_MS = 2_000
const BROKER_COUNT_OFFSET = 8

/**
 * Whether a broker answers a metadata request with at least one live broker. Written by hand
 * (https://kafka.apache.org/41/design/protocol/), so that waiting for a broker needs no client. Never rejects.
 */
export function answersMetadata(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    let answer = Buffer.alloc(0)
    const socket = connect({ port, host: '127.0.0.1', timeout: TIMEOUT_MS })
    const settle = (ready: boolean): void => {
      socket.destroy()
      resolve(ready)
    }
    socket.on('connect', () => socket.write(metadataRequest()))
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk])
      if (answer.length >= BROKER_COUNT_OFFSET + 4) {
        settle(
          answer.readInt32BE(4) === CORRELATION_ID && answer.readInt32BE(BROKER_COUNT_OFFSET) > 0,
        )
      }
    })
    socket.on('timeout', () => settle(false))
    socket.on('error', () => settle(false))
    socket.on('close', () => settle(false))
  })
}

// Size, API key, API version, correlation id, client id, and no topics.
function metadataRequest(): Buffer {
  const request = Buffer.alloc(18)
  request.writeInt32BE(request.length - 4, 0)
  request.writeInt16BE(API_METADATA, 4)
  request.writeInt16BE(API_VERSION, 6)
  request.writeInt32BE(CORRELATION_ID, 8)
  request.writeInt16BE(NO_CLIENT_ID, 12)
  request.writeInt32BE(0, 14)
  return request
}
