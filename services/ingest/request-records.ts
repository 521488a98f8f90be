import { createHash } from 'node:crypto'
import { REQUEST_HEADER } from '#runtime/checkpoint.ts'
import { OverloadedError } from '#runtime/grouped-writer.ts'
import { type NewRecord, TransientError } from '#runtime/records.ts'
import { RATE_LIMITED } from './tenant-limits.ts'

/** Makes one record of a request, its `part` of those for one topic of so many partitions. */
export type RequestRecord = (partitions: number, value: Buffer, part: number) => NewRecord

/** A request that was not taken in, and should be sent again. */
export interface TryAgain {
  readonly type: 'overloaded' | 'unavailable' | 'rate_limited'
  readonly message: string
  readonly retryAfterMs: number
}

const HASH_BYTES = 16
const RETRY_AFTER_OVERLOAD_MS = 1_000
const RETRY_AFTER_OUTAGE_MS = 5_000

/**
 * Makes the records of one request. The hash of the request's bytes is their key, so that a request
 * that is sent again comes to the same partition and is recognised there. The same bytes of two
 * tenants are two requests.
 */
export function requestRecords(body: Buffer, tenant?: string): RequestRecord {
  const hasher = createHash('sha256')
  // A hash of the tenant is of one length: no other tenant and body together read the same.
  if (tenant !== undefined) hasher.update(createHash('sha256').update(tenant).digest())
  const key = hasher.update(body).digest().subarray(0, HASH_BYTES)
  const hash = key.toString('hex')
  return (partitions, value, part) => ({
    partition: key.readUInt32BE(0) % partitions,
    key,
    value,
    headers: { [REQUEST_HEADER]: `${hash}/${part}` },
  })
}

/** What a client is told that has used up what its limits allow. */
export function rateLimited(retryAfterMs: number): TryAgain {
  return { type: 'rate_limited', message: RATE_LIMITED, retryAfterMs }
}

/** What a client is told when its request could not be written. Throws what is a bug. */
export function tryAgain(error: unknown): TryAgain {
  if (error instanceof OverloadedError) {
    const message = 'more arrives than Kafka takes; send the request again'
    return { type: 'overloaded', message, retryAfterMs: RETRY_AFTER_OVERLOAD_MS }
  }
  if (error instanceof TransientError) {
    const message = 'Kafka does not answer; send the request again'
    return { type: 'unavailable', message, retryAfterMs: RETRY_AFTER_OUTAGE_MS }
  }
  throw error
}
