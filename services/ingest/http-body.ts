import type { IncomingMessage } from 'node:http'
import type { Transform } from 'node:stream'
import { createGunzip, createInflate } from 'node:zlib'
import type { ByteBudget } from './receiver-limits.ts'

/** How a body is compressed. */
export type Compression = 'identity' | 'gzip' | 'deflate'

/**
 * A body, or why there is none. `read`: the bytes stay reserved in the budget until the caller
 * releases `body.length` of them. `aborted`: the client has gone, nobody waits for an answer.
 */
export type BodyResult =
  | { readonly type: 'read'; readonly body: Buffer }
  | { readonly type: 'too_large' | 'overloaded' | 'undecodable' | 'aborted' }

/** What bounds the reading of one body. */
export interface BodyOptions {
  readonly compression: Compression
  readonly maxBytes: number
  readonly budget: ByteBudget
}

// Bodies often unpack to about a megabyte; zlib's default of 16 KiB would cut that into many pieces.
const DECODER_CHUNK_BYTES = 64 * 1024

/**
 * Reads a request's body and decompresses it as it comes, so that no more than `maxBytes` are ever
 * held. After any other end than `read` the rest of the body is still to be drained.
 */
export function readBody(request: IncomingMessage, options: BodyOptions): Promise<BodyResult> {
  const { maxBytes, budget } = options
  const { promise, resolve } = Promise.withResolvers<BodyResult>()
  const decoder = createDecoder(options.compression)
  const chunks: Buffer[] = []
  let arrived = 0
  let held = 0
  let isSettled = false

  const settle = (result: BodyResult) => {
    if (isSettled) return
    isSettled = true
    if (result.type !== 'read') {
      budget.release(held)
      chunks.length = 0
      if (decoder !== undefined) request.unpipe(decoder)
    }
    decoder?.destroy()
    resolve(result)
  }
  const keep = (chunk: Buffer) => {
    if (isSettled) return
    if (held + chunk.length > maxBytes) return settle({ type: 'too_large' })
    if (!budget.tryReserve(chunk.length)) return settle({ type: 'overloaded' })
    held += chunk.length
    chunks.push(chunk)
  }
  const finish = () => settle({ type: 'read', body: join(chunks, held) })

  request.on('error', () => settle({ type: 'aborted' }))
  request.on('close', () => {
    if (!request.complete) settle({ type: 'aborted' })
  })
  if (decoder === undefined) {
    request.on('data', keep).on('end', finish)
    return promise
  }
  request.on('data', (chunk: Buffer) => {
    arrived += chunk.length
    if (arrived > maxBytes) settle({ type: 'too_large' })
  })
  decoder.on('data', keep).on('end', finish)
  decoder.on('error', () => settle({ type: 'undecodable' }))
  request.pipe(decoder)
  return promise
}

/**
 * Throws away what is still to come of a body: a client that is still sending often cannot see the
 * answer otherwise. False if there was more than `maxBytes` of it, and the connection should close.
 */
export function drainBody(request: IncomingMessage, maxBytes: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  let thrownAway = 0
  request.on('data', (chunk: Buffer) => {
    thrownAway += chunk.length
    if (thrownAway > maxBytes) resolve(false)
  })
  request.on('end', () => resolve(true)).on('close', () => resolve(true))
  request.on('error', () => resolve(true))
  request.resume()
  return promise
}

function createDecoder(compression: Compression): Transform | undefined {
  if (compression === 'gzip') return createGunzip({ chunkSize: DECODER_CHUNK_BYTES })
  if (compression === 'deflate') return createInflate({ chunkSize: DECODER_CHUNK_BYTES })
  return undefined
}

function join(chunks: readonly Buffer[], bytes: number): Buffer {
  const [first] = chunks
  return first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks, bytes)
}
