import { Metadata, type status as GrpcCode } from '@grpc/grpc-js'
import { encodeStatus } from './otlp-status.ts'

/** Why a call has no other answer. */
export interface GrpcFailure {
  readonly code: GrpcCode
  readonly message: string
  readonly retryAfterMs?: number
}

// The message travels in a trailer, and clients bound the size of those.
const MAX_MESSAGE_UNITS = 1_000

/** A status as grpc-js sends it; details travel in the trailer that google.rpc defines for them. */
export function toServerStatus(failure: GrpcFailure) {
  // A lone surrogate would make the encoding of the trailer throw.
  const message = failure.message.slice(0, MAX_MESSAGE_UNITS).toWellFormed()
  const metadata = new Metadata()
  if (failure.retryAfterMs !== undefined) {
    metadata.set('grpc-status-details-bin', encodeStatus({ ...failure, message }, 'proto'))
  }
  return { code: failure.code, details: message, metadata }
}
