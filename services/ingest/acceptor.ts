import { createHash } from 'node:crypto'
import { REQUEST_HEADER } from '#runtime/checkpoint.ts'
import { deadLetterBatch, type Rejected } from '#runtime/dead-letters.ts'
import { OverloadedError } from '#runtime/grouped-writer.ts'
import { type NewRecord, type RecordWriter, TransientError } from '#runtime/records.ts'
import { deadLetters, spans as spansTopic } from '#schemas/topics.ts'
import type { Accept, Acceptance, OtlpRequest } from './accept.ts'
import type { Transcode } from './transcode.ts'
import { translate } from './translate.ts'

export interface AcceptorOptions {
  readonly transcode: Transcode
  readonly writer: RecordWriter
  readonly spanPartitions: number
  readonly deadLetterPartitions: number
  readonly now: () => number
  readonly onSpans: (via: string, spans: number) => void
  readonly onRejected: (reason: string) => void
}

const HASH_BYTES = 16
const NO_TOPIC = { worker: 'ingest', partition: -1, offset: -1n } as const
const RETRY_AFTER_OVERLOAD_MS = 1_000
const RETRY_AFTER_OUTAGE_MS = 5_000
const MAX_REASONS = 5

/**
 * Makes what the receivers call. The hash of a request's bytes is its records' key, so that a
 * request that is sent again comes to the same partition and is recognised there.
 */
export function createAcceptor(options: AcceptorOptions): Accept {
  return async (request) => {
    const receivedTimeMs = options.now()
    const { encoding, body } = request
    const translation = translate(options.transcode, encoding, body, receivedTimeMs)
    if (translation.type !== 'translated') return translation
    const { batches, spans, rejected } = translation
    try {
      await writeRequest(options, request, batches, rejected, receivedTimeMs)
    } catch (error) {
      return refusal(error)
    }
    options.onSpans(request.via, spans)
    for (const { reason } of rejected) options.onRejected(reason)
    return { type: 'accepted', spans, rejected: rejected.length, message: describe(rejected) }
  }
}

async function writeRequest(
  { writer, spanPartitions, deadLetterPartitions }: AcceptorOptions,
  request: OtlpRequest,
  batches: readonly Buffer[],
  rejected: readonly Rejected[],
  receivedTimeMs: number,
): Promise<void> {
  const key = createHash('sha256').update(request.body).digest().subarray(0, HASH_BYTES)
  const hash = key.toString('hex')
  const record = (partitions: number, value: Buffer, part: number): NewRecord => ({
    partition: key.readUInt32BE(0) % partitions,
    key,
    value,
    headers: { [REQUEST_HEADER]: `${hash}/${part}` },
  })
  if (batches.length > 0) {
    const records = batches.map((value, part) => record(spanPartitions, value, part))
    await writer.write(spansTopic.name, records)
  }
  if (rejected.length > 0) {
    const origin = { ...NO_TOPIC, source: request.via, timeMs: receivedTimeMs }
    const value = deadLetterBatch(origin, rejected)
    await writer.write(deadLetters.name, [record(deadLetterPartitions, value, 0)])
  }
}

function refusal(error: unknown): Acceptance {
  if (error instanceof OverloadedError) {
    const message = 'more spans arrive than Kafka takes; send the request again'
    return { type: 'overloaded', message, retryAfterMs: RETRY_AFTER_OVERLOAD_MS }
  }
  if (error instanceof TransientError) {
    const message = 'Kafka does not answer; send the request again'
    return { type: 'unavailable', message, retryAfterMs: RETRY_AFTER_OUTAGE_MS }
  }
  throw error
}

/** A sentence for the client that names the first few reasons. */
function describe(rejected: readonly Rejected[]): string {
  if (rejected.length === 0) return ''
  const named = rejected.slice(0, MAX_REASONS).map((span) => `span ${span.index}: ${span.detail}`)
  const more = rejected.length - named.length
  return `${named.join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}
