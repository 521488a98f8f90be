import type { Logger } from '#runtime/log.ts'
import type { Accept } from './accept.ts'
import type { Admit } from './api-keys.ts'
import type { ReceiverTls } from './tls.ts'

/** What a receiver needs: where requests go, its bounds, and where it logs its own failures. */
export interface ReceiverOptions {
  readonly accept: Accept
  readonly limits: ReceiverLimits
  readonly logger: Logger
  /** Asked before a body is read. Unset: everybody may send. */
  readonly admit?: Admit
  /** The bytes of requests in progress, where several receivers share them. */
  readonly budget?: ByteBudget
  /** Unset: connections are plain. */
  readonly tls?: ReceiverTls
  /** Told of each request that was refused, by its way in and a reason of low cardinality. */
  readonly onRefused?: (via: string, reason: string) => void
}

/** The bounds of one receiver. */
export interface ReceiverLimits {
  /** Most bytes of one request, as sent and also after decompression. */
  readonly maxRequestBytes: number
  /** Most bytes that all requests in progress hold together; at least `maxRequestBytes`. */
  readonly maxInflightBytes: number
  /** Most connections (HTTP) or calls (gRPC) at once. */
  readonly maxConnections: number
  /** A request must have arrived completely this long after its beginning. */
  readonly requestTimeoutMs: number
}

/** When a client should come again after a receiver itself had no room for its request. */
export const OVERLOAD_RETRY_MS = 1_000

/** Counts the bytes that requests in progress hold, and refuses what would go over the limit. */
export interface ByteBudget {
  readonly usedBytes: number
  /** Takes the bytes if there is room. Whoever took them gives them back with `release`. */
  tryReserve(bytes: number): boolean
  release(bytes: number): void
}

/** A budget that starts empty. */
export function createByteBudget(maxBytes: number): ByteBudget {
  let usedBytes = 0
  return {
    get usedBytes() {
      return usedBytes
    },
    tryReserve(bytes) {
      if (usedBytes + bytes > maxBytes) return false
      usedBytes += bytes
      return true
    },
    release(bytes) {
      usedBytes -= bytes
    },
  }
}
